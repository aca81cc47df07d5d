from __future__ import annotations

import pytest

from integrations.records import ActivityKind, Direction, Kind, TaskKind
from service.rules.model import History, LoggedActivity, Post, Signals, Verdict
from service.rules.readiness import ready_for_call
from service.rules.readiness.talk import LULL
from tests.service.rules.making import DAY, HOUR, MONDAY, POLICY, answer, post, replace

CALL, MEETING = ActivityKind.CALL, ActivityKind.MEETING
CHAT = "saw your shop window today"
ASK = "Could you give me a call?"


def exchange(number: int, at, text: str = CHAT, **changes) -> tuple[Post, Post]:
    """They wrote, and an hour later we answered."""
    return post(f"t{number}", at, text, **changes), answer(f"o{number}", at + HOUR, to=f"t{number}")


def exchanges(*days: float) -> tuple[Post, ...]:
    return tuple(each for number, day in enumerate(days) for each in exchange(number, MONDAY + day * DAY))


PROJECT = "We have 30 sites and my boss wants a quote by Friday"
WARM = (*exchanges(0, 5, 10), *exchange(3, MONDAY + 16 * DAY, PROJECT))
NOW = MONDAY + 17 * DAY
LOW = replace(POLICY, call_score=0.05)  # any talk to and fro will do


def judge(*posts: Post, now=NOW, policy=POLICY, **changes) -> Verdict:
    return ready_for_call(History("Ana", posts, **changes), now=now, policy=policy)


def test_a_talk_to_and_fro_with_something_at_stake_makes_ready():
    verdict = judge(*WARM)
    finding = verdict.finding
    assert finding is not None
    assert (finding.kind, finding.episode) == (TaskKind.READY_FOR_CALL, "t3")
    assert finding.since == MONDAY + 16 * DAY
    assert verdict.stage == "ready to talk"
    assert verdict.reasons == (
        "They want to get something done, speak of who decides or of the money and name a date, last on 18 March.",
        "You have gone back and forth 4 times over 2 weeks, last on 18 March.",
    )
    assert verdict.look_again_at == MONDAY + 37 * DAY + HOUR
    assert set(finding.evidence) == {"t3"}


@pytest.mark.parametrize(
    ("posts", "why"),
    [
        (exchanges(0, 5, 10, 16), "nothing at stake"),
        ((post("t3", MONDAY + 16 * DAY, PROJECT),), "nobody answered anything"),
        ((*exchange(0, MONDAY, PROJECT), *exchanges(20, 25)), "at stake long ago"),
    ],
)
def test_less_is_not_enough(posts, why):
    verdict = judge(*posts, now=MONDAY + 26 * DAY)
    assert verdict.finding is None, why
    assert verdict.score < 0.5


def test_what_is_known_of_somebody_counts():
    little = (*exchanges(0, 5, 10), post("t", NOW - HOUR, "the board meets on Friday"))
    assert judge(*little).finding is None
    verdict = judge(*little, known=True, deal="open")
    assert verdict.finding
    assert verdict.reasons[-1] == "They have an open deal with you."
    scores = [
        judge(*little, known=deal is not None, deal=deal or "").score for deal in (None, "", "lost", "won", "open")
    ]
    assert scores[0] < scores[1] <= min(scores[2:]), "a deal never makes anybody less ready"


def test_a_lower_threshold_suggests_more_and_more_exchanges_may_be_asked_for():
    chat = exchanges(0, 5, 10, 16)
    assert judge(*chat, policy=LOW, known=True).finding
    assert judge(*WARM, policy=replace(POLICY, call_min_exchanges=5)).finding is None


def test_long_writing_is_set_beside_the_ten_minutes_of_a_call():
    long = "It is about the shelves in the back room and how high they should be. " * 12
    posts = [
        (post(f"t{n}", MONDAY + n * DAY, long), answer(f"o{n}", MONDAY + n * DAY + HOUR, to=f"t{n}", text=long))
        for n in range(3)
    ]
    reasons = judge(*(each for pair in posts for each in pair), *exchange(9, NOW - HOUR, PROJECT)).reasons
    assert "Writing has taken the two of you about 25 minutes; a call takes 10." in reasons


def test_talk_that_is_not_recent_is_not_enough():
    verdict = judge(*WARM, now=MONDAY + 37 * DAY + HOUR)
    assert verdict.finding is None
    assert verdict.look_again_at is None
    assert "too long ago" in verdict.reasons[-1]


