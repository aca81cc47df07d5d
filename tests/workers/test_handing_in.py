"""From a question in a forum that another system hands in to a task in the CRM, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from integrations.records import TaskStatus
from service import access, connect
from service.db import raw
from service.models import Connection
from service.store import capturing, locks
from service.store.locks import Lock
from tests.service.api.checking import check
from tests.service.api.conftest import Client, client_of
from tests.service.locks import impatient
from tests.workers.conftest import World

ANA = {"id": "17", "handle": "ana", "name": "Ana Ferrer"}
Hand = Callable[..., Any]


@pytest.fixture
def forum(world: World, app: Flask) -> Client:
    """A system that knows the forum, with an administrator's key, beside a CRM."""
    connect.connect_with_secret(world.runtime, world.owner.caller, "fakecrm", None, {})
    return client_of(app, world.runtime, world.owner, *access.SCOPES)


def question(**fields: Any) -> dict[str, Any]:
    return {
        "id": "q1", "at": "2026-03-12T09:00:00Z", "author": ANA, "text": "Does the new rack fit older frames?",
        "url": "https://forum.example/q1", **fields,
    }  # fmt: skip


def answer(**fields: Any) -> dict[str, Any]:
    return {"id": "a1", "at": "2026-03-12T11:00:00Z", "direction": "out", "in_reply_to": "q1", "text": "It does.", "url": "https://forum.example/a1", **fields}  # fmt: skip


def hand(client: Client, *posts: dict[str, Any], place: str = "Rider forum", **fields: Any) -> list[tuple[str, str]]:
    response = client.post("/engagements", {"place": place, "posts": list(posts), **fields})
    assert response.status_code == 200, response.get_data(as_text=True)
    return [(each["id"], each["outcome"]) for each in response.get_json()["items"]]


def test_a_question_in_a_forum_becomes_a_task_and_an_answer_there_closes_it(world: World, forum: Client) -> None:
    world.crm.add()
    assert hand(forum, question()) == [("q1", "created")]
    world.run()

    [state] = world.crm.tasks.values()
    assert "Ana Ferrer" in state.subject
    assert "on Rider forum" in state.body
    assert "Does the new rack fit older frames?" in state.body
    assert "https://forum.example/q1" in state.body
    assert state.owner_id == "o1"  # whoever made the key answers there

    assert hand(forum, answer()) == [("a1", "created")]
    world.run()

    [state] = world.crm.tasks.values()
    assert state.status is TaskStatus.COMPLETED
    assert state.body.startswith("Answered on Rider forum on 12 March at 11:00: https://forum.example/a1")


@pytest.mark.parametrize("link", [{"in_reply_to": None}, {"in_reply_to": None, "mentions": ["17"]}])
def test_an_answer_that_names_no_post_answers_whoever_spoke_last_in_its_thread(
    world: World, forum: Client, link: dict[str, Any]
) -> None:
    hand(forum, question(thread="t9"))
    world.run()
    hand(forum, answer(thread="t9", **link))
    world.run()
    assert [task.status for task in world.crm.tasks.values()] == [TaskStatus.COMPLETED]


def test_a_batch_may_hold_question_and_answer_in_any_order(world: World, forum: Client) -> None:
    hand(forum, answer(), question())
    world.run()
    assert world.tasks() == []
    assert world.sql("SELECT count(DISTINCT thread) FROM engagements") == [(1,)]


TALK = [
    question(),
    answer(at="2026-03-12T09:30:00Z"),
    question(id="q2", at="2026-03-12T10:00:00Z", in_reply_to="a1", text="And how much is it?"),
    answer(id="a2", at="2026-03-12T10:30:00Z", in_reply_to="q2", text="It is 20 euros."),
]


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (3, 1, 2, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_posts_that_come_one_by_one_in_any_order_are_one_talk(
    world: World, forum: Client, order: tuple[int, ...]
) -> None:
    for index in order:
        hand(forum, TALK[index])
    world.run()
    assert world.tasks() == []
    assert world.sql("SELECT count(DISTINCT thread) FROM engagements") == [(1,)]


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (2, 0, 1, 3)])
def test_what_was_decided_before_the_rest_of_a_talk_came_is_decided_again(
    world: World, forum: Client, order: tuple[int, ...]
) -> None:
    for index in order:
        hand(forum, {**TALK[index], **({"thread": "t9"} if index == 0 else {})})
        world.run()
    assert {task.status for task in world.crm.tasks.values()} <= {TaskStatus.COMPLETED}
    assert world.sql("SELECT DISTINCT thread FROM engagements") == [("Rider forum/t9",)]
    assert world.sql("SELECT count(*) FROM conversations WHERE waiting_since IS NOT NULL") == [(0,)]


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (2, 0, 3, 1)])
def test_no_empty_talk_is_left_where_posts_waited_for_what_they_answer(
    world: World, forum: Client, order: tuple[int, ...]
) -> None:
    for index in order:
        hand(forum, TALK[index])
    world.run()
    assert world.sql("SELECT thread FROM conversations") == world.sql("SELECT DISTINCT thread FROM engagements")


