"""Each post is found again by its id alone: where it was stored, what it did to a task, and what became of that in the CRM, by
whose hand ever."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from integrations.records import ActivityKind, Author, TaskStatus
from service.watch.following import NAMED
from tests.workers.conftest import ANA, World
from tests.workers.test_elsewhere import writes_privately

Line = dict[str, Any]
CHANGED = "task changed in CRM"


@pytest.fixture
def lines(connected: World) -> Iterator[list[Line]]:
    """What is logged, as it comes. Words, names and handles are in none of it."""
    with capture_logs() as found:
        yield found
    told = json.dumps(found, default=str).lower()
    assert [word for word in ("zebra", "giraffe", "ferrer", ANA.handle + '"', "olga") if word in told] == []


def following(lines: Sequence[Line], event: str, post: str) -> list[Line]:
    """The lines of this event that name this post."""
    return [line for line in lines if line["event"] == event and post in line["posts"]]


def about(lines: Sequence[Line], event: str, task: UUID) -> list[Line]:
    return [line for line in lines if line["event"] == event and line["task"] == str(task)]


def conversation_of(lines: Sequence[Line], post: str) -> str:
    """The conversation beside this post where it was stored."""
    [stored] = following(lines, "posts stored", post)
    assert len(stored["conversations"]) == len(stored["posts"]) == stored["count"] <= NAMED
    talk: str = stored["conversations"][stored["posts"].index(post)]
    return talk


def ids(world: World) -> dict[str, str]:
    """Our ids of posts, by the network's."""
    return {native_id: str(id_) for native_id, id_ in world.sql("SELECT native_id, id FROM engagements")}


def wait(world: World, number: int) -> None:
    """Somebody asks, and asks again, so many times."""
    for each in range(number):
        thread = {"to": "p0", "thread": "p0"} if each else {}
        world.says(f"@brand Where is the zebra {each}?", id=f"p{each}", ago=timedelta(hours=3, seconds=-each), **thread)


def test_each_of_many_posts_of_one_wait_leads_to_its_task_and_so_does_the_answer_that_ends_it(
    connected: World, lines: list[Line]
) -> None:
    wait(connected, 30)
    connected.look()
    task, posts = connected.task(), ids(connected)
    for post in posts.values():
        [decided] = following(lines, "task decided", post)
        assert (decided["task"], decided["wanted"]) == (str(task.id), "open")
        assert conversation_of(lines, post) == decided["conversation"] == str(task.conversation_id)

    connected.answers("The giraffe is on its way.", id="r1", to="p29", thread="p0", ago=timedelta(0))
    connected.look()

    answer = ids(connected)["r1"]
    [ended] = following(lines, "task decided", answer)
    assert (ended["task"], ended["wanted"]) == (str(task.id), "completed")
    assert ended["posts"] == [*(posts[f"p{each}"] for each in range(30)), answer]
    assert conversation_of(lines, answer) == str(task.conversation_id)
    pushed = about(lines, "task pushed", task.id)
    assert [(each["outcome"], each["external"]) for each in pushed] == [
        ("created", task.external_id),
        ("completed", task.external_id),
    ]


def test_in_a_thread_of_several_people_each_post_is_stored_with_the_conversation_that_it_is_in(
    connected: World, lines: list[Line]
) -> None:
    ben = replace(ANA, id="a2", handle="ben", name="Ben Haddad")
    connected.says("@brand Where is my zebra?", id="p1", thread="t")
    connected.says("@brand And where is mine?", id="p2", thread="t", to="p1", who=ben)
    connected.look()  # which of two streams is read first is anybody's guess
    connected.answers("On its way.", id="r1", to="p1", thread="t", ago=timedelta(0))
    connected.answers("It has arrived.", id="r2", to="p2", thread="t", ago=timedelta(0), whom=ben)
    connected.look()
    whose = dict(connected.sql("SELECT a.handle, c.id FROM conversations c JOIN authors a ON a.id = c.author_id"))
    assert {native_id: conversation_of(lines, id_) for native_id, id_ in ids(connected).items()} == {
        "p1": str(whose["ana"]), "r1": str(whose["ana"]), "p2": str(whose["ben"]), "r2": str(whose["ben"]),
    }  # fmt: skip