def test_talk_on_several_networks_counts_together():
    posts = [replace(each, network="Birdsong" if number < 4 else "Fediverse") for number, each in enumerate(WARM)]
    assert judge(*posts).finding


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda p: replace(p, deleted=True),
        lambda p: replace(p, kind=Kind.CONTEXT),
        lambda p: replace(p, signals=Signals(tender=True)),
        lambda p: replace(p, signals=Signals(broadcast=True)),
        lambda p: replace(p, text="", signals=Signals(polite_close=True)),
    ],
)
def test_posts_that_take_no_part_do_not_count(spoiled):
    posts = [spoiled(each) if each.id == "t3" else each for each in WARM]
    assert judge(*posts).finding is None


def test_our_posts_to_everybody_are_no_answer():
    posts = [replace(each, in_reply_to=None) if each.ours else each for each in WARM]
    verdict = judge(*posts)
    assert verdict.finding is None
    assert verdict.stage == "aware"


@pytest.mark.parametrize(
    "text", ["Could one of your designers walk me round?", "Is a walkthrough with one of your designers possible?"]
)
def test_a_wish_in_words_that_no_phrase_has_counts_from_the_first_post_on(text):
    wish = post("q", NOW - DAY, text)
    assert judge(wish, known=True).finding
    assert judge(wish, answer("o", NOW - HOUR, text="New in: oak shelves"), known=True) == judge(wish, known=True)


def test_an_erased_text_leaves_its_signals_to_speak():
    erased = post("q", NOW - HOUR, "", signals=Signals(wants_talk=True))
    assert judge(erased).reasons == ("Ana asked to talk on Birdsong on 19 March.",)


def test_a_yes_to_an_offer_of_ours_is_a_wish():
    offer = answer("o", NOW - DAY, to="t", text="Shall we give you a call?")
    asked = (post("t", NOW - 2 * DAY, CHAT), offer, post("y", NOW - HOUR, "Yes please, tomorrow at 11"))
    verdict = judge(*asked)
    assert verdict.finding.episode == "y"
    assert verdict.reasons[0] == "You offered a call and Ana took it up on Birdsong on 19 March."
    assert verdict.finding.wish == "accepted"
    assert judge(asked[0], asked[2]).finding is None
    assert judge(*asked[:2], post("y", NOW - HOUR, "not now, maybe in January")).finding is None


@pytest.mark.parametrize(
    "ours",
    [
        "Can you DM us your order number?",
        "Could you tell us a bit more about it?",
        "Shall we send a sample?",
        "Can we help you with anything else?",
        "Would you like to join our newsletter?",
    ],
)
def test_a_yes_to_anything_else_is_no_wish(ours):
    asked = (post("t", NOW - 2 * DAY, CHAT), answer("o", NOW - DAY, to="t", text=ours))
    assert judge(*asked, post("y", NOW - HOUR, "Yes please!")).finding is None
    assert judge(*asked, post("y", NOW - HOUR, "Yes please")).finding is None
    assert judge(*asked, post("y", NOW - HOUR, "ok let's do Thursday")).finding is None


def test_whoever_finds_it_by_themselves_takes_the_wish_back():
    asked = (
        post("q", NOW - 2 * DAY, "can we talk about the limits?"),
        answer("o", NOW - DAY, to="q", text="Sure, what's up?"),
    )
    assert judge(*asked).finding
    assert judge(*asked, post("r", NOW - HOUR, "nvm, found the page. sorted")).finding is None


def test_an_offer_in_french_is_taken_up():
    asked = (
        post("t", NOW - 2 * DAY, CHAT),
        answer("o", NOW - DAY, to="t", text="Voulez-vous en parler de vive voix ?"),
    )
    assert judge(*asked, post("y", NOW - HOUR, "Avec plaisir, plutôt en fin de journée")).finding


@pytest.mark.parametrize("ours", ["Would you like one of us to visit?", "Would you be up for a conversation about it?"])
def test_a_yes_to_an_offer_in_words_that_no_phrase_has_is_a_wish(ours):
    asked = (post("t", NOW - 2 * DAY, CHAT), answer("o", NOW - DAY, to="t", text=ours))
    assert judge(*asked, post("y", NOW - HOUR, "Yes please!")).finding


