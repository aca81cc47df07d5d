from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.records import ActivityKind, Direction, Kind, TaskKind
from service.rules.model import Conversation, LoggedActivity, Signals, Verdict
from service.rules.urgency import WINDOW_URGENCY
from tests.service.rules.making import ALWAYS, DAY, HOUR, MONDAY, POLICY, WEEK, answer, post, replace, talk
from tests.service.rules.waiting import CALL, LATER, PRIVATE, QUESTION, episode, judge


def test_somebody_who_asked_and_was_not_answered_is_waiting():
    verdict = judge(talk(QUESTION))
    finding = verdict.finding
    assert finding is not None
    assert (finding.kind, finding.episode, finding.since) == (TaskKind.UNANSWERED, "q", MONDAY)
    assert finding.due_at == MONDAY + 2 * HOUR
    assert finding.evidence == ("q",)
    assert verdict.waiting_since == MONDAY
    assert verdict.reasons == finding.reasons
    assert finding.reasons == ("Ana asked a question on Birdsong on 2 March and nobody has answered yet.",)


@pytest.mark.parametrize(
    "reply",
    [
        answer("a", LATER - HOUR, to="q"),
        answer("a", LATER - HOUR, in_reply_to="unseen", in_reply_to_author="ana"),
        answer("a", LATER - HOUR, mentions=("bob", "ana")),
        answer("a", LATER - HOUR, to="q", author_id="colleague"),
        answer("a", MONDAY - HOUR, to="q"),  # our clock is behind theirs
        answer("a", MONDAY, to="q"),
    ],
)
def test_whatever_any_of_us_says_to_them_in_the_thread_ends_the_wait(reply):
    verdict = judge(talk(QUESTION, reply))
    assert verdict.finding is None
    assert verdict.waiting_since is None
    assert verdict.ended_by == reply
    assert verdict.answers == {"q": reply}


@pytest.mark.parametrize("behind", [timedelta(), timedelta(seconds=40)])
@pytest.mark.parametrize("reply", [answer("a", MONDAY + HOUR, to="q"), answer("a", MONDAY + HOUR, mentions=("ana",))])
def test_what_they_reply_to_our_answer_is_not_answered_by_it_though_their_clock_is_behind_ours(reply, behind):
    further = post("further", MONDAY + HOUR - behind, "And where do I find the link?", in_reply_to="na")
    verdict = judge(talk(QUESTION, reply, further))
    assert episode(verdict) == "further"
    assert verdict.answers == {"q": reply}
    assert judge(talk(QUESTION, reply, further, answer("b", MONDAY + HOUR, to="further"))).finding is None


def test_what_is_said_back_and_forth_in_one_minute_goes_by_who_replies_to_whom():
    posts = [QUESTION, answer("z", MONDAY, to="q"), post("r", MONDAY, in_reply_to="nz"), answer("b", MONDAY, to="r")]
    assert judge(talk(*posts)).answers == {"q": posts[1], "r": posts[3]}
    assert episode(judge(talk(*posts, post("s", MONDAY, in_reply_to="nb")))) == "s"


def test_a_reply_that_is_dated_days_before_our_answer_says_nothing_of_when_that_was_written():
    misdated = post("misdated", MONDAY - 2 * DAY, "thanks!", in_reply_to="na")
    assert judge(talk(QUESTION, answer("a", MONDAY + HOUR, mentions=("ana",)), misdated)).finding is None


def test_a_reply_to_another_post_of_theirs_ends_the_wait_too():
    earlier = post("thanks", MONDAY - DAY, "thanks!")
    assert judge(talk(earlier, QUESTION, answer("a", LATER - HOUR, to="thanks"))).finding is None
    nudge = post("nudge", MONDAY + HOUR, "anybody there?")
    assert judge(talk(QUESTION, nudge, answer("a", LATER - HOUR, to="nudge"))).finding is None


def test_a_reply_to_their_deleted_post_answers_them_still():
    gone = post("gone", MONDAY + HOUR, deleted=True)
    assert judge(talk(QUESTION, gone, answer("a", LATER - HOUR, to="gone"))).finding is None


