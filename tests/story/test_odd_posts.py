"""Posts, people and contacts of every odd shape, from the network to the CRM: each comes through, and none stops another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.story.conftest import THURSDAY, Story

pytestmark = pytest.mark.story

HOUR = timedelta(hours=1)
HALVED = b"HALVED"  # stands for half of a surrogate pair, which JSON can hold and no text can
TEXTS = {
    "nothing": "",
    "spaces": " \t\n ",
    "long": "Why? " * 2_000,
    "right_to_left": "\u202eهل يتوفر الإطار بمقاس صغير؟\u200f",
    "emoji": "❤️👩‍👩‍👧‍👦🏳️‍🌈?",
    "nul": "before\x00after, why?",
    "surrogate": "HALVED pair, why?",
    "noncharacter": "\ufffe\uffff\u0001\u001f\u007f why?",
    "markup": "<script>alert(1)</script> &amp;lt; why?",
    "lines": "one\r\ntwo\u2028three, why?",
    "formula": "=HYPERLINK(1) %s {0} {{7*7}} why?",
}
NAMES = {
    "nothing": "",
    "emoji": "🦊",
    "right_to_left": "نور أمين",
    "nul": "N\x00ul",
    "surrogate": "HALVED",
    "markup": "<b>Bo</b>",
}


@pytest.fixture
def odd(story: Story) -> Story:
    """Everybody has written to Acme, and nothing has been read."""
    accounts: list[dict[str, Any]] = [{"id": 11, "handle": "acme", "name": "Acme Cargo", "brand": True}]
    posts: list[dict[str, Any]] = []
    for number, (shape, text) in enumerate(TEXTS.items()):
        accounts.append({"id": 100 + number, "handle": f"w_{shape}", "name": NAMES.get(shape, shape.title())})
        posts.append(
            {
                "id": 1000 + number,
                "author_id": 100 + number,
                "text": f"@acme {text}",
                "created_at": (THURSDAY - 44 * HOUR).isoformat(),
            }
        )
    contacts = [
        {"id": 501, "firstname": "No", "lastname": "Mail", "twitterhandle": "w_long", "hubspot_owner_id": "71"},
        {"id": 502, "firstname": "Two", "lastname": "Same", "email": "same@mail.example"},
        {"id": 503, "firstname": "Too", "lastname": "Same", "email": "same@mail.example"},
        {"id": 504},
        {"id": 505, "firstname": "🦊", "lastname": "نور\x00", "phone": "HALVED", "twitterhandle": "w_emoji"},
    ]
    owners = [{"id": 71, "email": "olga@acme.test", "first_name": "Olga", "last_name": "Owner"}]
    story.outside.load(accounts=accounts, posts=posts, contacts=contacts, owners=owners)
    story.outside.corrupts(HALVED, rb"\ud83d")
    story.set(preview=False, daily_cap=None)
    story.connects("x", "acme")
    story.connects("hubspot")
    return story


def test_every_post_becomes_what_it_should_and_every_page_shows_it(odd: Story) -> None:
    odd.run()

    assert odd.sql("SELECT error FROM streams WHERE error <> ''") == []
    [(posts,)] = odd.sql("SELECT count(*) FROM engagements")
    assert posts == len(TEXTS)
    assert odd.sql("SELECT key, state, detail FROM tasks WHERE state <> 'open'") == []
    tasks = odd.outside.open_tasks()
    assert len(tasks) == len(TEXTS)
    assert all(0 < len(task.subject) <= 60 for task in tasks)
    assert all("<script>" not in task.body for task in tasks)
    assert sorted(contact for task in tasks for contact in task.contacts) == [501, 505]
    for page in ("/", "/conversations", "/tasks", "/matches", "/connections"):
        assert "<script>alert" not in odd.browser.get(page).text
        odd.reads(page)
    for (conversation,) in odd.sql("SELECT id FROM conversations"):
        odd.reads(f"/conversations/{conversation}")


def test_two_contacts_with_one_address_are_suggested_and_neither_is_taken(odd: Story) -> None:
    odd.outside.load(accounts=[{"id": 300, "handle": "same", "name": "Sam", "bio": "write to same@mail.example"}])
    odd.outside.writes("same", "@acme Is it me?")
    odd.passes(HOUR)
    odd.run()
    rows = odd.sql(
        "SELECT c.native_id, m.state FROM matches m JOIN authors a ON a.id = m.author_id JOIN contacts c ON c.id = m.contact_id"
        " WHERE a.handle = 'same' ORDER BY 1"
    )
    assert rows == [("502", "suggested"), ("503", "suggested")]


@pytest.mark.parametrize(("provider", "path"), [("x", "/mentions"), ("hubspot", "/contacts/search")])
def test_an_answer_that_is_garbage_is_told_in_one_sentence_and_read_again(odd: Story, provider: str, path: str) -> None:
    odd.outside.fails(provider, "garbage", path=path)
    odd.run()
    [(error,)] = odd.sql("SELECT error FROM streams WHERE error <> ''")
    assert error.startswith("127.0.0.1 answered 200 with something that is not JSON")
    assert error.endswith(".")
    assert "\n" not in error

    odd.look()

    assert odd.sql("SELECT error FROM streams WHERE error <> ''") == []
    assert len(odd.outside.open_tasks()) == len(TEXTS)
