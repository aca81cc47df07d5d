"""Where posts stand: the client API names only the post that is answered, and a talk is told apart by its first post.

The thread of a post is the id of the first post of its chain, as far as the server knows it; whichever list shows the post, the
chain is the same, and so is the thread. What a page does not tell itself is asked for once per chain, as a post's context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from integrations.errors import (
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    TemporaryError,
    UnexpectedResponseError,
)
from integrations.social.mastodon.calls import Calls
from integrations.social.mastodon.parse import Place, reference
from integrations.social.mastodon.people import Json

STEPS = 6  # up a chain, one at a time; most talks are shorter, and the rest of a longer one is one call
FEW = 2  # chains, for which contexts take no more calls
BROKEN = 2  # chains over which a server may break before it counts as out of order: some break over a thread every time
ODD = (TemporaryError, InvalidRequestError, PermissionDeniedError)  # what it may say of such a thread
_End = Callable[[Json, str], Place]  # a post, and the id of its parent, which is not at hand -> the parent's place


@dataclass(frozen=True)
class Context:
    """What stands above a post, the first of the thread first, and below it. Without the post itself. Pleroma and Akkoma put all
    earlier posts of the thread above, siblings too, and all later ones below."""

    above: Sequence[Json]
    below: Sequence[Json]


class Threads:
    """The places of all posts that one client has seen."""

    def __init__(self, calls: Calls, us: str) -> None:
        self.places: dict[str, Place] = {}
        self._calls = calls
        self._us = us
        self._broken = 0

    def settle(self, rows: Iterable[Any]) -> list[Json]:
        """Finds the place of each of these posts. Returns the posts above them that had to be asked for."""
        held = _index(rows)
        fetched = self._rise(held)
        self._settle_all([*held.values(), *fetched], partial(self._climb, fetched))
        return fetched

    def around(self, status_id: str) -> Context:
        """What stands around a post, all of it placed. Raises `integrations.errors`."""
        found = self._ask(status_id)
        self._settle_all(found.above, self._end)
        top, last = self._place(found.above[:1]), self._place(found.above[-1:])
        root = top.root if top else status_id
        answers = (row for row in found.below if reference(row, "in_reply_to_id") == status_id)
        ours = (last is not None and last.ours) or any(self._answers_us(row) for row in answers)
        self.places[status_id] = Place(root, ours)
        self._settle_all(found.below, lambda row, parent: Place(root, self._answers_us(row)))
        return found

    def out_of_order(self) -> bool:
        """Notes that the server broke over a thread (`ODD`). Returns whether that is more than one or two odd threads."""
        self._broken += 1
        return self._broken > BROKEN

    def _ask(self, status_id: str) -> Context:
        body = self._calls.get(f"/api/v1/statuses/{quote(status_id, safe='')}/context")
        if not isinstance(body, dict):
            raise UnexpectedResponseError("The server answered with something that is not a thread")
        above, below = (_list(body.get(name)) for name in ("ancestors", "descendants"))
        return Context(above, below)

    def _rise(self, held: Mapping[str, Json]) -> list[Json]:
        """The posts above these, many to a call and one step at a time, as long as that takes fewer calls than a context for each chain."""
        reached, asked = dict(held), set[str]()
        for _ in range(STEPS):
            ends = [each for each in self._ends(reached) if each not in asked]
            rows = self._calls.many(ends) if len(ends) > FEW else None
            if rows is None:
                break
            asked.update(ends)
            reached |= {status_id: row for status_id, row in _index(rows).items() if status_id in asked}
        return [row for status_id, row in reached.items() if status_id not in held]

    def _ends(self, reached: Mapping[str, Json]) -> Iterable[str]:
        """Ids of posts that these answer and that are neither among them nor known."""
        parents = [reference(row, "in_reply_to_id") for each, row in reached.items() if each not in self.places]
        return dict.fromkeys(each for each in parents if each and each not in reached and each not in self.places)

    def _settle_all(self, rows: Iterable[Any], end: _End) -> None:
        held = _index(rows)
        for row in held.values():
            self._settle(row, held, end)

    def _settle(self, row: Json, held: Mapping[str, Json], end: _End) -> None:
        """Goes up from a post to one whose place is known, or to the first of its thread, and down again."""
        if not row.get("in_reply_to_id"):  # most posts: the way up ends where it begins
            status_id = str(row["id"])
            self.places[status_id] = Place(status_id, self._by_us(row))
            return
        chain: dict[str, Json] = {}  # a server that lets posts answer each other in a circle ends it at its first post
        base: Place | None = None
        at: Json | None = row
        while at is not None and str(at["id"]) not in chain:
            if base := self.places.get(str(at["id"])):
                break
            chain[str(at["id"])] = at
            parent = reference(at, "in_reply_to_id")
            if parent is not None and parent not in held:
                base = self.places.get(parent) or end(at, parent)
                self.places[parent] = base
                break
            at = held[parent] if parent is not None else None
        for status_id, each in reversed(chain.items()):
            above = base or Place(status_id, False)
            base = self.places[status_id] = Place(above.root, above.ours or self._by_us(each))

    def _climb(self, fetched: list[Json], row: Json, parent: str) -> Place:
        try:
            above = self._ask(str(row["id"])).above or self._steps_up(parent)
        except (NotFoundError, UnexpectedResponseError):
            above = ()  # gone meanwhile, or a thread larger than an answer may be: what the post itself says has to do
        except ODD:
            if self.out_of_order():
                raise
            above = ()  # a recheck puts the post right, if the server can tell then
        self._settle_all(above, self._end)
        fetched += above
        if parent in self.places:
            return self.places[parent]
        top = self._place(above[:1])  # the server hides one in between
        return Place(top.root if top else parent, self._answers_us(row) or (top is not None and top.ours))

    def _steps_up(self, parent: str) -> list[Json]:
        """The posts above, one by one, the topmost first. GoToSocial shows nothing of a thread below a post that was deleted, and each of
        its posts where it is asked for by its id."""
        found: list[Json] = []
        at: str | None = parent
        while at is not None and at not in self.places and len(found) < STEPS:
            try:
                row = self._calls.get(f"/api/v1/statuses/{quote(at, safe='')}")
            except NotFoundError:
                break  # here it ends for us
            if not isinstance(row, dict) or not row.get("id"):
                break
            found.insert(0, row)
            at = reference(row, "in_reply_to_id")
        return found

    def _end(self, row: Json, parent: str) -> Place:
        return Place(parent, self._answers_us(row))

    def _place(self, rows: Sequence[Json]) -> Place | None:
        return next((self.places.get(str(row.get("id"))) for row in rows), None)

    def _by_us(self, row: Json) -> bool:
        wrote = row.get("account")
        return isinstance(wrote, dict) and str(wrote.get("id")) == self._us

    def _answers_us(self, row: Json) -> bool:
        return reference(row, "in_reply_to_account_id") == self._us


def _index(rows: Iterable[Any]) -> dict[str, Json]:
    return {str(row["id"]): row for row in rows if isinstance(row, dict) and row.get("id")}


def _list(value: Any) -> list[Json]:
    return list(objects(value)) if isinstance(value, list) else []


def objects(rows: Iterable[Any]) -> Iterable[Json]:
    """The rows that are objects at all."""
    return (row for row in rows if isinstance(row, dict))
