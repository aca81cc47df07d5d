"""What there is to weigh for some authors: contacts that share a key with them, how common their tokens are, and whom other
accounts of the same authors are confirmed to be. A few statements for any number of authors, each by equality.

Each CRM is weighed by itself: whoever stands in two of them is one person, and a namesake in one is none in the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from uuid import UUID

import msgspec
from msgspec import Struct

from service.db import RawConnection
from service.rules.matching import PER_KEY, Commonness, Met, choose, sift
from service.rules.matching.keys import IDENTIFIERS
from service.rules.model import Candidate, KnownAuthor
from service.store import filing, linked
from service.store.contact_json import contact_of_text
from service.store.rows import each_of, execute, listed

# The contacts under each key in each CRM as one text, in the order of the index; none where there are more than tell anything.
_UNDER = (
    f"SELECT c.id, k.value, f.number, CASE WHEN f.number <= {PER_KEY} THEN f.ids END"  # noqa: S608 - names of our own columns
    f" FROM {each_of('keys')} AS k CROSS JOIN {each_of('crms', 'uuid')} AS c(id)"
    " CROSS JOIN LATERAL (SELECT count(*) AS number, string_agg(contact_id::text, ',') AS ids FROM"
    f" (SELECT contact_id FROM contact_keys WHERE workspace_id = %(w)s AND key = k.value AND connection_id = c.id LIMIT {PER_KEY + 1}) s) f"
    " WHERE f.number > 0"
)
# The same, and below them, as of no CRM, the authors under each of some keys: of accounts that share a profile's address, one of two links to
# the other. Whom they are confirmed to be is asked by itself, because the planner takes few matches for none while a workspace is matched for
# the first time, and would read all of them for each account.
_UNDER_BOTH = (
    f"{_UNDER} UNION ALL SELECT NULL, k.value, 0, f.ids FROM {each_of('profiles')} AS k"  # noqa: S608 - names of our own columns
    " CROSS JOIN LATERAL (SELECT string_agg(author_id::text, ',') AS ids FROM author_keys WHERE workspace_id = %(w)s AND key = k.value) f"
    " WHERE f.ids IS NOT NULL"
)
# Under which of these keys anybody is: where there are many CRMs, most keys are in none of them.
_ANY = (
    "SELECT k.value"  # noqa: S608 - names of our own columns
    f" FROM {each_of('keys')} AS k WHERE EXISTS (SELECT 1 FROM contact_keys WHERE workspace_id = %(w)s AND key = k.value)"
)
_FEW_CRMS = 3  # that are looked through key by key without asking first
_CONTACTS = (
    "SELECT id::text, connection_id::text, fields::text, ARRAY(SELECT key FROM unnest(filed) key WHERE left(key, 1) = ANY(%(kinds)s)) FROM contacts WHERE workspace_id = %(w)s AND deleted_at IS NULL"  # noqa: S608 - names of our own columns
    f" AND id = ANY(ARRAY{each_of('ids', 'uuid')})"
)
_IDENTIFIERS = sorted(map(str, IDENTIFIERS))


class Found(Struct, frozen=True):
    """A contact, and the CRM that has it."""

    crm: UUID
    candidate: Candidate


class Under(Struct, frozen=True):
    """The ids of one CRM's contacts under each key, where they are few enough to tell anything, and how many there are (one more than
    that, if there are more). However many another CRM has, they hide nobody here."""

    found: dict[str, list[str]] = msgspec.field(default_factory=dict)
    numbers: dict[str, int] = msgspec.field(default_factory=dict)


class Near(Struct, frozen=True):
    """The contacts near some authors, whom they share a key with: what of each author, and what of each contact. `elsewhere` maps, for an
    author, contacts to the network on which another account of the same author is confirmed to be that contact's; `keys` are those
    that the authors are sought under; `doubted` are handles of theirs that are on file with a contact, and that somebody else may have or have
    had."""

    authors: Mapping[UUID, KnownAuthor]
    keys: Mapping[UUID, Sequence[str]]
    under: Mapping[UUID, Under]
    chosen: Mapping[UUID, Sequence[str]]
    contacts: Mapping[str, Found]
    elsewhere: Mapping[UUID, Mapping[str, str]]
    doubted: Mapping[UUID, frozenset[str]]


class Sifted(Struct, frozen=True):
    """Those of them who have something in common with an author that can count, by author and CRM."""

    near: Near
    met: Mapping[UUID, Mapping[UUID, Sequence[Met]]]


class Gathered(Struct, frozen=True):
    """What there is to weigh, for several authors: by author and CRM, and by CRM. `keys`, `elsewhere` and `doubted` as in `Near`."""

    keys: Mapping[UUID, Sequence[str]]
    met: Mapping[UUID, Mapping[UUID, Sequence[Met]]]
    commonness: Mapping[UUID, Commonness]
    elsewhere: Mapping[UUID, Mapping[str, str]]
    doubted: Mapping[UUID, frozenset[str]]


def near(
    connection: RawConnection,
    workspace_id: UUID,
    authors: Mapping[UUID, KnownAuthor],
    keys: Mapping[UUID, Sequence[str]],
    crms: Sequence[UUID],
) -> Near:
    """Who shares a key with these authors, in these CRMs."""
    whose = linked.pages_of(keys)
    by_crm, sharing = _under(connection, workspace_id, sorted(set().union(*keys.values())), crms, sorted(whose))
    elsewhere = linked.confirmed(connection, workspace_id, authors, whose, sharing)
    chosen = {
        author_id: list(
            dict.fromkeys(
                [*chain(*(choose(own, each.found) for each in by_crm.values())), *elsewhere.get(author_id, ())]
            )
        )
        for author_id, own in keys.items()
    }
    wanted = sorted({each for some in chosen.values() for each in some})
    on_file = set().union(*(each.numbers for each in by_crm.values()))
    doubted = linked.doubted(connection, workspace_id, authors, on_file)
    return Near(authors, keys, by_crm, chosen, contacts(connection, workspace_id, wanted), elsewhere, doubted)


def sifted(found: Near) -> Sifted:
    """Who has something in common with them that can count. Asks no database: what it makes smaller is what `counted` asks for."""
    return Sifted(
        found, {author_id: _by_crm(_sift(found, author_id, some), found) for author_id, some in found.chosen.items()}
    )


def counted(connection: RawConnection, workspace_id: UUID, of: Sifted, share: float | None) -> Gathered:
    """How common it is, what they have in common, where the CRMs know this share of all authors (see `terms.Premises`)."""
    comparable = {
        each.candidate.contact_id: crm for by_crm in of.met.values() for crm, some in by_crm.items() for each in some
    }
    commonness = _commonness(connection, workspace_id, comparable, of.near.under, share)
    return Gathered(of.near.keys, of.met, commonness, of.near.elsewhere, of.near.doubted)


def _sift(found: Near, author_id: UUID, chosen: Iterable[str]) -> list[Met]:
    there = (found.contacts[each].candidate for each in chosen if each in found.contacts)
    return sift(found.authors[author_id], there, found.elsewhere.get(author_id))


def _by_crm(met: Iterable[Met], found: Near) -> dict[UUID, list[Met]]:
    grouped: dict[UUID, list[Met]] = defaultdict(list)
    for each in met:
        grouped[found.contacts[each.candidate.contact_id].crm].append(each)
    return dict(grouped)


def under(
    connection: RawConnection, workspace_id: UUID, keys: Sequence[str], crms: Sequence[UUID]
) -> defaultdict[UUID, Under]:
    """Who is found under these keys in each of these CRMs; nobody in another."""
    return _under(connection, workspace_id, keys, crms)[0]


def _under(
    connection: RawConnection,
    workspace_id: UUID,
    keys: Sequence[str],
    crms: Sequence[UUID],
    profiles: Sequence[str] = (),
) -> tuple[defaultdict[UUID, Under], dict[str, list[str]]]:
    """As above, and the ids of the authors under each of these `profiles`."""
    params = {"w": workspace_id, "keys": listed(keys), "crms": listed(crms), "profiles": listed(profiles)}
    if len(crms) > _FEW_CRMS:
        params["keys"] = listed(sorted(row[0] for row in execute(connection, _ANY, params)))
    by_crm: defaultdict[UUID, Under] = defaultdict(Under)
    authors: dict[str, list[str]] = {}
    for crm, key, number, ids in execute(connection, _UNDER_BOTH if profiles else _UNDER, params):
        if crm is None:
            authors[key] = ids.split(",")
            continue
        each = by_crm[crm]
        each.numbers[key] = number
        if ids:
            each.found[key] = ids.split(",")
    return by_crm, authors


def contacts(connection: RawConnection, workspace_id: UUID, ids: Sequence[str]) -> dict[str, Found]:
    """The contacts with these ids that are still there."""
    if not ids:
        return {}
    params = {"w": workspace_id, "ids": listed(ids), "kinds": _IDENTIFIERS}
    found = execute(connection, _CONTACTS, params)
    crms = {crm: UUID(crm) for crm in {row[1] for row in found}}
    return {
        contact_id: Found(crms[crm], Candidate(contact_id, contact_of_text(fields), frozenset(own)))
        for contact_id, crm, fields, own in found
    }


def _commonness(
    connection: RawConnection,
    workspace_id: UUID,
    comparable: Mapping[str, UUID],
    by_crm: Mapping[UUID, Under],
    share: float | None,
) -> dict[UUID, Commonness]:
    """`comparable` maps contacts to their CRMs: how common the tokens of these contacts are in each of their CRMs. An address or a number, which few can share, is counted as
    it was looked up.

    What is learnt of all authors, how many of them some CRM knows, each CRM has its part of, by its contacts: so an author is as
    likely to be a given contact however many CRMs the contacts are spread over."""
    # A CRM whose last contact has gone since these were found has no counts any more.
    counted = defaultdict(dict, filing.counts(connection, workspace_id, sorted(comparable)))
    everybody = filing.how_many(counted)
    known = Commonness(everybody, {}, share).known
    return {
        crm: Commonness(
            own := counted[crm].get(filing.EVERYBODY, 1),
            {**_shared(by_crm.get(crm)), **counted[crm]},
            known * own / everybody,
        )
        for crm in set(comparable.values())
    }


def _shared(under: Under | None) -> dict[str, int]:
    """How many contacts of one CRM were found under each key that `filing.counts` does not count."""
    numbers = under.numbers if under else {}
    return {key: number for key, number in numbers.items() if number > 1 and not filing.is_counted(key)}
