"""Who is it: new authors against a CRM of a million contacts, how fast contacts come in, and libraries that link records."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from psycopg import Connection, sql
from psycopg.types.json import Jsonb
from sqlalchemy import text

from bench import corpus, linkers, work
from bench.crowd import NETWORK, Crowd, Profile
from bench.figures import Figure
from bench.place import Member, Place, environment, member, place
from bench.rounds import percentile
from bench.scale import Scale
from bench.worker import apart
from integrations.records import Contact
from service.config import Config
from service.ids import new_id
from service.runtime import Runtime
from service.store import filing, matching, mirroring
from service.store.contact_json import contact_fields
from workers import jobs
from workers.decide import AUTHORS, CONTACTS

PAGE = 800  # contacts of one transaction, as a pull stores them
SHARE, MOST_AUTHORS = 10, 10_000  # contacts to one author, on samples; and no more authors than that
_KEYS = (
    "INSERT INTO contact_keys (workspace_id, key, connection_id, contact_id) SELECT workspace_id, key, connection_id, id FROM contacts, unnest(filed) AS key"
    " WHERE key ~ '^[huetwnisd]'"
)
_CONTACTS = ("id", "connection_id", "native_id", "name", "company", "owner_id", "fields", "filed", "filed_version")
_AUTHORS = (
    "id",
    "provider",
    "host",
    "native_id",
    "handle",
    "name",
    "bio",
    "url",
    "website",
    "location",
    "match_due",
    "updated_at",
)
_FOUND = (
    "SELECT DISTINCT ON (a.native_id) a.native_id, c.native_id, m.score FROM matches m JOIN authors a ON a.id = m.author_id"
    " JOIN contacts c ON c.id = m.contact_id ORDER BY a.native_id, m.score DESC, c.native_id"
)


def measure(scale: Scale) -> list[Figure]:
    """Ours alone at full size, then ours beside each library on the largest sample that it does in two minutes."""
    with place() as here:
        figures = _at_full_size(here, scale)
        for name, contacts in scale.linked:
            figures += _beside(here, name, contacts)
    return figures


def _at_full_size(here: Place, scale: Scale) -> list[Figure]:
    config = here.database("matching")
    crowd = Crowd(scale.match_contacts)
    who, shop = _workspace(here, config, "matching")
    with here.admin("matching") as admin:
        _load(admin, shop, crowd.contacts)
        people = crowd.profiles(scale.match_authors + scale.match_singles)
        _authors(admin, shop, people[: scale.match_authors], due=True)
        _authors(admin, shop, people[scale.match_authors :], due=False)
        admin.execute("VACUUM ANALYZE")
    del crowd, people
    env, workspace = environment(config), str(who.workspace_id)
    many = apart(match_all, env, workspace=workspace)
    single = apart(match_singly, env, workspace=workspace)
    stored = apart(store, env, workspace=workspace, crm=str(shop.crm), number=scale.match_import)
    with here.admin("matching") as admin:
        _unfiled(admin, shop, scale.match_import)
    refiled = apart(refile, env, workspace=workspace)
    size = f"{scale.match_authors} new authors against {scale.match_contacts} contacts, {AUTHORS} at once"
    of_contacts = f"{scale.match_import} contacts beside {scale.match_contacts}, {PAGE} at once"
    return [
        Figure("matching: authors/s", many.result["authors"] / many.result["seconds"], "authors/s", size, of="value", at_least=1000),
        Figure("matching: one author, p95", percentile(single.result["milliseconds"], 0.95), "ms",
               f"{scale.match_singles} new authors, one transaction each", of="value", at_most=10),
        Figure("matching: peak memory", max(many.peak_mb, single.peak_mb), "MB", size, of="value", at_most=400),
        Figure("matching: contacts stored/s", scale.match_import / stored.result["seconds"], "contacts/s", of_contacts, of="value", at_least=5000),
        Figure("matching: contacts re-keyed/s", refiled.result["contacts"] / refiled.result["seconds"], "contacts/s", of_contacts,
               of="value", at_least=5000),
    ]  # fmt: skip


def _beside(here: Place, name: str, contacts: int) -> list[Figure]:
    """Ours and one library on the same people: who are these new authors? Ours has the contacts stored, as a product has, and how fast
    they come in is a figure of its own; a library is handed all of them as rows."""
    config = here.database(name)
    who, shop = _workspace(here, config, name)
    number = min(contacts // SHARE, MOST_AUTHORS)
    crowd = Crowd(contacts)
    people = crowd.profiles(number)
    with here.admin(name) as admin:
        _load(admin, shop, crowd.contacts)
        _authors(admin, shop, people, due=True)
        admin.execute("VACUUM ANALYZE")
        ours = apart(match_all, environment(config), workspace=str(who.workspace_id))
        found = {profile: (contact, score) for profile, contact, score in admin.execute(_FOUND)}
    theirs = apart(linkers.linked, environment(config), name=name, contacts=contacts, profiles=number)
    size = f"{number} new authors against {contacts} contacts; ours has those stored, the library gets them as rows"
    return [
        Figure(f"matching: time beside {name}", ours.result["seconds"], "s", size, theirs.result["seconds"], name, at_most=1.0),
        Figure(f"matching: F1 beside {name}", linkers.best_f1(people, found), "F1 at precision .99", size, theirs.result["f1"], name,
               at_least=1.0),
    ]  # fmt: skip


# --- a workspace full of people -------------------------------------------------------------------------------


def _workspace(here: Place, config: Config, database: str) -> tuple[Member, corpus.Shop]:
    """A workspace with an account and a CRM, whose administrator vouches for imported contacts."""
    held = Runtime(config)
    who = member(held)
    held.db.engine.dispose()
    with here.admin(database) as admin:
        shop = corpus.shop(admin, who.workspace_id)
        admin.execute("INSERT INTO attestations VALUES (%s, 'Import', 'user:olga', now())", [who.workspace_id])
    return who, shop


def _load(admin: Connection, shop: corpus.Shop, contacts: Sequence[Contact]) -> None:
    """Contacts by COPY, as pulls would have left them."""
    _copy(admin, "contacts", _CONTACTS, (_row(shop, each, filing.tokens(each), filing.VERSION) for each in contacts))
    admin.execute(_KEYS)
    admin.execute(corpus.COUNTS, [shop.workspace_id])


def _unfiled(admin: Connection, shop: corpus.Shop, number: int) -> None:
    """Contacts that stand under no key yet, as after a change of the rules that changes every key."""
    crowd = Crowd(number, seed=3)
    _copy(admin, "contacts", _CONTACTS, (_row(shop, each, [], 0, "unfiled-") for each in crowd.contacts))


def _row(shop: corpus.Shop, each: Contact, filed: list[str], version: int, prefix: str = "") -> Sequence[Any]:
    return (
        shop.workspace_id, new_id(), shop.crm, f"{prefix}{each.id}", each.name, each.company, each.owner_id, Jsonb(contact_fields(each)),
        filed, version,
    )  # fmt: skip


def _authors(admin: Connection, shop: corpus.Shop, people: Sequence[Profile], *, due: bool) -> None:
    authors = (each.known.author for each in people)
    rows = (
        (shop.workspace_id, new_id(), NETWORK, "", a.id, a.handle, a.name, a.bio, a.url, a.website, a.location, due, corpus.NOW)
        for a in authors
    )  # fmt: skip
    _copy(admin, "authors", _AUTHORS, rows)


def _copy(admin: Connection, table: str, names: Sequence[str], rows: Iterator[Sequence[Any]]) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, ("workspace_id", *names)))
    with (
        admin.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), columns)) as copy,
    ):
        for row in rows:
            copy.write_row(row)


# --- what is timed, in processes of their own -----------------------------------------------------------------


def match_all(workspace: str) -> dict[str, float]:
    """Matches all authors that are due, as a worker does."""
    jobs.preload()  # as a worker does before it takes a job
    begun, authors = time.perf_counter(), 0
    while found := _match(UUID(workspace), AUTHORS):
        authors += found
    return {"seconds": time.perf_counter() - begun, "authors": authors}


def _match(workspace_id: UUID, limit: int) -> int:
    with work.runtime().db.tenant(workspace_id) as session:
        return matching.match_due(session, workspace_id, limit)


def match_singly(workspace: str) -> dict[str, list[float]]:
    """Makes the other authors due, one by one, and matches each."""
    jobs.preload()
    workspace_id, held, taken = UUID(workspace), work.runtime(), []
    with held.db.tenant(workspace_id) as session:
        ids = session.scalars(text("SELECT id FROM authors WHERE likely IS NULL")).all()
    for each in ids:
        with held.db.tenant(workspace_id) as session:
            session.execute(text("UPDATE authors SET match_due = true WHERE id = :id"), {"id": each})
        begun = time.perf_counter()
        _match(workspace_id, AUTHORS)
        taken.append((time.perf_counter() - begun) * 1000)
    return {"milliseconds": taken}


def store(workspace: str, crm: str, number: int, seed: int = 2) -> dict[str, float]:
    """Stores contacts as a pull does, page by page."""
    jobs.preload()
    contacts = [replace(each, id=f"more-{each.id}") for each in Crowd(number, seed=seed).contacts]
    begun = time.perf_counter()
    _store(UUID(workspace), UUID(crm), contacts)
    return {"seconds": time.perf_counter() - begun}


def _store(workspace_id: UUID, crm: UUID, contacts: Sequence[Contact]) -> None:
    for start in range(0, len(contacts), PAGE):
        with work.runtime().db.tenant(workspace_id) as session:
            mirroring.save_contacts(session, workspace_id, crm, contacts[start : start + PAGE])


def refile(workspace: str) -> dict[str, float]:
    """Files anew all contacts that older rules have filed."""
    jobs.preload()
    workspace_id, held = UUID(workspace), work.runtime()
    with held.db.tenant(workspace_id) as session:
        contacts = filing.waiting(session, workspace_id)
    begun, more = time.perf_counter(), True
    while more:
        with held.db.tenant(workspace_id) as session:
            more = mirroring.refile(session, workspace_id, CONTACTS)
    return {"seconds": time.perf_counter() - begun, "contacts": contacts}