@pytest.mark.parametrize(
    "other",
    [
        answer("a", LATER - HOUR),  # to nobody in particular
        answer("a", LATER - HOUR, to="bob", mentions=("bob",)),
        answer("a", LATER - HOUR, to="q", deleted=True),
        answer("a", MONDAY - HOUR, mentions=("ana",)),  # before the question
        answer("a", LATER + HOUR, to="q"),  # not yet
        post("b", LATER - HOUR, "I can help", author_id="bob", in_reply_to="nq"),  # a stranger
    ],
)
def test_what_is_no_answer_to_them_leaves_them_waiting(other):
    bob = post("bob", MONDAY, author_id="bob")
    assert episode(judge(talk(QUESTION, bob, other))) == "q"


def test_in_a_private_talk_any_post_of_ours_answers():
    asked = post("q", MONDAY, kind=Kind.DIRECT)
    assert episode(judge(talk(asked))) == "q"
    assert judge(talk(asked, answer("a", MONDAY + HOUR, kind=Kind.DIRECT))).finding is None


def test_a_nudge_keeps_the_episode_and_is_counted():
    nudges = [post(f"n{number}", MONDAY + number * HOUR, "hello??") for number in (1, 2, 3)]
    verdict = judge(talk(QUESTION, *nudges))
    assert episode(verdict) == "q"
    assert "They have written 3 times since." in verdict.reasons


def test_after_an_answer_a_new_message_is_a_new_episode():
    first = answer("a", MONDAY + HOUR, to="q")
    again = post("q2", MONDAY + 3 * HOUR, "And how do I log out?")
    verdict = judge(talk(QUESTION, first, again))
    assert episode(verdict) == "q2"
    assert verdict.ended_by == first
    assert verdict.answers == {"q": first}


def test_every_wait_keeps_its_own_answer():
    posts = (
        QUESTION,
        answer("a", MONDAY + HOUR, to="q"),
        post("q2", MONDAY + 2 * HOUR),
        answer("a2", MONDAY + 3 * HOUR, to="q2"),
    )
    verdict = judge(talk(*posts))
    assert {key: each.id for key, each in verdict.answers.items()} == {"q": "a", "q2": "a2"}
    assert verdict.ended_by == posts[3]


def test_a_deleted_answer_opens_the_wait_again_and_a_deleted_question_ends_it():
    reply = answer("a", MONDAY + HOUR, to="q", deleted=True)
    assert episode(judge(talk(QUESTION, reply))) == "q"
    assert judge(talk(replace(QUESTION, deleted=True))).finding is None
    assert judge(talk(replace(QUESTION, deleted=True))).answers == {}


@pytest.mark.parametrize("text", ["thanks!", "👍", "DM sent", "will do"])
def test_a_last_polite_word_opens_nothing(text):
    reply = answer("a", MONDAY + HOUR, to="q")
    verdict = judge(talk(QUESTION, reply, post("bye", MONDAY + 2 * HOUR, text)))
    assert verdict.finding is None
    assert verdict.ended_by == reply


def test_a_question_inside_a_goodbye_opens_a_wait():
    verdict = judge(
        talk(QUESTION, answer("a", MONDAY + HOUR, to="q"), post("bye", MONDAY + 2 * HOUR, "Thanks! When do you open?"))
    )
    assert episode(verdict) == "bye"


def test_thanks_in_advance_do_not_end_a_wait_but_having_solved_it_does():
    assert episode(judge(talk(QUESTION, post("t", MONDAY + HOUR, "thanks!")))) == "q"
    solved = judge(talk(QUESTION, post("t", MONDAY + HOUR, "never mind, it works now")))
    assert solved.finding is None
    assert solved.ended_by is None


@pytest.mark.parametrize(
    ("silent", "why"),
    [
        (post("q", MONDAY, kind=Kind.CONTEXT), "it speaks to somebody else"),
        (
            post("q", MONDAY, kind=Kind.COMMENT, in_reply_to="nbob", in_reply_to_author="bob"),
            "it answers another guest",
        ),
        (post("q", MONDAY, kind=Kind.COMMENT, in_reply_to="unseen"), "it answers a post that we do not hold"),
        (post("q", MONDAY, signals=Signals(broadcast=True, asks=True)), "it names everybody"),
        (post("q", MONDAY, ours=True), "it is ours"),
        (post("q", LATER + HOUR), "it has not been written yet"),
        (post("q", MONDAY, author_id="bob"), "somebody else asked"),
    ],
)
def test_what_does_not_speak_to_us_is_no_wait(silent, why):
    assert judge(talk(silent)).finding is None, why