@pytest.mark.parametrize("no", ["No thanks, I don't do calls", "not now, maybe in January"])
def test_whoever_said_no_and_takes_up_the_next_offer_is_ready(no):
    declined = (post("t", NOW - 9 * DAY, CHAT), answer("o", NOW - 8 * DAY, to="t", text="Shall we give you a call?"), post("n", NOW - 7 * DAY, no))  # fmt: skip
    anew = answer("p", NOW - 2 * DAY, to="n", text="Shall we give you a call after all?")
    assert judge(*declined, anew).finding is None
    verdict = judge(*declined, anew, post("y", NOW - HOUR, "Yes please!"))
    assert verdict.finding
    assert verdict.reasons[0] == "You offered a call and Ana took it up on Birdsong on 19 March."


def test_a_yes_to_something_else_is_none_to_an_offer_that_was_declined():
    verdict = judge(
        post("t", NOW - 5 * DAY, CHAT),
        answer("o", NOW - 4 * DAY, to="t", text="Shall we give you a call?"),
        post("n", NOW - 3 * DAY, "No thanks, I don't do calls"),
        answer("p", NOW - 2 * DAY, to="n", text="Fine! We have a blue one, by the way."),
        post("y", NOW - HOUR, "Yes please, a blue one!"),
    )
    assert verdict.finding is None


@pytest.mark.parametrize(
    ("ours", "yes", "taken"),
    [
        ("Noted! Would you like the blue one?", "Yes please, two of them", False),
        ("Noted! Would you like the blue one?", "Yes, and do give me a ring on Thursday", True),
        ("Noted, take your time.", "Yes please", True),
        ("Noted! Shall we give you a call, or is writing better?", "Yes please", True),
    ],
)
def test_a_mere_yes_answers_what_we_asked_last(ours, yes, taken):
    verdict = judge(
        post("t", NOW - 5 * DAY, CHAT),
        answer("o", NOW - 4 * DAY, to="t", text="Shall we give you a call?"),
        post("n", NOW - 3 * DAY, "It is for our hall, by the way"),
        answer("p", NOW - 2 * DAY, to="n", text=ours),
        post("y", NOW - HOUR, yes),
    )
    assert bool(verdict.finding) is taken


def test_who_wrote_about_something_else_long_ago_may_buy_today():
    thesis = exchange(0, MONDAY, "I'm writing my thesis on this, may I ask you a few things?")
    asked = post("q", MONDAY + 60 * DAY, ASK)
    early = judge(*thesis, asked, now=MONDAY + 61 * DAY)
    assert early.finding is None
    assert early.look_again_at == MONDAY + LULL
    asked = post("q", MONDAY + 400 * DAY, ASK)
    assert judge(*thesis, asked, now=MONDAY + 401 * DAY).finding


def test_a_time_that_was_agreed_needs_no_task_until_something_comes_up():
    asked = (post("q", NOW - 2 * DAY, ASK), answer("o", NOW - DAY, to="q", text="Speak tomorrow at 10 then"))
    verdict = judge(*asked)
    assert verdict.finding is None
    assert verdict.look_again_at == NOW + 13 * DAY
    assert judge(*asked, post("r", NOW - HOUR, "could you call me today instead?")).finding


def test_a_video_meeting_is_no_telephone_call():
    verdict = judge(post("q", NOW - HOUR, "I don't take calls. Could we do a Zoom this week?"), do_not_call=True)
    assert verdict.finding
    assert "They prefer a video meeting." in verdict.reasons
    assert verdict.finding.wish == "video"
    either = judge(post("q", NOW - HOUR, "Could we do a Zoom this week?"))
    assert either.finding.wish == "asked"
    assert judge(post("q", NOW - HOUR, ASK), do_not_call=True).finding is None


def test_after_two_of_ours_without_an_answer_it_is_their_turn():
    nudges = [answer(f"n{number}", MONDAY + (16 + number) * DAY, to="t3") for number in (1, 2)]
    later = MONDAY + 19 * DAY
    assert judge(*WARM, now=later).finding
    assert "it is their turn" in judge(*WARM, *nudges, now=later).reasons[0]
    assert judge(*WARM, *nudges, post("t9", later - HOUR, PROJECT), now=later).finding


