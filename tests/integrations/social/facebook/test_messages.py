"""The page's inbox."""

from __future__ import annotations

from datetime import timedelta

from integrations.records import Kind
from tests.integrations.graph.wire import NOW
from tests.integrations.social.facebook.reading import DAY, pages, pull
from tests.integrations.social.facebook.wire import ADA, PAGE, US, Facebook


def test_messages_of_both_sides_come_with_the_end_of_their_window(page: Facebook) -> None:
    talk = page.talk()
    theirs = page.message(talk, ADA, "Are you open?", NOW - timedelta(hours=2))
    ours = page.message(talk, PAGE, "Until six.", NOW - timedelta(hours=1))
    found, _ = pull(page, "messages")
    one, two = found[f"dm:{talk}:{theirs}"], found[f"dm:{talk}:{ours}"]
    assert (one.kind, two.kind) == (Kind.DIRECT, Kind.DIRECT)
    assert one.window_closes_at == one.created_at + timedelta(hours=24)
    assert two.window_closes_at is None
    assert (one.author.id, two.author.id) == (ADA["id"], US.id)
    assert (one.in_reply_to_author, two.in_reply_to_author) == (US.id, ADA["id"])
    assert {one.thread, two.thread} == {talk}
    assert one.url == f"https://www.facebook.com/{US.id}/inbox/{talk}/"


def test_only_talks_with_something_new_are_read(page: Facebook) -> None:
    page.wire.page = 1
    for number in range(6):
        page.message(page.talk(f"t_{number}"), at=NOW - number * DAY)
    _, cursor = pull(page, "messages")
    page.wire.sent.clear()
    new = page.message("t_3", text="and another thing", at=NOW)
    found, _ = pull(page, "messages", cursor)
    assert f"dm:t_3:{new}" in found
    assert len(page.wire.calls("GET", f"{US.id}/conversations")) <= 3


def test_a_long_talk_is_read_to_its_end(page: Facebook) -> None:
    page.wire.page = 7
    talk = page.talk()
    sent = {f"dm:{talk}:{page.message(talk)}" for _ in range(30)}
    assert set(pull(page, "messages")[0]) == sent


def test_messages_that_meta_names_without_words_end_the_talk_quietly(page: Facebook) -> None:
    talk = page.talk()
    sent = [page.message(talk, at=NOW - timedelta(minutes=number)) for number in range(5)]
    for native in sent[3:]:
        page.wire.nodes[native] = {"id": native}
    (only,) = pages(page, "messages")
    assert {item.id for item in only.items} == {f"dm:{talk}:{native}" for native in sent[:3]}
    assert only.notes == ()


def test_a_talk_without_an_address_leads_to_the_inbox(page: Facebook) -> None:
    talk = page.talk()
    del page.wire.nodes[talk]["link"]
    native = page.message(talk)
    assert (
        pull(page, "messages")[0][f"dm:{talk}:{native}"].url
        == f"https://business.facebook.com/latest/inbox/all?asset_id={US.id}"
    )