def test_comments_that_speak_to_us_are_a_wait():
    own = answer("ours", MONDAY - DAY)
    assert judge(talk(own, post("q", MONDAY, kind=Kind.COMMENT))).finding
    assert judge(talk(own, post("q", MONDAY, kind=Kind.COMMENT, in_reply_to="nours"))).finding
    assert judge(talk(own, post("q", MONDAY, kind=Kind.COMMENT, in_reply_to_author="bob", mentions=("us",)))).finding


def test_who_goes_on_below_their_own_comment_speaks_to_whom_that_spoke_to():
    own, bob = (
        answer("ours", MONDAY - DAY),
        post("bob", MONDAY - HOUR, kind=Kind.COMMENT, author_id="bob", in_reply_to="nours"),
    )
    on_ours = post("first", MONDAY, kind=Kind.COMMENT, in_reply_to="nours", deleted=True)
    on_bobs = post("first", MONDAY, kind=Kind.COMMENT, in_reply_to="nbob")
    further = post("further", MONDAY + HOUR, kind=Kind.COMMENT, in_reply_to="nfirst")
    assert episode(judge(talk(own, bob, on_ours, further))) == "further"
    assert judge(talk(own, bob, on_bobs, further)).finding is None
    circle = post("first", MONDAY, kind=Kind.COMMENT, in_reply_to="nfurther")
    assert judge(talk(own, circle, further)).finding


def test_a_direct_reply_in_a_crowded_thread_is_no_announcement():
    assert judge(talk(post("q", MONDAY, kind=Kind.REPLY, signals=Signals(broadcast=True, asks=True)))).finding


def test_a_colleague_never_waits():
    assert judge(talk(QUESTION, author_is_ours=True)) == Verdict(None, ("One of you wrote this.",))


def test_what_was_dealt_with_stays_so_and_a_later_post_opens_a_new_wait():
    assert judge(talk(QUESTION, dealt_with_until=MONDAY)).finding is None
    again = post("q2", MONDAY + HOUR)
    assert episode(judge(talk(QUESTION, again, dealt_with_until=MONDAY))) == "q2"


@pytest.mark.parametrize(
    ("asked", "patience"),
    [
        (post("q", MONDAY, kind=Kind.DIRECT), HOUR),
        (post("q", MONDAY, "thoughts on the weather", kind=Kind.DIRECT), HOUR),
        (post("q", MONDAY), 2 * HOUR),
        (post("q", MONDAY, "my app keeps crashing"), 2 * HOUR),
        (post("q", MONDAY, "please send it"), 2 * HOUR),
        (post("q", MONDAY, "give me a call"), 2 * HOUR),
        (post("q", MONDAY, "how much is it"), 2 * HOUR),
        (post("q", MONDAY, "saw your shop window today"), 8 * HOUR),
    ],
)
def test_patience_is_by_kind_and_until_it_ends_there_is_no_finding(asked, patience):
    before = judge(talk(asked), now=MONDAY + patience - timedelta(seconds=1))
    assert before.finding is None
    assert before.waiting_since == MONDAY
    assert before.look_again_at == MONDAY + patience
    after = judge(talk(asked), now=MONDAY + patience)
    assert after.finding is not None
    assert after.finding.due_at == MONDAY + patience


def test_patience_runs_in_working_hours():
    friday = MONDAY + 4 * DAY + 7 * HOUR  # 16:00
    assert judge(talk(post("q", friday)), now=friday + DAY).look_again_at == MONDAY + WEEK + HOUR


def test_a_question_after_chatter_shortens_patience_and_is_named():
    verdict = judge(talk(post("hi", MONDAY, "saw your shop window today"), post("q", MONDAY + HOUR)))
    assert episode(verdict) == "hi"
    assert verdict.finding
    assert verdict.finding.due_at == MONDAY + 3 * HOUR
    assert "They also asked a question on 2 March." in verdict.reasons