def test_who_was_answered_and_then_rung_in_vain_is_tried_once_more():
    rung = [LoggedActivity(CALL, NOW - hours * HOUR, Direction.OUT, "no_answer") for hours in (1, 14)]
    assert judge(*WARM, activities=rung[:1]).finding
    assert "You have tried 2 times" in judge(*WARM, activities=rung).reasons[0]


def test_there_is_a_reason_also_where_nothing_was_exchanged_lately():
    told = post("q", NOW - HOUR, "our hallway is narrow and full of shoes, " * 6, kind=Kind.DIRECT)
    met = (LoggedActivity(MEETING, NOW - 100 * DAY, outcome="held"),)
    verdict = judge(told, activities=met, known=True, policy=LOW)
    assert verdict.reasons == ("Ana wrote to you on Birdsong on 19 March.", "You have talked with them before.")
    long_ago = replace(POLICY, call_recent=365 * DAY)
    assert judge(*WARM, post("h", NOW + 100 * DAY, CHAT), now=NOW + 101 * DAY, policy=long_ago).reasons == (
        "Ana wrote to you on Birdsong on 18 March.",
    )


def test_who_asks_to_talk_is_ready_at_once():
    verdict = judge(post("q", NOW - HOUR, ASK))
    assert verdict.finding
    assert verdict.finding.episode == "q"
    assert verdict.finding.due_at == NOW + 2 * HOUR  # asked before they opened
    assert verdict.finding.wish == "asked"
    assert verdict.reasons == ("Ana asked to talk on Birdsong on 19 March.",)
    assert judge(*WARM).finding.urgency < verdict.finding.urgency


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        (post("q", NOW - HOUR, "Could you give me a call? I was diagnosed with diabetes"), {}),
        (post("q", NOW - HOUR, ASK, kind=Kind.CONTEXT), {}),
        (post("q", NOW - HOUR, ASK, deleted=True), {}),
        (post("q", NOW - 21 * DAY, ASK), {}),
        (post("q", NOW - DAY, ASK), {"activities": (LoggedActivity(CALL, NOW - HOUR, outcome="connected"),)}),
        (post("q", NOW - DAY, ASK), {"last_call_task_closed_at": NOW - HOUR}),
        (post("q", NOW + HOUR, ASK), {}),
    ],
)
def test_a_wish_that_is_tender_stale_gone_or_granted_does_not_count(asked, changes):
    assert judge(asked, **changes).finding is None


@pytest.mark.parametrize(
    ("changes", "until"),
    [
        ({"activities": (LoggedActivity(CALL, MONDAY, outcome="connected"),)}, MONDAY + 90 * DAY),
        (
            {"activities": (LoggedActivity(MEETING, MONDAY, outcome="held", ends_at=MONDAY + HOUR),)},
            MONDAY + 90 * DAY + HOUR,
        ),
        ({"activities": (LoggedActivity(MEETING, NOW + DAY),)}, NOW + DAY),
        ({"activities": (LoggedActivity(MEETING, NOW - HOUR, outcome="scheduled", ends_at=NOW + HOUR),)}, NOW + HOUR),
        ({"last_call_task_closed_at": MONDAY - DAY}, MONDAY + 89 * DAY),
        ({"do_not_call": True}, None),
        ({"unsubscribed": True}, None),
    ],
)
def test_nobody_is_called_who_was_just_talked_to_or_wants_no_calls(changes, until):
    verdict = judge(*exchanges(0, 5, 10, 16), policy=LOW, **changes)
    assert verdict.finding is None
    assert verdict.look_again_at == until
    assert verdict.reasons[0].endswith(".")


@pytest.mark.parametrize(
    "activity",
    [
        LoggedActivity(CALL, NOW - DAY, outcome="no_answer"),
        LoggedActivity(MEETING, NOW + DAY, outcome="cancelled"),
        LoggedActivity(ActivityKind.EMAIL, NOW - DAY, outcome="sent"),
        LoggedActivity(ActivityKind.NOTE, NOW - DAY),
    ],
)
def test_what_was_no_talk_stands_against_nothing(activity):
    assert judge(*WARM, activities=(activity,)).finding


def test_whoever_asks_anew_after_a_talk_is_ready():
    held = LoggedActivity(CALL, MONDAY + 16.5 * DAY, outcome="connected")
    assert judge(*WARM, activities=(held,)).finding is None
    again = judge(*WARM, post("q", NOW - HOUR, ASK), activities=(held,))
    assert again.finding
    assert again.finding.episode == "q"