def test_of_more_posts_than_a_line_holds_it_says_how_many_are_left_out_and_these_lead_to_the_task_by_their_conversation(
    connected: World, lines: list[Line]
) -> None:
    wait(connected, NAMED + 30)
    connected.look()
    posts = ids(connected)
    [decided] = [line for line in lines if line["event"] == "task decided"]
    assert decided["left_out"] == 30
    assert decided["posts"] == [posts["p0"], *(posts[f"p{each}"] for each in range(31, NAMED + 30))]
    assert {conversation_of(lines, post) for post in posts.values()} == {decided["conversation"]}


def test_what_ends_a_wait_in_another_way_is_named_with_its_task(connected: World, lines: list[Line]) -> None:
    """By a private message, by their own word, and by what the CRM has logged, which is no post: then those of the wait are named."""
    names = enumerate(("Uma Ferrer", "Ivo Brandt", "Noor Haddad"), 1)
    people = {each: Author(f"a{each}", name.split()[0].lower(), name) for each, name in names}
    connected.knows(people[3], id="c3")
    for each, who in people.items():
        connected.says("@brand Where is my zebra?", id=f"q{each}", who=who)
    connected.look()
    tasks = {line["posts"][0]: line["task"] for line in lines if line["event"] == "task decided"}
    opened = ids(connected)
    begun = len(lines)

    writes_privately(connected, id="d1", to=people[1], ago=timedelta(0))
    connected.says("@brand Never mind, it works now.", id="q2b", to="q2", who=people[2], ago=timedelta(0))
    connected.logs(ActivityKind.CALL, id="l3", at=connected.now, contact="c3")
    connected.look()

    posts, later = ids(connected), lines[begun:]
    for opener, ending, wanted in (("q1", "d1", "completed"), ("q2", "q2b", "withdrawn"), ("q3", "q3", "completed")):
        [ended] = [each for each in following(later, "task decided", posts[ending]) if each["kind"] == "unanswered"]
        assert (ended["task"], ended["wanted"]) == (tasks[opened[opener]], wanted)
        assert posts[opener] in ended["posts"]


def test_what_somebody_does_to_a_task_in_the_crm_leaves_a_line_with_both_ids(
    connected: World, lines: list[Line]
) -> None:
    crm = connected.crm
    whose = {}
    for each in ("done", "gone", "given", "worded", "asked"):
        who = replace(ANA, id=f"a-{each}", handle=f"ana-{each}")
        connected.says("@brand Where is my zebra?", id=f"q-{each}", who=who)
    connected.look()
    for each, id_ in ids(connected).items():
        [decided] = following(lines, "task decided", id_)
        whose[each.removeprefix("q-")] = next(task for task in connected.tasks() if str(task.id) == decided["task"])
    there = {each: task.external_id or "" for each, task in whose.items()}
    connected.passes(timedelta(minutes=5))

    crm.complete_as_person(there["done"])
    crm.delete_as_person(there["gone"])
    crm.edit_as_person(there["given"], owner_id="o2")
    connected.look()
    connected.passes(timedelta(minutes=5))
    crm.edit_as_person(there["done"], status=TaskStatus.OPEN, completed_at=None)
    connected.look()
    # These two a push comes upon: nobody has read them back before.
    crm.edit_as_person(there["worded"], subject="The giraffe is Olga's")
    crm.complete_as_person(there["asked"])
    for each in ("worded", "asked"):
        connected.answers(
            "It comes.", id=f"r-{each}", to=f"q-{each}", ago=timedelta(0), whom=replace(ANA, id=f"a-{each}")
        )
    connected.look(streams=("own",))

    told = {
        each: [(line["outcome"], line.get("fields")) for line in about(lines, CHANGED, task.id)]
        for each, task in whose.items()
    }
    assert told == {
        "done": [("completed", None), ("reopened", None)],
        "gone": [("deleted", None)],
        "given": [("edited", ["owner_id"])],
        "worded": [("edited", ["subject"])],
        "asked": [("completed", None)],
    }
    for each, task in whose.items():
        for line in about(lines, CHANGED, task.id):
            assert (line["external"], line["conversation"]) == (there[each], str(task.conversation_id))
            assert line["connection"] == str(task.crm_connection_id)
