"""What other accounts say of authors: whom those that link to them, or that they link to, are confirmed to be, and who else goes by their
handle or has given it up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from service.db import RawConnection
from service.rules.matching import handles
from service.rules.matching.addresses import own_address
from service.rules.matching.keys import ANY_NETWORK, Key
from service.rules.model import KnownAuthor
from service.store.rows import execute

PROFILE = f"{Key.WEBSITE}:"  # keys of pages: an author's own profile, and those that it links to
_CONFIRMED = """
SELECT o.id, o.provider, o.url, m.contact_id FROM authors o JOIN matches m ON m.workspace_id = %(w)s AND m.author_id = o.id AND m.state = 'confirmed'
WHERE o.workspace_id = %(w)s AND o.id = ANY(%(ids)s) AND m.author_id = ANY(%(ids)s)
"""
# Who else, in the same place, has a handle or has given it up: one of the two who go by it now was renamed, and we have not heard of it. (Where
# a network tells no id, the same person may be here by the handle and by the id.)
_CARRIED = """
SELECT DISTINCT x.author_id FROM unnest(%(authors)s::uuid[], %(keys)s::text[], %(handles)s::text[]) AS x(author_id, key, handle)
JOIN authors a ON a.workspace_id = %(w)s AND a.id = x.author_id
JOIN author_keys k ON k.workspace_id = %(w)s AND k.key = x.key AND k.author_id <> x.author_id
JOIN authors o ON o.workspace_id = %(w)s AND o.id = k.author_id AND o.provider = a.provider AND o.host = a.host
WHERE x.handle = ANY(o.former_handles) OR NOT (starts_with(a.native_id, '@') OR starts_with(o.native_id, '@'))
"""


def pages_of(keys: Mapping[UUID, Sequence[str]]) -> dict[str, list[UUID]]:
    """The pages that these authors have or link to, with their authors."""
    whose: dict[str, list[UUID]] = defaultdict(list)
    for author_id, own in keys.items():
        for key in own:
            if key.startswith(PROFILE):
                whose[key].append(author_id)
    return whose


def confirmed(
    connection: RawConnection,
    workspace_id: UUID,
    authors: Mapping[UUID, KnownAuthor],
    whose: Mapping[str, Sequence[UUID]],
    sharing: Mapping[str, Iterable[str]],
) -> dict[UUID, dict[str, str]]:
    """`whose` and `sharing`: who among these authors has or links to a page, and the ids of all who do. Returns, by author, the contacts that
    another account of theirs is confirmed to be, each with that account's network: of two accounts that share a page, one is the page."""
    others = [
        (key, other_id)
        for key, ids in sharing.items()
        for other_id in map(UUID, ids)
        if any(each != other_id for each in whose[key])  # almost everybody's address is shared by nobody but them
    ]
    if not others:
        return {}
    ids = sorted({other_id for _, other_id in others})
    confirmed: dict[UUID, list[tuple[str, str, UUID]]] = defaultdict(list)
    for other_id, network, url, contact_id in execute(connection, _CONFIRMED, {"w": workspace_id, "ids": ids}):
        confirmed[other_id].append((network, url, contact_id))
    found: dict[UUID, dict[str, str]] = defaultdict(dict)
    for key, other_id in sorted(others, key=str):
        for network, url, contact_id in confirmed.get(other_id, ()):  # one in each CRM at most
            for author_id in whose[key]:
                if author_id != other_id and key in (profile_key(url), profile_key(authors[author_id].author.url)):
                    found[author_id][str(contact_id)] = network
    return dict(found)


def doubted(
    connection: RawConnection, workspace_id: UUID, authors: Mapping[UUID, KnownAuthor], on_file: set[str]
) -> dict[UUID, frozenset[str]]:
    """`on_file`: the keys under which there are contacts. Returns, by author, handles that decide nothing, because somebody else may have
    them or have had them; no author who has none."""
    current = {author_id: handles.plain(each.author.handle) for author_id, each in authors.items()}
    keys = {author_id: f"{Key.HANDLE}:{each.network}:{current[author_id]}" for author_id, each in authors.items()}
    asked = sorted(each for each in authors if current[each] and not on_file.isdisjoint(_of_handle(authors[each])))
    params = {"w": workspace_id, "authors": asked, "keys": [keys[each] for each in asked],
              "handles": [current[each] for each in asked]}  # fmt: skip
    carried = {row[0] for row in execute(connection, _CARRIED, params)} if asked else set()
    given_up = {each: frozenset(map(handles.plain, known.former)) for each, known in authors.items() if known.former}
    return {
        each: given_up.get(each, frozenset()) | ({current[each]} if each in carried else set())
        for each in {*given_up, *carried}
    }


def _of_handle(known: KnownAuthor) -> set[str]:
    """The keys under which the handle that they have now, or the address of their profile, may be on file."""
    handle = handles.plain(known.author.handle)
    return {*(f"{Key.HANDLE}:{each}:{handle}" for each in (known.network, ANY_NETWORK)), profile_key(known.author.url)}


def profile_key(url: str) -> str:
    """The key of a profile's own address."""
    return PROFILE + (own_address(url) or "")