def test_after_the_quiet_time_talk_since_then_counts():
    held = LoggedActivity(CALL, MONDAY - DAY, outcome="connected")
    posts = exchanges(70, 75, 80, 85)
    early = judge(*posts, now=MONDAY + 88 * DAY, activities=(held,), policy=LOW, known=True)
    assert early.finding is None
    assert early.look_again_at == MONDAY + 89 * DAY
    assert judge(*posts, now=MONDAY + 89 * DAY, activities=(held,), policy=LOW, known=True).finding


def test_something_new_counts_also_within_the_quiet_time():
    held = LoggedActivity(CALL, MONDAY + 15 * DAY, outcome="connected")
    verdict = judge(*WARM, activities=(held,), known=True)
    assert verdict.finding
    assert verdict.stage == "talked"


def test_a_planned_talk_stands_against_it_unless_it_would_be_too_late():
    def planned(days: int):
        return judge(*WARM, activities=(LoggedActivity(MEETING, NOW + days * DAY),))

    assert planned(6).finding is None
    assert planned(20).finding
    assert planned(20).look_again_at == MONDAY + 19 * DAY  # then it is no longer news
    assert judge(*WARM, now=NOW + 4 * DAY, activities=(LoggedActivity(MEETING, NOW + 20 * DAY),)).finding is None


def test_an_open_problem_comes_first():
    broken = post("p", NOW - HOUR, "I can't log in, it says error 500")
    verdict = judge(*WARM, broken)
    assert verdict.finding is None
    assert "answer that first" in verdict.reasons[0]
    assert judge(*WARM, broken, answer("fix", NOW - 0.5 * HOUR, to="p")).finding


@pytest.mark.parametrize(
    ("known", "deal", "stands_against"),
    [(False, "", True), (True, "won", True), (True, "", False), (True, "open", False)],
)
def test_what_breaks_at_somebody_who_is_no_customer_is_their_own(known: bool, deal: str, stands_against: bool) -> None:
    broken = post("p", NOW - HOUR, "I can't log in, it says error 500")
    verdict = judge(*WARM, broken, known=known, deal=deal)
    assert (verdict.finding is None) is stands_against
    asks = post("p", NOW - HOUR, "I can't log in, it says error 500. What should I do?")
    assert judge(*WARM, asks, known=known, deal=deal).finding is None


def test_a_call_that_they_missed_is_no_time_agreed_on_once_they_have_written_since():
    asked = (post("q", NOW - 2 * DAY, ASK), answer("o", NOW - DAY, to="q", text="I'll ring you this afternoon"))
    missed = LoggedActivity(ActivityKind.CALL, NOW - 0.5 * DAY, outcome="no_answer")
    sorry = post("r", NOW - HOUR, "sorry, I slept and missed it. After five is best")
    assert judge(*asked, activities=(missed,)).finding is None
    assert judge(*asked, sorry).finding is None
    assert judge(*asked, sorry, activities=(missed,)).finding


def test_a_complaint_is_open_until_they_say_so_or_two_weeks_after_our_answer():
    angry = (post("p", NOW - 0.5 * DAY, "this is ridiculous, I want a refund"), answer("o", NOW - HOUR, to="p"))
    verdict = judge(*WARM, *angry)
    assert "settle it first" in verdict.reasons[0]
    assert verdict.look_again_at == NOW - HOUR + 14 * DAY
    assert judge(*WARM, *angry, now=NOW + 14 * DAY).finding
    assert "settle it first" not in judge(*WARM, *angry, post("s", NOW - 0.5 * HOUR, "thanks, all sorted!")).reasons[0]
    wish = post("q", NOW - 0.5 * HOUR, ASK)
    assert judge(*WARM, *angry, wish).finding is None
    assert judge(*WARM, *angry, wish, known=True, deal="won").finding


@pytest.mark.parametrize("bio", ["Journalism student", "Tech recruitment, helping teams scale"])
def test_who_is_no_buyer_is_not_called_unless_the_crm_has_them(bio):
    asked = post("q", NOW - HOUR, ASK)
    assert "something else than buying" in judge(asked, bio=bio).reasons[0]
    assert judge(asked, bio=bio, known=True).finding
    assert judge(asked, bio="Owner of three cafés").finding


