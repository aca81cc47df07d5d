"""From a post to a task in the CRM and back: what people see of the main job."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace
from sqlalchemy import select

from integrations.records import ActivityKind, Author, Direction, Engagement, Kind, Owner, TaskKind, TaskStatus
from service.models import Signal
from service.rules.signals import from_mask, read
from service.store import acting
from tests.workers.conftest import ANA, BRAND, World, edited

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)


def test_a_question_that_waits_becomes_a_task_with_the_contact_and_the_responder(connected: World) -> None:
    connected.knows()
    connected.says("@brand Do you ship to Porto?", id="q1")

    connected.run()

    task = connected.task()
    state = connected.crm.by_key(task.key)
    assert state is not None
    assert "Ana Ferrer" in state.subject
    assert "Do you ship to Porto?" in state.body
    assert "https://social.example/q1" in state.body
    assert connected.crm.contact_of[state.id] == "c1"
    assert state.owner_id == "o1"
    assert (task.state, task.external_id) == ("open", state.id)


def test_nothing_happens_before_patience_ends_and_the_task_comes_then_by_itself(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1", ago=timedelta(minutes=20))
    connected.run()
    assert connected.tasks() == []
    assert connected.conversation().waiting_since is not None

    connected.passes(timedelta(minutes=41))
    connected.run()

    assert len(connected.in_crm()) == 1


def test_an_answer_on_the_network_completes_the_task_with_a_line_saying_where_and_when(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.answers("Yes, in two days.", id="r1", to="q1")

    connected.look()

    [state] = connected.crm.tasks.values()
    assert state.status is TaskStatus.COMPLETED
    assert state.body.startswith("Answered on Example Social on 12 March at 11:00: https://social.example/r1")
    assert connected.conversation().waiting_since is None


def test_a_deleted_answer_opens_the_same_task_again(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.answers("Yes, in two days.", id="r1", to="q1")
    connected.look()
    assert connected.in_crm() == []
    connected.social.delete("r1")
    connected.sql("UPDATE engagements SET checked_at = checked_at - interval '7 hours'")

    connected.look(streams=("recheck",))

    assert len(connected.in_crm()) == 1
    assert connected.crm.tasks_ever_created == 1
    assert "Answered" not in next(iter(connected.crm.tasks.values())).body


def test_a_question_that_is_deleted_is_withdrawn_and_its_text_is_erased(connected: World) -> None:
    connected.says("@brand My order number is 4711, where is it?", id="q1")
    connected.run()
    assert len(connected.in_crm()) == 1
    connected.social.delete("q1")

    connected.look(streams=("recheck",))

    assert connected.crm.tasks == {}
    assert connected.task().wanted == "withdrawn"
    assert connected.sql("SELECT text FROM engagements") == [("",)]


def test_a_post_that_is_deleted_after_its_task_was_done_is_quoted_there_no_more(connected: World) -> None:
    connected.says("@brand My order number is ORD-4711, where is it?", id="q1")
    connected.run()
    connected.answers("On its way.", id="r1", to="q1")
    connected.look()
    assert "ORD-4711" in next(iter(connected.crm.tasks.values())).body
    connected.social.delete("q1")
    connected.sql("UPDATE engagements SET checked_at = checked_at - interval '8 days'")

    connected.look(streams=("recheck",))

    [state] = connected.crm.tasks.values()
    assert "ORD-4711" not in state.body
    assert "(deleted by its author)" in state.body
    assert state.body.startswith("Answered on Example Social")
    assert state.status is TaskStatus.COMPLETED
    assert connected.sql("SELECT count(*) FROM tasks WHERE content::text || written::text LIKE '%ORD-4711%'") == [(0,)]


def test_what_somebody_wrote_into_the_task_is_left_to_them(connected: World) -> None:
    connected.says("@brand My order number is 4711, where is it?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.edit_as_person(state.id, body="Called them about 4711.", status=TaskStatus.COMPLETED)
    connected.look(streams=("tasks",))
    connected.social.delete("q1")
    connected.sql("UPDATE engagements SET checked_at = checked_at - interval '8 days'")

    connected.look(streams=("recheck",))

    assert next(iter(connected.crm.tasks.values())).body == "Called them about 4711."


def test_an_edited_question_changes_the_task(connected: World) -> None:
    post = connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.social.edit(edited(post, "@brand Do you ship to Lisbon?"))

    connected.look(streams=("recheck",))

    [state] = connected.crm.tasks.values()
    assert "Lisbon" in state.body
    assert connected.crm.tasks_ever_created == 1


def test_a_nudge_keeps_the_task_and_a_new_question_after_our_answer_is_a_new_one(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.says("@brand Anybody?", id="q2", to="q1", ago=2 * HOUR)
    connected.look()
    assert connected.crm.tasks_ever_created == 1

    connected.answers("Yes.", id="r1", to="q2", thread="q1", ago=timedelta(minutes=100))
    connected.says("@brand And to Faro?", id="q3", to="r1", thread="q1", ago=timedelta(minutes=90))
    connected.look()

    assert connected.crm.tasks_ever_created == 2
    assert [task.status for task in connected.crm.tasks.values()] == [TaskStatus.COMPLETED, TaskStatus.OPEN]


def test_a_last_polite_word_makes_no_task(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1", ago=5 * HOUR)
    connected.answers("Yes.", id="r1", to="q1", ago=4 * HOUR)
    connected.says("Perfect, thank you!", id="q2", to="r1", thread="q1")

    connected.run()

    assert connected.tasks() == []


def test_a_task_that_a_person_completes_stays_closed_and_the_episode_with_it(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.complete_as_person(state.id)

    connected.look()
    connected.passes(DAY)
    connected.look()

    task = connected.task()
    assert (task.wanted, task.closed_by) == ("completed", "crm")
    assert connected.in_crm() == []
    assert connected.crm.tasks_ever_created == 1


def test_a_task_that_is_done_and_of_which_nothing_is_left_keeps_what_was_written(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.complete_and_forget(state.id)

    connected.look()

    task = connected.task()
    assert (task.state, task.closed_by, task.close_reason) == ("completed", "crm", "completed in the CRM")
    assert (task.edited, task.content["subject"]) == ([], state.subject)
    assert connected.crm.tasks_ever_created == 1


def test_a_new_message_after_a_person_completed_the_task_is_a_new_task(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.complete_as_person(state.id)
    connected.look()
    connected.passes(DAY * 400)  # the CRM's clock is real: let business time be later than it

    connected.says("@brand And to Faro?", id="q2", to="q1", ago=2 * HOUR)
    connected.look()

    assert len(connected.in_crm()) == 1
    assert connected.crm.tasks_ever_created == 2


def test_a_task_that_a_person_deletes_is_not_made_again(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.delete_as_person(state.id)

    connected.look(streams=("recheck",))
    connected.look()

    assert connected.crm.tasks == {}
    assert connected.task().closed_by == "crm"


def test_what_a_person_edits_in_the_crm_stays_theirs(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    [state] = connected.crm.tasks.values()
    connected.crm.edit_as_person(state.id, subject="Mine now", owner_id="o2")
    connected.look(streams=("tasks",))
    assert sorted(connected.task().edited) == ["owner_id", "subject"]

    connected.says("@brand Hello?", id="q2", to="q1", ago=2 * HOUR)
    connected.look()

    [state] = connected.crm.tasks.values()
    assert (state.subject, state.owner_id) == ("Mine now", "o2")
    assert "written once since" in state.body


def test_no_reply_needed_closes_the_task_in_the_crm(connected: World) -> None:
    connected.says("@brand Just so you know", id="q1")
    connected.run()
    with connected.runtime.db.tenant(connected.workspace_id) as session:
        acting.dismiss_task(session, connected.workspace_id, connected.task().id, by="user:x")

    connected.run()

    assert connected.in_crm("completed") != []
    assert connected.task().close_reason == "no reply needed"


def test_our_own_posts_and_a_colleagues_answer_are_never_work(connected: World) -> None:
    connected.sql("UPDATE brands SET colleagues = ARRAY['fakesocial:tomas'] WHERE workspace_id = :w")
    tomas = Author("t1", "Tomas", "Tomas")
    connected.says("@brand Does it need a plate?", id="q1", ago=5 * HOUR)
    connected.says("@ana No, it does not.", id="r1", who=tomas, to="q1", ago=4 * HOUR, in_reply_to_author=ANA.id)
    connected.social.serve("own", connected.answers("Our own news, any questions?", id="o1", to="q9"))

    connected.run()

    assert connected.tasks() == []


def test_people_who_do_not_know_the_crm_get_a_place_in_the_responders_list(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1", who=Author("z9", "zed", "Zed"))

    connected.run()

    [state] = connected.crm.tasks.values()
    assert connected.crm.contact_of[state.id] is None
    assert state.owner_id == "o1"


def test_weeks_of_back_and_forth_make_a_task_for_a_call_with_the_contacts_owner(connected: World) -> None:
    connected.crm.add(Owner("o2", "saleh@acme.test", "Saleh"))
    connected.knows(owner="o2", phones=("+351 555 0100",))
    for number in range(6):
        ago = 30 * DAY - number * 5 * DAY
        wish = " We need 40 of them by Friday and my boss wants a quote." if number == 5 else ""
        connected.says(
            f"@brand What about part {number}?{wish}",
            id=f"q{number}",
            to=f"r{number - 1}" if number else None,
            thread="t",
            ago=ago,
        )
        connected.answers("Like this.", id=f"r{number}", to=f"q{number}", thread="t", ago=ago - HOUR)

    connected.run()

    task = connected.task(kind="ready_for_call")
    state = connected.crm.by_key(task.key)
    assert state is not None
    assert state.owner_id == "o2"
    assert "+351 555 0100" in state.body
    assert connected.relationship().stage == "ready to talk"


def test_a_logged_call_withdraws_the_call_task_and_moves_the_stage(connected: World) -> None:
    connected.knows()
    connected.says("@brand Can we have a call next week?", id="q1", ago=DAY)
    connected.answers("Sure.", id="r1", to="q1", ago=23 * HOUR)
    connected.run()
    assert connected.task(kind="ready_for_call").state == "open"

    connected.logs(ActivityKind.CALL, id="k1", at=connected.now - HOUR, direction=Direction.OUT, outcome="connected")
    connected.look()

    assert connected.in_crm() == []
    assert connected.relationship().stage == "talked"


def test_a_direct_message_is_answered_by_any_message_of_ours(connected: World) -> None:
    connected.says("Where is my order?", id="d1", stream="messages", kind=Kind.DIRECT, thread="dm")
    connected.run()
    assert len(connected.in_crm()) == 1

    connected.says("On its way.", id="d2", who=BRAND, stream="messages", kind=Kind.DIRECT, thread="dm", ago=HOUR)
    connected.look()

    assert connected.in_crm() == []
    assert connected.in_crm("completed") != []


def test_a_word_of_thanks_keeps_a_private_talk_open_and_the_task_in_the_crm_says_so(connected: World) -> None:
    def says(text: str, id: str, ago: timedelta) -> None:
        closes = connected.now - ago + DAY
        connected.says(text, id=id, stream="messages", kind=Kind.DIRECT, thread="dm", ago=ago, window_closes_at=closes)

    says("Do you have it in blue?", "d1", 20 * HOUR)
    connected.run()
    [before] = connected.crm.tasks.values()
    urgent = connected.task().urgency
    assert "You can answer there until 12 March at 16:00." in before.body

    says("Thanks!", "d2", HOUR)
    connected.look()
    [after] = connected.crm.tasks.values()
    assert "You can answer there until 13 March at 11:00." in after.body
    assert (after.id, after.status, after.due_at) == (before.id, TaskStatus.OPEN, before.due_at)
    assert connected.task().urgency < urgent

    connected.sql("UPDATE engagements SET text = '', text_erased_at = now() WHERE native_id = 'd2'")
    connected.passes(6 * HOUR)  # the first window is over
    connected.look()
    [later] = connected.crm.tasks.values()
    assert "You can answer there until 13 March at 11:00." in later.body
    connected.passes(12 * HOUR)
    connected.look()
    assert connected.task().urgency >= urgent  # and soon the second


def test_a_direct_message_is_read_beside_what_we_wrote_before_it(connected: World) -> None:
    asked, after = "Which order is it about, and which colour?", "Enjoy your evening."
    for id, who, text, ago in (("d1", BRAND, asked, 3), ("d2", ANA, "order 71822", 2), ("d3", BRAND, after, 1)):
        connected.says(text, id=id, who=who, stream="messages", kind=Kind.DIRECT, thread="dm", ago=ago * HOUR)
    connected.run()

    with connected.runtime.db.tenant(connected.workspace_id) as session:
        signals = from_mask(session.scalars(select(Signal.mask)).one())
    assert signals.answer_percent == read("order 71822", reply_to=asked, reply_to_ours=True).answer_percent
    assert signals.answer_percent not in (
        read("order 71822").answer_percent,
        read("order 71822", reply_to=after, reply_to_ours=True).answer_percent,
    )


def test_what_somebody_says_below_their_own_post_is_read_beside_what_that_replied_to(connected: World) -> None:
    asked = "Which order is it about, and which colour?"
    connected.answers(asked, id="a1", to="gone", thread="t")
    connected.says("one moment", id="q1", to="a1", kind=Kind.REPLY, thread="t", ago=timedelta(minutes=50))
    connected.says("order 71822", id="q2", to="q1", kind=Kind.REPLY, thread="t", ago=timedelta(minutes=40))
    connected.run()

    with connected.runtime.db.tenant(connected.workspace_id) as session:
        told = [from_mask(mask).answer_percent for mask in session.scalars(select(Signal.mask))]
    assert read("order 71822", reply_to=asked, reply_to_ours=True).answer_percent in told


def test_who_names_a_friend_below_a_post_of_ours_waits_for_nobody(connected: World) -> None:
    post = connected.answers("New: the loud bell.", id="p1", to="p1", thread="p1")
    connected.social.serve("own", replace(post, in_reply_to=None, in_reply_to_author=None, mentions=()))
    for id, text in (("c1", "@rosa how much is it?"), ("c2", "@rosa.b when do we go")):
        said = Engagement(
            id=id, kind=Kind.COMMENT, author=ANA, text=text, created_at=connected.now - HOUR, url="https://social.example/c",
            thread="p1", in_reply_to="p1", in_reply_to_author=BRAND.id,
        )  # fmt: skip
        connected.social.serve("mentions", said)
    connected.run()
    assert not connected.crm.tasks

    # Whose post it is may be named by a network that says nothing of it.
    said = replace(said, id="c3", text=f"@{BRAND.handle.upper()}, how much is it?")
    connected.social.serve("mentions", said)
    connected.look()
    assert len(connected.crm.tasks) == 1


def test_a_contact_that_arrives_later_moves_the_task_to_its_person(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.knows()

    connected.look(streams=("contacts",))

    assert connected.task().contact_id is not None
    assert connected.crm.tasks_ever_created == 1


def test_a_profile_that_names_the_person_at_last_finds_the_contact_at_once(connected: World) -> None:
    post = connected.says("@brand Do you ship to Porto?", id="q1")
    connected.knows(Author("x", "other", "Ana Ferrer"), emails=("ana@ferrer.example",))
    connected.run()
    assert connected.task().contact_id is None

    connected.social.edit(replace(post, author=replace(ANA, bio="Baker. ana@ferrer.example")))
    connected.look(streams=("mentions", "recheck"))

    assert connected.task().contact_id is not None


def test_the_same_posts_again_change_nothing(connected: World) -> None:
    connected.knows()
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    before = connected.sql("SELECT count(*), sum(urgency) FROM tasks"), dict(connected.crm.tasks)
    connected.sql("UPDATE streams SET cursor = NULL WHERE workspace_id = :w")

    connected.look()

    assert (connected.sql("SELECT count(*), sum(urgency) FROM tasks"), dict(connected.crm.tasks)) == before


def test_a_reply_that_comes_before_what_it_replies_to_is_read_again_with_it(connected: World) -> None:
    connected.says("Sure", id="p2", to="p1", kind=Kind.REPLY)
    connected.run()
    assert connected.in_crm() == []  # a last polite word
    connected.answers("May we call you?", id="p1", to="p0", thread="p1", ago=4 * HOUR)
    connected.look()
    assert TaskKind.UNANSWERED in [task.kind for task in connected.tasks()]