def test_a_talk_that_a_task_tells_of_stays_though_its_posts_have_joined_another(world: World, forum: Client) -> None:
    hand(forum, TALK[2])
    world.run()
    for index in (1, 0):
        hand(forum, {**TALK[index], **({"thread": "t9"} if index == 0 else {})})
    world.run()
    told = world.sql("SELECT count(*) FROM tasks t JOIN conversations c ON c.id = t.conversation_id")
    assert told == world.sql("SELECT count(*) FROM tasks")
    assert [task.status for task in world.crm.tasks.values()].count(TaskStatus.OPEN) <= 1


def test_a_place_is_well_once_a_first_post_was_handed_in(world: World, forum: Client) -> None:
    hand(forum, {"id": "q0", "deleted": True})
    [place] = [each for each in forum.get("/connections").get_json()["items"] if each["provider"] == "capture"]
    assert place["condition"]["advice"] == "Hand a first post in, through the API or by hand."
    hand(forum, question())
    [place] = [each for each in forum.get("/connections").get_json()["items"] if each["provider"] == "capture"]
    assert (place["condition"]["light"], place["condition"]["advice"]) == ("well", "")
    assert place["condition"]["proven_at"] is not None


def test_of_two_who_hand_in_at_once_the_second_reads_what_the_first_has_stored(world: World, forum: Client) -> None:
    """It waits before it reads: else neither sees the post that the other one's answers, and the talk stays in two."""
    hand(forum, question())
    with world.runtime.db.tenant(world.workspace_id) as first:
        place = first.scalars(select(Connection).where(Connection.host == "Rider forum")).one()
        locks.alone(raw(first), world.workspace_id, Lock.HANDED_IN)
        with pytest.raises(OperationalError), impatient(world.runtime, world.workspace_id) as second:
            capturing.save(second, place, [], [])


def test_a_colleague_who_writes_for_the_brand_is_never_work(world: World, forum: Client) -> None:
    tomas = {"id": "99", "handle": "tomas", "name": "Tomas"}
    hand(forum, question(), answer(author=tomas, text="It does. Which year is yours?"))
    world.run()
    assert world.tasks() == []


def test_the_same_posts_again_change_nothing_and_another_text_is_followed(world: World, forum: Client) -> None:
    hand(forum, question())
    world.run()
    assert hand(forum, question()) == [("q1", "known")]
    world.run()
    assert world.crm.tasks_ever_created == 1

    hand(forum, question(text="Does the new rack fit frames of 2018?"))
    world.run()
    [state] = world.crm.tasks.values()
    assert "2018" in state.body
    assert world.crm.tasks_ever_created == 1


def test_whatever_differs_of_a_post_that_is_handed_in_anew_is_taken_over(world: World, forum: Client) -> None:
    hand(forum, question())
    world.run()
    bo = {"id": "18", "handle": "bo", "name": "Bo Stone"}
    hand(forum, question(author=bo, url="https://forum.example/moved", kind="direct", mentions=["9"]))
    world.run()
    [task] = [task for task in world.crm.tasks.values() if task.status is TaskStatus.OPEN]
    assert "Bo Stone" in task.subject
    assert "https://forum.example/moved" in task.body
    assert world.sql("SELECT kind, mentions FROM engagements") == [("direct", ["9"])]
    assert "Ana" not in "".join(each.subject for each in world.crm.tasks.values() if each.status is TaskStatus.OPEN)


def test_a_text_that_is_handed_in_anew_is_followed_in_a_task_that_is_closed(world: World, forum: Client) -> None:
    hand(forum, question())
    world.run()
    hand(forum, answer())
    world.run()
    hand(forum, question(text="Does it fit frames of 2018?"))
    world.run()
    [state] = world.crm.tasks.values()
    assert (state.status, "older frames" in state.body) == (TaskStatus.COMPLETED, False)


@pytest.mark.parametrize("way", ["post", "delete"])
def test_a_question_that_is_gone_takes_its_task_with_it(world: World, forum: Client, way: str) -> None:
    response = forum.post("/engagements", {"place": "Rider forum", "posts": [question()]})
    world.run()
    if way == "post":
        assert hand(forum, {"id": "q1", "deleted": True}) == [("q1", "deleted")]
    else:
        assert forum.delete(f"/engagements/{response.get_json()['items'][0]['engagement_id']}").status_code == 204
    world.run()
    assert world.crm.tasks == {}
    assert world.sql("SELECT text FROM engagements") == [("",)]