def test_more_talk_keeps_the_episode_and_after_a_break_it_is_a_new_one():
    more = exchange(9, MONDAY + 20 * DAY)
    assert judge(*WARM, *more, now=MONDAY + 21 * DAY).finding.episode == "t3"
    late = exchange(9, MONDAY + 60 * DAY, PROJECT)
    assert judge(*WARM, *late, now=MONDAY + 61 * DAY).finding.episode == "t9"


def test_a_wish_before_the_talk_was_enough_names_the_episode():
    asked = post("q", MONDAY + 12 * DAY, ASK)
    assert judge(*WARM, asked).finding.episode == "q"
    assert judge(*WARM, asked, *exchange(9, MONDAY + 16.9 * DAY)).finding.episode == "q"


@pytest.mark.parametrize(
    ("posts", "activities", "stage"),
    [
        ((), (), "aware"),
        ((post("q", MONDAY),), (), "aware"),
        (exchanges(0), (), "in contact"),
        (exchanges(0, 0.1), (), "in contact"),
        (exchanges(0, 1), (), "conversing"),
        (WARM, (), "ready to talk"),
        (WARM, (LoggedActivity(CALL, MONDAY, outcome="connected"),), "talked"),
        (
            WARM,
            (LoggedActivity(CALL, MONDAY, outcome="connected"), LoggedActivity(MEETING, MONDAY, outcome="held")),
            "met",
        ),
        (
            exchanges(0),
            (LoggedActivity(CALL, MONDAY, outcome="no_answer"), LoggedActivity(MEETING, NOW + DAY)),
            "in contact",
        ),
    ],
)
def test_the_stage_says_where_they_stand(posts, activities, stage):
    assert judge(*posts, activities=activities).stage == stage


def test_twenty_thousand_posts_are_read_once():
    posts = [*WARM, *(post(f"m{n}", MONDAY + n * 0.02 * HOUR, CHAT) for n in range(20_000))]
    assert judge(*posts).stage == "ready to talk"


def test_a_call_is_ripe_with_the_word_that_earned_it_or_when_what_stood_against_it_was_over():
    asked = post("q", NOW - 5 * DAY, ASK)
    assert judge(asked).finding.ripe_at == asked.at
    meeting = LoggedActivity(MEETING, NOW - 2 * DAY, ends_at=NOW - 2 * DAY + HOUR, outcome="cancelled")
    assert judge(asked, activities=(meeting,)).finding.ripe_at == asked.at
    complaint = (
        post("c", NOW - 6 * DAY, "this is ridiculous, I want a refund"),
        answer("o", NOW - 4 * DAY, to="c"),
        post("s", NOW - 3 * DAY, "thanks!"),
    )
    assert judge(*complaint, asked).finding.ripe_at == NOW - 3 * DAY


OFFER = "Shall we give you a call?"


def test_an_answer_to_an_offer_that_begins_with_a_no_declines():
    offered = answer("f", NOW - 3 * HOUR, text=OFFER, in_reply_to_author="ana")
    verdict = judge(*WARM, offered, post("n", NOW - 2 * HOUR, "nah I'm good, that list will do"))
    assert verdict.finding is None
    assert "would rather not have a call" in verdict.reasons[0]
    assert judge(*WARM, offered, post("n", NOW - 2 * HOUR, "no problem, tomorrow works for me")).finding
    unasked = judge(*WARM, post("n", NOW - 2 * HOUR, "nah I'm good, that list will do"))
    assert "would rather not have a call" not in unasked.reasons[0], "nothing was offered"


def test_an_offer_stands_for_two_months_for_whoever_begs_pardon_for_a_late_answer():
    offer = (post("t", MONDAY, CHAT), answer("o", MONDAY + HOUR, to="t", text=OFFER))
    nudge = answer("n", MONDAY + 15 * DAY, text="Just bringing this up again", in_reply_to_author="ana")
    late = post("y", MONDAY + 33 * DAY, "so sorry, flu. yes please")
    assert judge(*offer, nudge, late, now=MONDAY + 34 * DAY).finding
    assert judge(*offer, nudge, replace(late, text="yes please"), now=MONDAY + 34 * DAY).finding is None
    assert judge(*offer, replace(late, at=MONDAY + 70 * DAY), now=MONDAY + 71 * DAY).finding is None


