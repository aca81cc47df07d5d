"""Erasing somebody, in every CRM that there is: none of their words stands in it any more, or the receipt says where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec import structs

from integrations.provider import RECHECK, Provider, Secret, Stream
from integrations.records import Author
from integrations.registry import providers
from service import connect
from service.models import PersonRequest
from service.store import erasing, pairing
from tests.fakes.crm import STREAMS
from tests.integrations.contract.harnesses import HARNESSES, OWNER, Harness
from tests.workers.conftest import World

WORD = "zebrafish"  # in all that these people wrote and are called, and in nothing else
OPEN, DONE, THEIRS = (Author(f"{WORD}-{each}", f"{WORD}_{each}", f"Zoe {WORD.title()} {each}") for each in (1, 2, 3))

# Every CRM that is spoken to over HTTP, once, and the sandbox's. (Our fake is in `test_erasing`.)
PLACES = [name for name in HARNESSES if name in providers() or "sandbox" in name]


@dataclass
class Place:
    """A workspace whose CRM is one of the harnesses'."""

    world: World
    crm: Harness

    def task_of(self, who: Author) -> str:
        """The CRM's id of their task."""
        [(found,)] = self.world.sql(
            "SELECT t.external_id FROM tasks t JOIN authors a ON a.id = t.author_id WHERE a.native_id = :id", id=who.id
        )
        return str(found)

    def look(self, *streams: str) -> None:
        self.crm.wait(60)
        self.world.look(streams=streams)

    def erase(self, who: Author) -> UUID:
        [(author,)] = self.world.sql("SELECT id FROM authors WHERE native_id = :id", id=who.id)
        with self.world.runtime.db.tenant(self.world.workspace_id) as session:
            row = erasing.begin(session, self.world.workspace_id, author, by=self.world.owner.caller.actor)
        assert row is not None
        return row.id

    def receipt(self, request: UUID) -> list[str]:
        with self.world.runtime.db.tenant(self.world.workspace_id) as session:
            row = session.get_one(PersonRequest, (self.world.workspace_id, request))
        assert row.state == "done"
        return list(row.receipt)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, world: World) -> Iterator[Place]:
    """Three people wait for an answer. The task of one is open, that of the second a colleague ticked off, and that of the third somebody
    has made theirs. The CRM knows the first two."""
    name: str = request.param
    with HARNESSES[name](unique=True) as crm:
        crm.connect()
        crm.add_owner(OWNER, "olga@acme.test")
        providers()["fakecrm"] = _manifest(name, crm)
        for key in ("fakecrm", "fakesocial"):
            connect.connect_with_secret(world.runtime, world.owner.caller, key, None, {})
        contacts = [crm.put_contact("Ada"), crm.put_contact("Ben")]
        crm.wait(60)
        for who in (OPEN, DONE, THEIRS):
            world.says(
                f"@brand Do you sell a {WORD}?",
                id=f"{WORD}-{who.id}",
                who=structs.replace(who, url=f"https://social.example/{WORD}"),
            )
        world.sql("UPDATE connections SET preview = false")
        found = Place(world, crm)
        world.look()
        for who, contact in zip((OPEN, DONE), contacts, strict=True):
            _pair(world, who, contact)
        found.look("tasks")
        assert crm.tasks_ever_created() == 3
        crm.complete(found.task_of(DONE))
        crm.edit(found.task_of(THEIRS), subject="Ring on Monday")  # type: ignore[attr-defined]  # `Able`
        found.look("tasks", RECHECK)
        assert WORD in crm.kept()
        yield found


def _manifest(name: str, crm: Harness) -> Provider[Any]:
    """The CRM's own, but for the way in: whoever connects has been through it."""
    own = providers()[name.partition(" ")[0]]
    streams = tuple(Stream(each, each, timedelta(minutes=5)) for each in STREAMS)
    client: Any = lambda access: crm.client()  # noqa: E731
    return replace(
        own,
        key="fakecrm",
        auth=Secret(),
        also=None,
        form=(),
        also_form=(),
        accounts=None,
        check=None,
        webhook=None,
        client=client,
        streams=streams,
    )


def _pair(world: World, who: Author, contact: str) -> None:
    [(author,)] = world.sql("SELECT id FROM authors WHERE native_id = :id", id=who.id)
    [(record,)] = world.sql("SELECT id FROM contacts WHERE native_id = :id", id=contact)
    with world.runtime.db.tenant(world.workspace_id) as session:
        assert pairing.pair(session, world.workspace_id, author, record, by=world.owner.caller.actor)


def test_no_word_of_theirs_stands_in_the_crm_any_more_or_the_receipt_says_where(place: Place) -> None:
    requests = [place.erase(who) for who in (OPEN, DONE, THEIRS)]
    place.world.run()
    place.world.sql("UPDATE person_requests SET next_at = now() WHERE next_at IS NOT NULL")
    place.world.run()
    taken, kept, theirs = (place.receipt(each) for each in requests)
    remains = list(providers()["fakecrm"].remains)
    assert WORD not in place.crm.kept().lower()
    history: Callable[[], str] = getattr(place.crm, "history", str)
    assert bool(remains) >= (WORD in history().lower())
    assert all(set(remains) <= set(receipt) for receipt in (taken, kept, theirs))
    assert "Taken out of the CRM: 1 open task." in taken
    assert any("keeps 1 closed task, and no word" in line for line in kept)
    assert any("People have written into 1 task" in line for line in theirs)
    assert "Ring on Monday" in place.crm.kept()
    # What is read again brings nothing of it back.
    place.world.sql("UPDATE streams SET cursor = NULL")
    place.look()
    assert place.world.sql(f"SELECT id FROM tasks WHERE content::text || written::text ILIKE '%{WORD}%'") == []