def test_a_wait_lapses_by_plain_time_since_their_last_message():
    nudge = post("n", MONDAY + 10 * DAY, "hello?")
    end = MONDAY + 100 * DAY
    open_ = judge(talk(QUESTION, nudge), now=end - HOUR)
    assert open_.finding
    assert open_.look_again_at == end
    lapsed = judge(talk(QUESTION, nudge), now=end)
    assert lapsed.finding is None
    assert lapsed.waiting_since is None
    assert lapsed.reasons == ("They last wrote on 12 March; that is too long ago for a task.",)


def test_a_wait_that_lapsed_was_ended_by_no_answer():
    verdict = judge(
        talk(QUESTION, answer("a", MONDAY + HOUR, to="q"), post("q2", MONDAY + DAY)), now=MONDAY + 200 * DAY
    )
    assert verdict.ended_by is None
    assert set(verdict.answers) == {"q"}


def test_urgency_ranks_a_closing_window_then_what_they_want_then_how_long():
    def urgency(text: str, now=MONDAY + 9 * HOUR, **changes) -> int:
        finding = judge(talk(post("q", MONDAY, text, **changes)), now=now, policy=ALWAYS).finding
        assert finding
        return finding.urgency

    closing = urgency("saw your window", window_closes_at=MONDAY + 10 * HOUR)
    ranked = [
        closing,
        *map(urgency, ("it is broken", "give me a call", "how much is it", "how do I log in?", "please send it")),
    ]
    ranked += [urgency("saw your window", kind=Kind.DIRECT), urgency("saw your window")]
    assert ranked == sorted(ranked, reverse=True)
    assert len(set(ranked)) == len(ranked)
    assert closing >= WINDOW_URGENCY > urgency("it is broken", now=MONDAY + 60 * DAY) > urgency("it is broken")


def test_tender_ground_is_marked():
    verdict = judge(talk(post("q", MONDAY, "I was diagnosed with diabetes, can you help?")))
    assert verdict.finding
    assert verdict.finding.tender


def test_a_reason_never_holds_the_text_nor_a_name_that_breaks_the_line():
    verdict = judge(
        talk(post("q", MONDAY, "Where is SECRET?"), author_name="\u202eEvil\nName\u0007", author_handle="e")
    )
    assert "SECRET" not in " ".join(verdict.reasons)
    assert verdict.reasons[0].startswith("Evil Name asked")


@pytest.mark.parametrize(
    ("name", "handle", "shown"), [("", "ana", "@ana"), ("  ", "", "Somebody"), ("\u200b", "@ana", "@ana")]
)
def test_somebody_without_a_name_goes_by_the_handle(name, handle, shown):
    assert judge(talk(QUESTION, author_name=name, author_handle=handle)).reasons[0].startswith(f"{shown} asked")


def test_days_are_those_of_the_workspace_and_another_year_is_named():
    late = post("q", MONDAY + 14.5 * HOUR)  # 23:30 in London, the next day in Paris
    verdict = judge(talk(late), policy=replace(ALWAYS, timezone="Europe/Paris"))
    assert "on 3 March and" in verdict.reasons[0]
    old = judge(talk(post("q", MONDAY - 80 * DAY)), now=MONDAY)
    assert "on 12 December 2025 and" in old.reasons[0]


def test_a_post_seen_by_two_of_our_accounts_counts_once_and_as_what_concerns_us():
    other = replace(QUESTION, id="copy", kind=Kind.CONTEXT)
    for posts in ((QUESTION, other), (other, QUESTION)):
        verdict = judge(talk(*posts))
        assert episode(verdict) == "q"
        assert len(verdict.reasons) == 1


def test_everybody_in_one_thread_has_a_verdict_of_their_own():
    bob = post("bob", MONDAY, author_id="bob")
    posts = (QUESTION, bob, answer("a", MONDAY + HOUR, to="q"))
    assert judge(talk(*posts)).finding is None
    assert episode(judge(Conversation("bob", "Bob", "bob", False, posts))) == "bob"


