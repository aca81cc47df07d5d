"""Whose profile is worth its price."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.records import Author, Engagement, Kind
from service.rules.worth import deserves
from tests.service.rules.making import replace

POST = Engagement(
    "1", Kind.MENTION, Author("9", ""), "", datetime(2026, 11, 26, tzinfo=UTC), "https://x.example/1", "1"
)


@pytest.mark.parametrize(
    ("worth", "text", "fields"),
    [
        (True, "@acme Do you ship to Norway?", {}),
        (True, "@acme my order never arrived", {}),
        (True, "@acme Thanks! And how much is the large one?", {}),
        (False, "@acme Thank you so much!", {}),
        (False, "@acme 🙏", {"kind": Kind.REPLY}),
        (False, "@acme Never mind, it works now, thanks", {"kind": Kind.REPLY}),
        (False, "RT @acme: New anvils are here", {"is_repost": True}),
        (False, "Who else? @a @b @c @d @e @f", {"mentions": tuple("abcdefg")}),
        (True, "Who else? @a @b @c @d @e @f", {"mentions": tuple("abcdefg"), "kind": Kind.REPLY}),
        (False, "Do you ship to Norway?", {"kind": Kind.CONTEXT}),
        (False, "Do you like our anvils?", {"kind": Kind.OWN}),
        (True, "Is it in stock?", {"kind": Kind.DIRECT}),
    ],
)
def test_a_profile_is_worth_it_where_the_text_could_become_a_task(
    worth: bool, text: str, fields: dict[str, object]
) -> None:
    assert deserves(replace(POST, text=text, **fields)) is worth