def test_a_wish_that_was_settled_in_writing_wants_no_call_any_more_until_something_new_comes():
    asked = (post("q", NOW - 3 * DAY, ASK), answer("o", NOW - 2 * DAY, to="q"))
    settled = post("s", NOW - DAY, "omg works, you saved me")
    assert judge(*asked).finding
    verdict = judge(*asked, settled)
    assert verdict.finding is None
    assert verdict.reasons == ("It was settled in writing on 18 March.",)
    assert judge(*asked, settled, post("z", NOW - HOUR, "could you ring me about something else?")).finding


def test_whoever_has_bought_wants_no_call_and_whoever_says_that_a_fault_is_over_may():
    bought = judge(*WARM, post("s", NOW - HOUR, "just ordered it online"))
    assert bought.reasons == ("It was settled in writing on 19 March.",)
    assert judge(*WARM, post("s", NOW - HOUR, "the lights are fixed, thanks"), known=True).finding


def test_whoever_is_in_mourning_is_left_in_peace_for_six_weeks_unless_they_ask_for_a_call_since():
    died = post("d", NOW - DAY, "my dad passed away on Sunday")
    assert judge(*WARM, died, post("q", NOW - HOUR, ASK)).finding
    verdict = judge(*WARM, post("q", NOW - 2 * DAY, ASK), died)
    assert verdict.finding is None
    assert verdict.reasons == ("They are in mourning; leave them in peace until 29 April.",)
    assert verdict.look_again_at == NOW + 41 * DAY


def test_no_calls_but_a_video_meeting_is_a_wish_for_one():
    said = post("q", NOW - HOUR, "I don't do phones, a video thing works well for me", kind=Kind.DIRECT)
    verdict = judge(*WARM, said)
    assert verdict.finding is not None
    assert verdict.finding.wish == "video"


def test_a_profile_that_wants_no_calls_stands_against_one_unless_they_ask():
    bio = "no dms no calls"
    assert judge(*WARM, bio=bio).reasons == ("Their profile says that they take no calls.",)
    assert judge(*WARM, post("q", NOW - HOUR, ASK), bio=bio).finding


def test_a_bad_word_about_those_who_serve_them_now_is_no_complaint_about_us():
    ours = post("c", NOW - 2 * HOUR, "this is unacceptable")
    assert "settle it first" in judge(*WARM, ours).reasons[0]
    assert judge(*WARM, replace(ours, text="our old supplier was useless")).finding


def test_a_problem_stands_against_a_call_where_something_is_broken_and_not_where_something_is_dear():
    broken = post("c", NOW - 2 * HOUR, "I can't log in, it says error 500")
    assert "answer that first" in judge(*WARM, broken).reasons[0]
    assert judge(*WARM, replace(broken, text="the trouble is that nobody here decides")).finding
    erased = replace(broken, text="")
    assert "answer that first" in judge(*WARM, erased).reasons[0], "of an erased text the signal speaks"


def test_a_faint_doubt_gives_way_to_a_strong_case_and_not_to_a_weak_one() -> None:
    """The same words, below a talk in which much is at stake and below one in which nothing is."""
    open_deal = {"known": True, "deal": "open"}
    pressing = post("t", NOW - 2 * HOUR, "We go live in May, the board wants two offers by Friday and I have a budget of 40k. " * 3, kind=Kind.DIRECT)  # fmt: skip
    faint = post("d", NOW - HOUR, "tickets sold, band booked, all good here")
    assert judge(*WARM, pressing, faint, **open_deal).finding
    assert judge(*exchanges(0, 5, 10, 16), faint, **open_deal).finding is None


def test_whoever_asks_plainly_needs_no_other_reason_and_whoever_does_so_to_sell_is_refused() -> None:
    assert judge(post("q", NOW - HOUR, ASK)).finding
    before = (*exchange(0, MONDAY, "not now, maybe in January"), *exchange(1, MONDAY + DAY, "all sorted, thanks"))
    assert judge(*before, post("q", NOW - HOUR, ASK)).finding, "they know of what they wrote before"
    assert (
        judge(*before, *exchange(2, NOW - 2 * DAY, ASK), post("s", NOW - HOUR, "it is solved, works now")).finding
        is None
    )
    verdict = judge(post("q", NOW - HOUR, f"We generate leads for firms like yours. {ASK}"))
    assert verdict.reasons == ("They seem to write about something else than buying from you.",)