# --- answers that stand elsewhere -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        (PRIVATE, "Nobody is waiting: you answered in a direct message on Birdsong on 2 March."),
        (CALL, "Nobody is waiting: you called them on 2 March."),
        (replace(CALL, direction=Direction.IN), "Nobody is waiting: you called them on 2 March."),
        (replace(CALL, kind=ActivityKind.MEETING, outcome=""), "Nobody is waiting: you met them on 2 March."),
        (replace(CALL, kind=ActivityKind.MEETING, at=MONDAY - HOUR, ends_at=MONDAY + HOUR), "Nobody is waiting: you met them on 2 March."),
        (LoggedActivity(ActivityKind.EMAIL, MONDAY + HOUR, Direction.OUT), "Nobody is waiting: you wrote them an e-mail on 2 March."),
        (LoggedActivity(ActivityKind.TEXT, MONDAY + HOUR, Direction.OUT), "Nobody is waiting: you sent them a text message on 2 March."),
    ],
)  # fmt: skip
def test_what_we_tell_them_elsewhere_ends_the_wait(ending, reason):
    verdict = judge(talk(QUESTION, elsewhere=(ending,)))
    assert verdict.finding is None
    assert verdict.waiting_since is None
    assert verdict.answers == {"q": ending}
    assert verdict.reasons == (reason,)


@pytest.mark.parametrize(
    "other",
    [
        replace(PRIVATE, deleted=True),
        replace(PRIVATE, at=MONDAY - HOUR),
        replace(PRIVATE, ours=False),
        answer("public", MONDAY + HOUR),
        replace(CALL, outcome="no_answer"),
        replace(CALL, at=MONDAY - HOUR),
        replace(CALL, kind=ActivityKind.NOTE),
        replace(CALL, kind=ActivityKind.MEETING, outcome="cancelled"),
        LoggedActivity(ActivityKind.EMAIL, MONDAY + HOUR, Direction.IN),
        LoggedActivity(ActivityKind.EMAIL, MONDAY + HOUR),
    ],
)
def test_what_does_not_speak_to_them_since_leaves_them_waiting(other):
    assert episode(judge(talk(QUESTION, elsewhere=(other,)))) == "q"


def test_a_meeting_that_is_to_come_ends_the_wait_when_it_is_over():
    meeting = LoggedActivity(ActivityKind.MEETING, LATER + HOUR, outcome="scheduled", ends_at=LATER + 2 * HOUR)
    before = judge(talk(QUESTION, elsewhere=(meeting,)))
    assert episode(before) == "q"
    assert before.look_again_at == min(LATER + 2 * HOUR, MONDAY + 3 * DAY)
    assert judge(talk(QUESTION, elsewhere=(meeting,)), now=LATER + 2 * HOUR).waiting_since is None


def test_after_a_call_a_new_message_is_a_new_episode():
    verdict = judge(talk(QUESTION, post("q2", MONDAY + 2 * HOUR), elsewhere=(CALL,)))
    assert episode(verdict) == "q2"
    assert verdict.answers == {"q": CALL}


# --- who is judged, and by which clock ------------------------------------------------------------------------


def test_a_bot_never_waits():
    assert judge(talk(QUESTION, author_is_bot=True)).waiting_since is None


def test_somebody_who_deletes_everything_has_said_nothing():
    gone = [replace(post(str(number), MONDAY + number * HOUR), deleted=True) for number in range(5)]
    verdict = judge(talk(*gone, answer("a", MONDAY + HOUR, to="0")))
    assert verdict == Verdict(None, ("Nobody is waiting: they have said nothing to you here.",))


def test_an_announcement_that_replies_ranks_below_everything_else():
    loud = judge(talk(post("q", MONDAY, kind=Kind.REPLY, signals=Signals(broadcast=True, asks=True))))
    quiet = judge(talk(post("q", MONDAY, "saw your shop window today", kind=Kind.REPLY)))
    assert loud.finding
    assert quiet.finding
    assert loud.finding.urgency < quiet.finding.urgency