def test_what_was_never_here_is_said_to_be_absent(world: World, forum: Client) -> None:
    assert hand(forum, {"id": "nobody", "deleted": True}, question()) == [("nobody", "absent"), ("q1", "created")]


def test_ids_of_two_places_never_meet(world: World, forum: Client) -> None:
    hand(forum, question())
    hand(forum, question(author={"id": "17", "handle": "zed", "name": "Zed"}), place="Shop reviews")
    world.run()
    assert world.crm.tasks_ever_created == 2
    hand(forum, answer(), place="shop  REVIEWS".replace("  ", " "))
    world.run()
    assert sorted(task.status for task in world.crm.tasks.values()) == [TaskStatus.COMPLETED, TaskStatus.OPEN]
    assert world.sql("SELECT count(*) FROM connections WHERE kind = 'social'") == [(2,)]


def test_two_brands_may_have_a_place_of_the_same_name(world: World, forum: Client) -> None:
    other = forum.post("/brands", {"name": "Bolt"}).get_json()["id"]
    hand(forum, question())
    hand(forum, question(), brand_id=other)
    world.run()
    assert world.crm.tasks_ever_created == 2


def test_the_person_who_asks_is_found_in_the_crm(world: World, forum: Client) -> None:
    from tests.workers.conftest import ANA as AUTHOR

    world.knows(AUTHOR, emails=("ana@ferrer.example",))
    hand(forum, question(author={**ANA, "bio": "Baker. ana@ferrer.example"}))
    world.run()
    assert world.task().contact_id is not None


def test_a_place_is_connected_by_an_administrator_alone(world: World, app: Flask, forum: Client) -> None:
    writer = client_of(app, world.runtime, world.owner, "read", "write")
    refused = writer.post("/engagements", {"place": "Rider forum", "posts": [question()]})
    assert "No place named 'Rider forum' is connected" in check(refused, 404)
    hand(forum, question())
    assert hand(writer, answer()) == [("a1", "created")]


def test_a_post_that_a_network_served_is_not_ours_to_erase_or_to_add_to(world: World, forum: Client) -> None:
    [social] = connect.connect_with_secret(world.runtime, world.owner.caller, "fakesocial", None, {})
    world.says("@brand Do you ship to Porto?", id="q1")
    world.run()
    [(id_,)] = world.sql("SELECT id FROM engagements")
    assert "says itself when it is gone" in check(forum.delete(f"/engagements/{id_}"), 409)
    check(forum.post("/engagements", {"connection_id": str(social), "posts": [question()]}), 404)


def test_a_place_that_was_disconnected_takes_no_posts(world: World, forum: Client) -> None:
    made = forum.post("/engagements", {"place": "Rider forum", "posts": [question()]}).get_json()["connection_id"]
    assert forum.get(f"/connections/{made}").get_json()["health"].startswith("Its posts are handed in")
    forum.delete(f"/connections/{made}")
    assert "disconnected" in check(forum.post("/engagements", {"connection_id": made, "posts": [answer()]}), 409)


def test_connecting_a_place_again_is_the_same_place_however_it_is_written(world: World, forum: Client) -> None:
    made = forum.post("/engagements", {"place": "Rider forum", "posts": [question()]}).get_json()["connection_id"]
    forum.delete(f"/connections/{made}")
    again = connect.connect_with_secret(world.runtime, world.owner.caller, "capture", None, {"place": "rider FORUM"})
    assert [str(each) for each in again] == [made]
    assert hand(forum, answer()) == [("a1", "created")]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"posts": [question()]}, "place"),
        ({"place": "F", "connection_id": "0" * 32, "posts": [question()]}, "place"),
        ({"place": "F", "posts": []}, "posts"),
        ({"place": "F", "posts": [question(id=str(number)) for number in range(101)]}, "posts"),
        ({"place": "F", "posts": [{"id": "1", "author": ANA}]}, "posts.0.at"),
        ({"place": "F", "posts": [{"id": "1", "at": "2026-03-12T09:00:00Z"}]}, "posts.0.author"),
        ({"place": "F", "posts": [question(at="2099-03-12T09:00:00Z")]}, "posts.0.at"),
        ({"place": "F", "posts": [question(url="javascript:alert(1)")]}, "posts.0.url"),
        ({"place": "F" * 61, "posts": [question()]}, "place"),
        ({"place": "F", "posts": [question()], "responder_email": "nobody"}, "responder_email"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name(forum: Client, body: dict[str, Any], field: str) -> None:
    response = forum.post("/engagements", body)
    check(response, 422)
    assert field in [error["field"] for error in response.get_json()["errors"]]
