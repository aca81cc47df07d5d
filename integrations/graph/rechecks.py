"""Posts and comments as they are now, by our ids.

Meta has one answer for what is gone and for what is not for us, so "gone" is never taken from it alone: what stood with us is gone if we can
still read there; what stands elsewhere is shown in the list of mentions and not by its id, so it is gone if that list, read to its end, lacks it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass

from integrations.errors import NotFoundError, PermissionDeniedError
from integrations.graph.api import Graph, Json
from integrations.graph.talks import UNREADABLE, Feed
from integrations.graph.texts import parts
from integrations.records import Engagement, Gone

PAGES = 20  # pages of mentions that are looked through


@dataclass(frozen=True)
class Again:
    """How one account's posts and comments are asked for again."""

    fields: Mapping[str, str]  # by the kind that our ids begin with; "" for a post
    read: Callable[[str, Json], Engagement]  # by our id; raises UNREADABLE
    ours: Callable[[Graph, Set[str]], Set[str]]  # those of these threads that stand with us
    proof: str  # an edge that is served as long as we may read what stands with us
    mentions: Feed


def recheck(graph: Graph, again: Again, ids: list[str]) -> Iterator[Engagement | Gone]:
    """What can be told of these ids; what Meta does not tell has no answer. Raises PermissionDeniedError where nothing of ours may
    be read any more."""
    calls = {each: (parts(each)[2], {"fields": again.fields[parts(each)[0]]}) for each in ids}
    answers = graph.lookups(calls)
    gone = {each: parts(each)[1] for each, answer in answers.items() if isinstance(answer, NotFoundError)}
    refused = {each: parts(each)[1] for each, answer in answers.items() if isinstance(answer, PermissionDeniedError)}
    if gone and len(gone) + len(refused) == len(answers):
        graph.page(again.proof, fields="id", limit="1")
    for each, answer in answers.items():
        if isinstance(answer, dict) and (item := _read(again, each, answer)) is not None:
            yield item
    ours = again.ours(graph, set(gone.values())) if gone else set()
    yield from (Gone(each) for each, thread in gone.items() if thread in ours)
    elsewhere = {each: thread for each, thread in (gone | refused).items() if thread not in ours}
    if elsewhere:
        yield from _elsewhere(graph, again.mentions, elsewhere, gone.keys())


def _elsewhere(graph: Graph, feed: Feed, wanted: dict[str, str], gone: Set[str]) -> Iterator[Engagement | Gone]:
    """`wanted`: threads by our id. Of what Meta refused in so many words, nothing is taken for gone."""
    left, whole = dict(wanted), False
    for rows, ended in _pages_with(graph, feed, set(wanted.values())):
        whole = ended
        for row in rows:
            thread = str(row.get("id"))
            asked = [each for each, other in left.items() if other == thread]
            left = {each: other for each, other in left.items() if other != thread}
            try:
                found = feed.entry(row, None)
            except UNREADABLE:
                continue
            served = {item.id: item for item in found.items}
            yield from (served[each] for each in asked if each in served)
            if not found.branches and not found.skipped:
                yield from (Gone(each) for each in asked if each not in served)
    if whole:
        yield from (Gone(each) for each in left if each in gone)


def _pages_with(graph: Graph, feed: Feed, threads: Set[str]) -> Iterator[tuple[list[Json], bool]]:
    """The rows of these threads, page by page, and whether the list is at its end. Ids come first, since whole rows are costly."""
    left, after = set(threads), None
    for _ in range(PAGES):
        ids = graph.page(feed.path, after=after, bare=feed.bare, **{**feed.params, "fields": "id"})
        here = {str(row.get("id")) for row in ids.objects} & left
        whole = graph.page(feed.path, after=after, bare=feed.bare, **feed.params).objects if here else []
        left -= here
        yield [row for row in whole if str(row.get("id")) in here], ids.after is None or not left
        if ids.after is None or not left:
            return
        after = ids.after


def _read(again: Again, our_id: str, row: Json) -> Engagement | None:
    try:
        return again.read(our_id, row)
    except UNREADABLE:
        return None
