"""Tasks, matches, previews: what people decide on the pages."""

from __future__ import annotations

import re
from typing import Any

import pytest
from redis.exceptions import RedisError
from sqlalchemy import select

from service.models import Audit, Match, Task
from service.runtime import Runtime
from tests.service.console.conftest import Browser, words_of
from tests.service.console.scenes import Scene, Stage, busy_day, connect


@pytest.fixture
def scene(held: Runtime, owner: Any) -> Scene:
    return busy_day(held, owner.workspace_id)


def row(held: Runtime, scene: Scene, model: Any, row_id: Any) -> Any:
    with held.db.tenant(scene.workspace_id) as session:
        return session.scalars(select(model).where(model.id == row_id)).one()


def test_the_first_page_says_who_waits_since_when_why_where_and_who_gets_it(olga: Browser, scene: Scene) -> None:
    page = olga.get("/")
    words = words_of(page)
    assert words.index("Mara Lind") < words.index("ליאת כהן") < words.index("Sunny")  # the longest wait first
    assert "Mara Lind waiting 1 day @maralind on Chirp · Lind & Daughters · to @acme" in words
    assert "Mara asked a question a day ago and nobody has answered." in words
    assert "A task for Olga Berg in the CRM Answer on Chirp" in words
    assert "Held: Its owner has been given 5 new tasks today, which is the limit. Until " in words
    assert "Goes to olga@acme.test when patience ends" in words
    assert 'href="https://rolodex.test/tasks/t-1"' in page.text
    assert re.search(r"Open tasks ?1 ?Held ?1 ?Refused by the CRM ?1 ?Matches to decide ?2", words)


def test_when_nobody_waits_the_page_says_when_the_last_post_arrived(held: Runtime, olga: Browser, owner: Any) -> None:
    from service.clock import real_now

    with held.db.tenant(owner.workspace_id) as session:
        connect(Stage(session, owner.workspace_id, real_now()))
    words = words_of(olga.get("/"))
    assert "Nobody is waiting" in words
    assert "The last post arrived 3 minutes ago." in words


def test_before_the_first_pull_is_done_the_page_does_not_say_that_nobody_waits(
    held: Runtime, olga: Browser, owner: Any
) -> None:
    from sqlalchemy import update

    from service.clock import real_now
    from service.models import Connection

    with held.db.tenant(owner.workspace_id) as session:
        connect(Stage(session, owner.workspace_id, real_now()))
        session.execute(update(Connection).values(ready_at=None))
    words = words_of(olga.get("/"))
    assert "The first pull is under way." in words
    assert "Nobody is waiting" not in words


def test_the_waiting_list_goes_on_where_a_page_ends(held: Runtime, olga: Browser, scene: Scene) -> None:
    from service.clock import real_now

    with held.db.tenant(scene.workspace_id) as session:
        stage = Stage(session, scene.workspace_id, real_now())
        place = {"brand": scene.brand, "social": scene.social, "crm": scene.crm}
        author = stage.author("many", "Many")
        for number in range(50):
            stage.conversation(
                place,
                author,
                f"many-{number}",
                since=stage.ago(seconds=number),
                last=stage.now,
                reasons=[f"Reason {number:02}."],
            )
    first = olga.get("/")
    assert "55 people are waiting" in words_of(first)
    assert "Reason 00." not in words_of(first)
    link = first.text.split('rel="next"')[0].rpartition('href="')[2].split('"')[0]
    assert "Reason 00." in words_of(olga.get(link))


@pytest.mark.parametrize(
    ("running", "sentence"),
    [
        (set(), "The scheduler is not running, so nothing new is read or written at the moment."),
        ({"scheduler"}, "No worker is running, so nothing new is read or written at the moment."),
        ({"scheduler", "worker"}, ""),
    ],
)
def test_a_part_that_is_not_running_shows_on_the_first_page(
    olga: Browser, monkeypatch: pytest.MonkeyPatch, running: set[str], sentence: str
) -> None:
    monkeypatch.setattr("service.queue.alive", lambda redis, who: who in running)
    words = words_of(olga.get("/"))
    assert ("at the moment" in words) == bool(sentence)
    assert sentence in words


