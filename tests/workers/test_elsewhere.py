"""What counts for a wait outside its own talk: answers that stand elsewhere, and how far the two have come."""

from __future__ import annotations

from datetime import timedelta

import pytest

from integrations.records import ActivityKind, Author, Direction, Engagement, Kind, TaskStatus
from tests.workers.conftest import ANA, BRAND, NOON, World

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def writes_privately(world: World, *, id: str = "d1", to: Author = ANA, ago: timedelta = HOUR) -> None:
    """A private message by the brand, in a talk of its own."""
    post = Engagement(
        id=id, kind=Kind.DIRECT, author=BRAND, text="Here is how.", created_at=world.now - ago, url=f"https://social.example/{id}",
        thread=f"private-{to.id}", in_reply_to_author=to.id,
    )  # fmt: skip
    world.social.serve("own", post)


def only_task(world: World) -> tuple[TaskStatus, str]:
    [state] = world.crm.tasks.values()
    return state.status, state.body.partition("\n")[0]


def test_a_private_message_ends_the_wait_and_the_task_says_so(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    writes_privately(connected)

    connected.look()

    line = "Answered in a direct message on Example Social on 12 March at 11:00: https://social.example/d1"
    assert only_task(connected) == (TaskStatus.COMPLETED, line)
    assert connected.conversation().waiting_since is None


def test_a_private_message_that_is_deleted_opens_the_wait_again(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    writes_privately(connected)
    connected.run()
    assert connected.in_crm() == []
    connected.social.delete("d1")
    connected.sql("UPDATE engagements SET checked_at = checked_at - interval '7 hours'")

    connected.look(streams=("recheck",))

    assert len(connected.in_crm()) == 1


@pytest.mark.parametrize("to", [Author("b1", "bob", "Bob"), Author("a1-other", "ana_too", "Ana Ferrer")])
def test_a_private_message_to_somebody_else_ends_nothing(connected: World, to: Author) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.says("@brand and to Faro?", id="q2", who=to)
    writes_privately(connected, to=to)
    connected.run()
    [task] = [each for each in connected.tasks() if each.wanted == "open"]
    assert "Ana Ferrer" in task.content["subject"]


def test_a_private_message_from_before_the_question_ends_nothing(connected: World) -> None:
    writes_privately(connected, ago=5 * HOUR)
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    assert len(connected.in_crm()) == 1


def quotes(world: World, of: str) -> None:
    """A post by the brand on its own page, which quotes another."""
    world.social.serve("own", Engagement(
        id="o1", kind=Kind.OWN, author=BRAND, text="We do, from May on:", created_at=world.now - HOUR, url="https://social.example/o1",
        thread="o1", quotes=of,
    ))  # fmt: skip


def test_a_post_of_ours_that_quotes_the_question_ends_the_wait_and_the_task_says_so(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    quotes(connected, of="q1")

    connected.look()

    line = "Answered on Example Social on 12 March at 11:00: https://social.example/o1"
    assert only_task(connected) == (TaskStatus.COMPLETED, line)
    assert connected.conversation().waiting_since is None


def test_what_quotes_a_question_that_comes_in_later_ends_its_wait_as_well(connected: World) -> None:
    quotes(connected, of="q1")
    connected.look()
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    assert connected.in_crm() == []


def test_a_quote_that_is_deleted_opens_the_wait_again(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    quotes(connected, of="q1")
    connected.run()
    assert connected.in_crm() == []
    connected.social.delete("o1")
    connected.sql("UPDATE engagements SET checked_at = checked_at - interval '7 hours'")

    connected.look(streams=("recheck",))

    assert len(connected.in_crm()) == 1


def test_a_quote_of_what_somebody_else_said_ends_nothing(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.says("@other what a day", id="q0", who=Author("b1", "bob", "Bob"))
    quotes(connected, of="q0")
    connected.run()
    [task] = [each for each in connected.tasks() if each.wanted == "open"]
    assert "Ana Ferrer" in task.content["subject"]


@pytest.mark.parametrize(
    ("kind", "fields", "line"),
    [
        (ActivityKind.CALL, {"outcome": "connected"}, "Called them on 12 March at 11:00."),
        (ActivityKind.CALL, {"direction": Direction.IN}, "Called them on 12 March at 11:00."),
        (ActivityKind.MEETING, {"outcome": "held"}, "Met them on 12 March at 11:00."),
        (ActivityKind.EMAIL, {"direction": Direction.OUT}, "Wrote them an e-mail on 12 March at 11:00."),
        (ActivityKind.TEXT, {"direction": Direction.OUT}, "Sent them a text message on 12 March at 11:00."),
    ],
)
def test_what_the_crm_has_logged_since_ends_the_wait(
    connected: World, kind: ActivityKind, fields: dict[str, object], line: str
) -> None:
    connected.knows()
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    assert len(connected.in_crm()) == 1
    connected.logs(kind, id="v1", at=NOON - HOUR, **fields)

    connected.look()

    assert only_task(connected) == (TaskStatus.COMPLETED, line)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (ActivityKind.CALL, {"outcome": "no_answer"}),
        (ActivityKind.CALL, {"at": NOON - DAY}),  # before they asked
        (ActivityKind.MEETING, {"outcome": "cancelled"}),
        (ActivityKind.MEETING, {"at": NOON + DAY, "outcome": "scheduled"}),  # to come
        (ActivityKind.EMAIL, {"direction": Direction.IN}),
        (ActivityKind.NOTE, {}),
        (ActivityKind.CALL, {"contact": "c9"}),  # with somebody else
    ],
)
def test_what_is_no_talk_with_them_since_ends_nothing(
    connected: World, kind: ActivityKind, fields: dict[str, object]
) -> None:
    connected.knows()
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.logs(kind, id="v1", **{"at": NOON - HOUR, **fields})
    connected.run()
    assert len(connected.in_crm()) == 1


def test_a_call_that_is_deleted_in_the_crm_opens_the_wait_again(connected: World) -> None:
    connected.knows()
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    connected.logs(ActivityKind.CALL, id="v1", at=NOON - HOUR)
    connected.look()
    assert connected.in_crm() == []
    connected.crm.delete_activity("v1")

    connected.look()

    assert len(connected.in_crm()) == 1
    assert connected.crm.tasks_ever_created == 1


def test_a_bot_is_kept_waiting(connected: World) -> None:
    connected.says("@brand Do you ship to Porto?", id="q1", who=Author("r1", "feedbot", "Feed", bot=True))
    connected.run()
    assert connected.tasks() == []
    assert connected.conversation().reasons == ["Nobody is waiting: the network says that this account is a bot."]


def test_whoever_is_in_conversation_with_us_waits_half_as_long(connected: World) -> None:
    connected.set(patience={"direct": 60, "problem": 60, "question": 60, "other": 60})
    for number in range(4):
        ago = DAY * (9 - number)
        connected.says("@brand How do I do this?", id=f"q{number}", ago=ago)
        connected.answers("Like that.", id=f"r{number}", to=f"q{number}", ago=ago - HOUR)
    connected.says("@brand Do you ship to Porto?", id="last", ago=timedelta(minutes=40))
    stranger = Author("b1", "bob", "Bob")
    connected.says("@brand And to Faro?", id="other", ago=timedelta(minutes=40), who=stranger)

    connected.run()

    waiting = {task.content["subject"].split(":")[0] for task in connected.tasks(kind="unanswered", wanted="open")}
    assert waiting == {"Answer Ana Ferrer"}


def test_patience_runs_by_the_clock_of_whoever_is_to_answer(connected: World) -> None:
    person = {"email": "Olga@acme.test", "timezone": "America/New_York", "hours": ["09:00-17:00"]}
    connected.set(people=[person])  # it is noon in London: eight in the morning there
    connected.says("@brand Do you ship to Porto?", id="q1", ago=3 * HOUR)
    connected.run()
    assert connected.tasks() == []

    connected.passes(2 * HOUR)
    connected.run()

    assert len(connected.tasks()) == 1


def test_a_task_reaches_its_owner_and_falls_due_by_their_own_clock(connected: World) -> None:
    person = {"email": "olga@acme.test", "timezone": "America/New_York", "hours": ["09:00-17:00"]}
    connected.set(people=[person], meeting_shield=True)
    connected.says("@brand Do you ship to Porto?", id="q1", ago=2 * DAY)  # patience ended there long ago
    connected.run()

    nine_there = NOON + HOUR
    assert connected.task().push_at == nine_there
    assert connected.task().content["due_at"] == nine_there.isoformat()
    assert connected.in_crm() == []