def test_what_asks_for_something_ranks_above_what_does_not_however_long_that_waits():
    old = judge(
        talk(post("q", MONDAY, "saw your shop window", kind=Kind.DIRECT), deal="open"),
        now=MONDAY + 60 * DAY,
        policy=ALWAYS,
    )
    new = judge(talk(post("q", MONDAY, "please send it")), now=MONDAY + 9 * HOUR, policy=ALWAYS)
    assert old.finding
    assert new.finding
    assert old.finding.urgency < new.finding.urgency


def test_buying_signals_and_what_leaves_something_open_rank_above_chatter():
    def urgency(**signals) -> int:
        finding = judge(talk(post("q", MONDAY, "so it goes", signals=Signals(**signals)))).finding
        assert finding
        return finding.urgency

    chatter, likelier = urgency(answer_percent=5), urgency(answer_percent=45)
    assert chatter < likelier < urgency(buys=True)
    assert (
        judge(talk(post("q", MONDAY, "so", signals=Signals(needs_answer=True))), now=MONDAY).look_again_at
        == MONDAY + 2 * HOUR
    )


def test_what_leaves_something_open_without_a_name_for_it_is_told_by_how_it_came():
    verdict = judge(talk(post("q", MONDAY, "so", kind=Kind.DIRECT, signals=Signals(needs_answer=True))))
    assert verdict.reasons == ("Ana sent a direct message on Birdsong on 2 March and nobody has answered yet.",)


def test_an_open_deal_ranks_above_a_customer_and_that_above_a_stranger_and_is_named():
    found = [judge(talk(QUESTION, deal=deal)).finding for deal in ("open", "won", "")]
    urgencies = [finding.urgency for finding in found if finding]
    assert urgencies == sorted(set(urgencies), reverse=True)
    assert len(urgencies) == 3
    assert found[0]
    assert "They have an open deal with you." in found[0].reasons


def test_a_complaint_may_have_a_patience_of_its_own():
    policy = replace(POLICY, patience={**POLICY.patience, "problem": HOUR})
    assert judge(talk(post("q", MONDAY, "my app keeps crashing")), now=MONDAY + HOUR, policy=policy).finding
    assert judge(talk(QUESTION), now=MONDAY + HOUR, policy=policy).finding is None


def test_patience_is_less_the_further_the_two_have_come():
    policy = replace(POLICY, stage_patience={"conversing": 0.5})
    assert judge(talk(QUESTION, stage="conversing"), now=MONDAY, policy=policy).look_again_at == MONDAY + HOUR
    assert judge(talk(QUESTION, stage="aware"), now=MONDAY, policy=policy).look_again_at == MONDAY + 2 * HOUR


def test_patience_and_dates_go_by_the_clock_of_whoever_is_to_answer():
    theirs = replace(POLICY, timezone="America/New_York")
    policy = replace(POLICY, people={"olga@acme.test": theirs})
    verdict = judge(talk(QUESTION, responder="Olga@acme.test"), now=MONDAY, policy=policy)
    assert verdict.look_again_at == MONDAY + 7 * HOUR  # nine in New York is fourteen in London, and two hours on
    assert verdict.reasons[-1] == "There is time until 2 March at 11:00."
    assert (
        judge(talk(QUESTION, responder="tom@acme.test"), now=MONDAY, policy=policy).look_again_at == MONDAY + 2 * HOUR
    )


def test_a_thread_of_twenty_thousand_posts_is_judged_like_any_other():
    posts = []
    for number in range(0, 20_000, 2):
        at = MONDAY + timedelta(minutes=number)
        posts += [
            post(str(number), at, in_reply_to=f"n{number - 1}"),
            answer(str(number + 1), at + timedelta(minutes=1), to=str(number)),
        ]
    verdict = judge(talk(*posts, post("last", MONDAY + 30 * DAY)), now=MONDAY + 31 * DAY)
    assert episode(verdict) == "last"
    assert len(verdict.answers) == 10_000


def test_whoever_asks_where_their_order_is_asked_a_question_and_did_not_speak_of_buying():
    asks = post("1", MONDAY, signals=Signals(asks=True, buys=True))
    buys = post("1", MONDAY, signals=Signals(buys=True))
    assert judge(talk(asks)).reasons[0].startswith("Ana asked a question on Birdsong")
    assert judge(talk(buys)).reasons[0].startswith("Ana spoke of buying on Birdsong")