def test_a_queue_that_is_away_shows_on_the_first_page(olga: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> bool:
        raise RedisError("refused")

    monkeypatch.setattr("service.queue.alive", away)
    assert "The queue cannot be reached" in words_of(olga.get("/"))


def test_a_connection_that_needs_somebody_shows_on_the_first_page(held: Runtime, olga: Browser, scene: Scene) -> None:
    from sqlalchemy import update

    from service.models import Connection

    with held.db.tenant(scene.workspace_id) as session:
        session.execute(update(Connection).where(Connection.id == scene.social).values(
            status="needs_reauth", status_reason="Chirp no longer accepts this consent: reconnect."))  # fmt: skip
    assert "Chirp needs you. Chirp no longer accepts this consent: reconnect." in words_of(olga.get("/"))
    assert "Needs you" in words_of(olga.get("/connections"))
    assert "Reconnect" in words_of(olga.get("/connections"))


@pytest.mark.parametrize(
    ("query", "seen", "unseen"),
    [
        ("", ["Ben Frost", "The CRM refused it: Owner 7 may not own tasks.", "Mara Lind"], ["ליאת", "Sunny"]),
        ("?kind=ready_for_call", ["Ben Frost"], ["Mara Lind", "ליאת"]),
        ("?show=held", ["ליאת", "Held: Its owner has been given 5 new tasks today"], ["Mara Lind", "Ben Frost"]),
        (
            "?show=done",
            ["Ben Frost", "You answered on chirp, 1 day ago.", "1 task dealt with in two weeks"],
            ["Mara Lind"],
        ),
        ("?show=withdrawn", ["Sunny", "The post was deleted"], ["Mara Lind", "Ben Frost"]),
    ],
)
def test_tasks_are_shown_by_how_they_stand(
    olga: Browser, scene: Scene, query: str, seen: list[str], unseen: list[str]
) -> None:
    words = words_of(olga.get(f"/tasks{query}")).replace("You answered on Chirp", "You answered on chirp")
    assert [each for each in seen if each not in words] == []
    assert [each for each in unseen if each in words] == []


@pytest.mark.parametrize("query", ["?show=nonsense", "?kind=nonsense"])
def test_a_filter_that_is_none_is_not_found(olga: Browser, query: str) -> None:
    assert olga.get(f"/tasks{query}").status_code == 404


def test_a_cursor_that_is_none_is_refused_in_words(olga: Browser, scene: Scene) -> None:
    for path in ("/tasks", "/matches", "/conversations"):
        response = olga.get(f"{path}?after=nonsense")
        assert response.status_code == 400
        assert "Start again" in words_of(response)


def test_a_task_says_in_english_since_when_somebody_waits(olga: Browser, scene: Scene) -> None:
    words = words_of(olga.get("/tasks"))
    assert "The wait began " in words
    assert "since 1 day ago" not in words


def test_no_reply_needed_closes_the_task_and_repeating_it_changes_nothing(
    held: Runtime, olga: Browser, scene: Scene
) -> None:
    for _ in range(2):
        assert olga.post(f"/tasks/{scene.task}/dismiss").location == "/tasks?done=dismissed"
    task = row(held, scene, Task, scene.task)
    assert (task.wanted, task.close_reason) == ("completed", "no reply needed")
    with held.db.tenant(scene.workspace_id) as session:
        assert len(session.scalars(select(Audit).where(Audit.action == "task.dismissed")).all()) == 1


def test_that_no_reply_is_needed_is_taken_back_where_closed_tasks_stand(
    held: Runtime, olga: Browser, scene: Scene
) -> None:
    olga.post(f"/tasks/{scene.task}/dismiss")
    undo = f"/tasks/{scene.task}/undo"
    assert undo in olga.get("/tasks?show=done").text

    for _ in range(2):
        assert olga.post(undo).location == "/tasks?done=dismissal_undone"

    assert row(held, scene, Task, scene.task).closed_by == "rules"
    assert undo not in olga.get("/tasks?show=done").text
    with held.db.tenant(scene.workspace_id) as session:
        assert len(session.scalars(select(Audit).where(Audit.action == "task.dismissal_undone")).all()) == 1


def test_lists_go_on_where_a_page_ends(held: Runtime, olga: Browser, scene: Scene) -> None:
    from service.clock import real_now

    with held.db.tenant(scene.workspace_id) as session:
        stage = Stage(session, scene.workspace_id, real_now())
        place = {"brand": scene.brand, "social": scene.social, "crm": scene.crm}
        author = stage.author("many", "Many")
        for number in range(60):
            stage.task(place, author, subject=f"Subject {number:02}")
    first = olga.get("/tasks?kind=unanswered")
    assert "Next page" in words_of(first)
    link = first.text.split('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
    assert "kind=unanswered" in link
    second = words_of(olga.get(link))
    assert "Subject 00" in second
    assert "Subject 59" not in second
    assert "Next page" not in second


def test_a_match_is_confirmed_rejected_and_undone(held: Runtime, olga: Browser, scene: Scene) -> None:
    assert "74% likely" in words_of(olga.get("/matches"))
    assert olga.post(f"/matches/{scene.suggested}/confirm").location == "/matches?done=confirmed"
    assert row(held, scene, Match, scene.suggested).state == "confirmed"
    assert "confirmed by you" in words_of(olga.get("/matches?show=confirmed"))
    olga.post(f"/matches/{scene.suggested}/undo")
    assert row(held, scene, Match, scene.suggested).state == "suggested"
    olga.post(f"/matches/{scene.suggested}/reject")
    assert row(held, scene, Match, scene.suggested).state == "rejected"


def test_one_conversation_shows_the_thread_the_reasons_the_task_and_the_evidence(olga: Browser, scene: Scene) -> None:
    words = words_of(olga.get(f"/conversations/{scene.waiting}"))
    said = [
        "Our Baltic jacket is back",
        "Lovely! Does it come in a tall size?",
        "I would like that too.",
        "I have asked twice now.",
    ]
    assert sorted(said, key=words.index) == said
    assert "Acme Outdoor you · 1 day ago" in words
    assert "Ben Frost wrote in the thread" in words
    assert "edited" in words
    assert "Why they wait Mara asked a question a day ago and nobody has answered." in words
    assert "Waiting for an answer for Olga Berg, due in 59 minutes" in words
    assert "The CRM has @maralind on file for Mara Lind." in words


def test_a_post_that_two_of_our_accounts_hold_is_read_once(held: Runtime, olga: Browser, scene: Scene) -> None:
    from service.clock import real_now

    with held.db.tenant(scene.workspace_id) as session:
        stage = Stage(session, scene.workspace_id, real_now())
        place = {"brand": scene.brand, "social": scene.social}
        author = stage.author("twice", "Twice")
        conversation = stage.conversation(place, author, "t9", since=None, last=real_now(), reasons=[])
        stage.post(place, author, "t9", "Said once.", real_now(), native_id="same", kind="context")
        stage.post(
            {**place, "social": scene.crm}, author, "t9", "Said once.", real_now(), native_id="same", kind="mention"
        )
    words = words_of(olga.get(f"/conversations/{conversation}"))
    assert words.count("Said once.") == 1
    assert "mentioned you" in words
    assert "Why nobody waits" in words


def test_a_deleted_post_keeps_its_place_without_its_text(held: Runtime, olga: Browser, scene: Scene) -> None:
    from sqlalchemy import update

    from service.clock import real_now
    from service.models import Engagement

    with held.db.tenant(scene.workspace_id) as session:
        session.execute(update(Engagement).where(Engagement.kind == "context").values(deleted_at=real_now(), text=""))
    assert "Deleted on Chirp" in words_of(olga.get(f"/conversations/{scene.waiting}"))


def test_a_crm_in_preview_shows_what_it_would_get_until_somebody_approves(
    held: Runtime, olga: Browser, owner: Any
) -> None:
    scene = busy_day(held, owner.workspace_id, preview=True)
    assert "Rolodex is in preview." in words_of(olga.get("/"))
    shown = words_of(olga.get(f"/connections/{scene.crm}/preview"))
    assert "1 task would be made in Acme Ltd." in shown
    assert "Answer ליאת כהן on Chirp" in shown
    assert olga.post(f"/connections/{scene.crm}/approve").location == "/connections?done=approved"
    assert olga.get(f"/connections/{scene.crm}/preview").location == "/connections"


def test_what_reading_cost_adds_up_before_the_readers_eyes(olga: Browser, scene: Scene) -> None:
    words = words_of(olga.get("/connections"))
    assert "What is read, $18.60 so far" in words
    lines = re.findall(
        r"(Mentions|Direct messages|Edits and deletions)[^$]*?1,240 ?1 minute ago ?in 1 minute ?\$(6\.20)", words
    )
    assert [label for label, _ in lines] == ["Mentions", "Direct messages", "Edits and deletions"]


def test_a_network_is_never_approved(olga: Browser, scene: Scene) -> None:
    assert olga.post(f"/connections/{scene.social}/approve").status_code == 404
