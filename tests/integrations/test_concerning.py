"""What a post is to a connected account."""

from __future__ import annotations

import pytest

from integrations import concerning
from integrations.records import Kind

US = "7000"


@pytest.mark.parametrize(
    ("wrote", "answered", "quoted", "named", "found"),
    [
        (US, US, US, (US,), Kind.OWN),
        ("1", US, US, (US,), Kind.REPLY),
        ("1", "2", US, (US,), Kind.QUOTE),
        ("1", "2", "2", ("2", US), Kind.MENTION),
        ("1", "2", "2", ("2",), Kind.COMMENT),
        ("1", None, None, (), Kind.COMMENT),
    ],
)
def test_of_all_the_ways_in_which_a_post_concerns_us_the_closest_counts(
    wrote: str, answered: str | None, quoted: str | None, named: tuple[str, ...], found: Kind
) -> None:
    assert concerning.kind(US, wrote, answered, quoted, named, Kind.COMMENT) is found
