"""What a stream says of what its provider did not serve, and for how long it says so."""

from __future__ import annotations

from service.models import Stream
from service.store import streams


def _advanced(stream: Stream, notes: tuple[str, ...] = (), over: tuple[str, ...] = ()) -> list[str]:
    streams.advance(stream, "cursor", new=0, served=False, notes=notes, over=over, reads={})
    return stream.notes


def test_a_note_stands_until_its_provider_says_that_it_is_over() -> None:
    stream = Stream(notes=[], items=0, reads={})
    assert _advanced(stream, ("Nobody is shown.", "Old posts are not served.")) == [
        "Nobody is shown.",
        "Old posts are not served.",
    ]
    assert _advanced(stream) == ["Nobody is shown.", "Old posts are not served."]
    assert _advanced(stream, over=("Nobody is shown.", "Never said.")) == ["Old posts are not served."]


def test_a_note_that_is_over_and_said_again_with_one_page_stands() -> None:
    stream = Stream(notes=["Nobody is shown."], items=0, reads={})
    assert _advanced(stream, ("Nobody is shown.",), ("Nobody is shown.",)) == ["Nobody is shown."]
