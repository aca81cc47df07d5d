"""The `SocialClient` of a place that nobody can be asked about: it knows its name, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from integrations.errors import InvalidRequestError
from integrations.provider import Access
from integrations.records import Author, Engagement, Gone, Page

LONGEST = 60


def place_of(access: Access) -> str:
    """The place's name as the form has it, blanks tidied. Raises InvalidRequestError for none, or one too long to show."""
    place = " ".join(str(access.options.get("place", "")).split())
    if not 0 < len(place) <= LONGEST:
        raise InvalidRequestError(f"A place needs a name of 1 to {LONGEST} letters")
    return place


class CaptureClient:
    """Reads nothing: posts of a place come in through the API, and so does the news that one is gone."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def whoami(self) -> Author:
        place = place_of(self._access)
        return self._access.account or Author(id=place, handle=place, name=place)

    def pull(self, stream: str, cursor: str | None, threads: Sequence[str] = ()) -> Iterator[Page[Engagement]]:
        yield Page((), cursor)

    def recheck(self, ids: Sequence[str]) -> Sequence[Engagement | Gone]:
        return ()
