"""What the rules say of due authors, CRM by CRM, and what stands of them already. Nothing is written.

Authors who link to each other are not weighed together: what is confirmed of one is evidence of the other, which has to be stored first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from integrations.records import Author, Contact
from service.db import RawConnection
from service.rules.matching import Met, author_keys, handles, sift, weigh
from service.rules.matching.addresses import own_address
from service.rules.matching.learning import NOTHING, learnt
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState
from service.store import candidates
from service.store.candidates import Gathered
from service.store.linked import PROFILE, profile_key
from service.store.overlap import PART, Aside, ahead
from service.store.rows import execute
from service.store.terms import Premises

AUTHORS = "SELECT id, filed, likely, provider, former_handles, native_id, handle, name, bio, url, website, location, bot FROM authors"
IS_DUE = "workspace_id = %(w)s AND match_due AND objected_at IS NULL"
# A page that more authors call their own is nobody's: a forum's front page, say. They need not wait for each other.
_OWNERS = 3
_TRACE = 1e-9  # somebody shares a key with them, and under another share it could count


Results = Mapping[UUID, Sequence[MatchResult]]  # of one author, by CRM


def every(results: Results) -> Iterable[MatchResult]:
    return chain.from_iterable(results.values())


class Due(Struct, frozen=True):
    """An author to match, and what the last time left."""

    known: KnownAuthor
    filed: Sequence[str]
    likely: float | None


class Standing(Struct, frozen=True):
    """What stands for one author: the confirmed contacts, what people decided, and where we wrote the handle ourselves."""

    confirmed: frozenset[UUID] = frozenset()
    by_person: frozenset[str] = frozenset()  # ids of contacts, as candidates have them
    confirmed_by_person: frozenset[UUID] = frozenset()
    settled: frozenset[UUID] = frozenset()  # CRMs in which a person has confirmed who it is
    by_rules: bool = False  # something that these rules, or those before, have found
    written: frozenset[str] = frozenset()


_NOTHING_STANDS = Standing()


@dataclass(frozen=True)
class Weighed:
    """What the rules say of some authors, each under their id and by CRM, and what they were told."""

    authors: Mapping[UUID, Due]
    keys: Mapping[UUID, Sequence[str]]
    standing: Mapping[UUID, Standing]
    results: Mapping[UUID, Results]
    likely: Mapping[UUID, float]

    def confirmed(self, author_id: UUID) -> frozenset[UUID]:
        """Which contacts this author is, by a person or by the rules."""
        by_rules = (
            UUID(each.contact_id) for each in every(self.results[author_id]) if each.state is MatchState.CONFIRMED
        )
        return self.standing[author_id].confirmed_by_person.union(by_rules)


def due_authors(connection: RawConnection, statement: str, params: Mapping[str, Any]) -> dict[UUID, Due]:
    """Those whom `statement` finds, which begins as `AUTHORS` does."""
    rows = execute(connection, statement, params)
    return {row[0]: Due(KnownAuthor(row[3], Author(*row[5:]), tuple(row[4])), row[1], row[2]) for row in rows}


def weighed_in_parts(
    connection: RawConnection, workspace_id: UUID, authors: Mapping[UUID, Due], by: Premises, aside: Aside
) -> Iterator[Weighed]:
    """What the rules say of these authors, part by part, in their order, while `aside` asks the database about the next ones. But for those
    who link to another one of them and have to come after that one: they are in no part, and are due still."""
    standing = _standing(by.stood, authors)
    for gathered in _gathered(connection, workspace_id, authors, by, aside):
        results = {
            author_id: _results(author_id, authors[author_id].known, gathered, standing[author_id], by)
            for author_id in gathered.keys
        }
        likely = {
            author_id: min(sum(each.score for each in every(found)), 1.0)
            or (_TRACE if gathered.met[author_id] else 0.0)
            for author_id, found in results.items()
        }
        yield Weighed({each: authors[each] for each in results}, gathered.keys, standing, results, likely)


def _gathered(
    connection: RawConnection, workspace_id: UUID, authors: Mapping[UUID, Due], by: Premises, aside: Aside
) -> Iterator[Gathered]:
    """What there is to weigh, part by part."""

    def near(keys: Mapping[UUID, Sequence[str]]) -> candidates.Near:
        known = {each: authors[each].known for each in keys}
        return candidates.near(connection, workspace_id, known, keys, by.crms)

    def counted(sifted: candidates.Sifted) -> Gathered:
        return candidates.counted(connection, workspace_id, sifted, by.share)

    return ahead(aside, map(candidates.sifted, ahead(aside, _in_parts(authors), near)), counted)


def _in_parts(authors: Mapping[UUID, Due]) -> Iterator[dict[UUID, Sequence[str]]]:
    """The keys of these authors, part by part, but for those who link to one before them, or whom one before them links to."""
    own, pages = set[str](), set[str]()
    part: dict[UUID, Sequence[str]] = {}
    called_own = Counter(profile_key(each.known.author.url) for each in authors.values())
    nobodys = {page for page, times in called_own.items() if times > _OWNERS}
    for author_id, each in authors.items():
        keys, profile = author_keys(each.known), profile_key(each.known.author.url)
        linked_to = {key for key in keys if key.startswith(PROFILE) and key not in nobodys}
        if profile in pages or not own.isdisjoint(linked_to):
            continue
        own.add(profile)
        pages |= linked_to
        part[author_id] = keys
        if len(part) == PART:
            yield part
            part = {}
    if part:
        yield part


def _standing(stood: Iterable[tuple[str, str, str, bool, bool, bool]], ids: Iterable[UUID]) -> dict[UUID, Standing]:
    rows: dict[UUID, list[tuple[UUID, UUID, bool, bool, bool]]] = defaultdict(list)
    for author_id, contact, crm, confirmed, by_person, written in stood:
        rows[UUID(author_id)].append((UUID(contact), UUID(crm), confirmed, by_person, written))
    return {author_id: _stands(rows[author_id]) if author_id in rows else _NOTHING_STANDS for author_id in ids}


def _stands(rows: Sequence[tuple[UUID, UUID, bool, bool, bool]]) -> Standing:
    """`rows`: contact, its CRM, whether it is confirmed, whether a person decided, whether we wrote the handle there."""
    return Standing(
        confirmed=frozenset(contact for contact, _, confirmed, _, _ in rows if confirmed),
        by_person=frozenset(str(contact) for contact, _, _, by_person, _ in rows if by_person),
        confirmed_by_person=frozenset(
            contact for contact, _, confirmed, by_person, _ in rows if confirmed and by_person
        ),
        settled=frozenset(crm for _, crm, confirmed, by_person, _ in rows if confirmed and by_person),
        by_rules=any(not by_person for _, _, _, by_person, _ in rows),
        written=frozenset(str(contact) for contact, _, _, _, written in rows if written),
    )


def _results(
    author_id: UUID,
    known: KnownAuthor,
    gathered: Gathered,
    standing: Standing,
    by: Premises,
) -> Results:
    """What the rules say, CRM by CRM, without what people have decided already."""
    found = {}
    elsewhere = gathered.elsewhere.get(author_id)
    for crm, there in gathered.met[author_id].items():
        if crm in standing.settled:
            continue
        met = [each for each in there if each.candidate.contact_id not in standing.by_person]
        if standing.written:
            met = _without_our_writing(met, known, standing.written, elsewhere)
        if doubted := gathered.doubted.get(author_id):
            met = _doubting(met, doubted, standing)
        found[crm] = learnt(
            weigh(met, gathered.commonness[crm], by.allowed(known.network), elsewhere), by.decided.get(crm, NOTHING)
        )
    return found


def _doubting(met: Sequence[Met], doubted: frozenset[str], standing: Standing) -> list[Met]:
    """These, where such handles decide nothing: but for contacts whose they were known to be as they had them."""
    kept = set(map(str, standing.confirmed))
    return [each if each.candidate.contact_id in kept else replace(each, doubted=doubted) for each in met]


def _without_our_writing(
    met: Sequence[Met], known: KnownAuthor, written: Set[str], elsewhere: Mapping[str, str] | None
) -> list[Met]:
    """These, but for what they have in common only since Warmline itself wrote their handle into the CRM: it is no evidence of
    anything."""
    candidates = (
        _without_handle(each.candidate, known) if each.candidate.contact_id in written else each.candidate
        for each in met
    )
    return sift(known, candidates, elsewhere)


def _without_handle(candidate: Candidate, known: KnownAuthor) -> Candidate:
    ours = {handles.plain(each) for each in (known.author.handle, *known.former)}
    contact: Contact = candidate.contact
    kept = tuple(
        each for each in contact.handles if each.network != known.network or not _is_ours(each.value, known, ours)
    )
    return Candidate(candidate.contact_id, replace(contact, handles=kept))


def _is_ours(value: str, known: KnownAuthor, ours: Set[str]) -> bool:
    """Whether this is one of an author's handles, or the address of a profile of theirs, however the CRM spells that."""
    if "/" not in value:
        return handles.plain(value) in ours
    page = own_address(value)
    return handles.plain(handles.of_page(value)) in ours or (page is not None and page == own_address(known.author.url))
