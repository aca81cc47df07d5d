"""What a real Odoo 11.0 answered, read as it came. `tests.live.test_odoo` asks one again, and writes `answers_11.json` anew where
WARMLINE_ODOO_KEEP is set. People in it are made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.errors import (
    AuthenticationError,
    IntegrationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from integrations.records import Contact, Handle, TaskState, TaskStatus
from tests.integrations.crm.faults import status
from tests.integrations.crm.odoo.conftest import World

Make = Callable[..., World]
ANSWERS: dict[str, Any] = json.loads(Path(__file__).with_name("answers_11.json").read_text())
DUE = datetime(2030, 5, 3, 22, 30, tzinfo=UTC)  # in Madrid, where its user's clocks are, that is the day after


@pytest.fixture
def world(make: Make) -> World:
    """An Odoo 11 in memory, where one call is answered as the real one did."""
    made = make(version=11)
    made.put_user(6, "olga@acme.test", tz="Europe/Madrid")
    made.options |= {"partner_fields": ["name", "email"], "contact_properties": [{"name": "x_twitter", "network": "x"}]}
    return made


def answers(world: World, call: str, asked: str) -> None:
    world.server.faults.add("POST", f"^{call}$", status(200, json.dumps(ANSWERS[asked])), times=1)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ("key taken back", AuthenticationError, "does not accept this API key"),
        ("no such database", InvalidRequestError, "no database of this name"),
        ("no such record", NotFoundError, "please try again after refreshing."),
        ("no such field", InvalidRequestError, "Invalid field 'nowhere'"),
        ("guarded record", PermissionDeniedError, "security restrictions"),
        ("no right", PermissionDeniedError, "do that: - Administration/Access Rights (Document model: ir.rule)"),
        ("no such day", InvalidRequestError, 'out of range: "2030-13-01"'),
    ],
)
def test_what_it_refused_is_known_for_what_it_is(
    world: World, asked: str, error: type[IntegrationError], says: str
) -> None:
    answers(world, "res.users/search_read", asked)

    with pytest.raises(error) as raised:
        list(world.client().pull("owners", None))

    assert says in str(raised.value)
    for never in ("None", "UPDATE", "/srv/odoo", "Traceback"):
        assert never not in str(raised.value)


def test_its_version_and_a_wrong_key_are_understood(make: Make) -> None:
    world = make(version=17, prepared=False)
    answers(world, "common/version", "version")
    assert world.client()._api.version == 11

    answers(world, "common/authenticate", "wrong key")
    with pytest.raises(AuthenticationError):
        world.client().prepare()


def test_its_contact_is_read(world: World) -> None:
    answers(world, "res.partner/search_read", "partner")

    [page, *_] = world.client().pull("contacts", None)

    [contact] = page.items
    assert isinstance(contact, Contact)
    assert (contact.name, contact.emails, contact.handles, contact.owner_id, contact.company) == (
        "Ada Example",
        ("ada@example.com",),
        (Handle("x", "ada"),),
        "6",
        "",
    )


def test_its_activity_is_read_back_as_it_was_sent_and_known_again_once_it_was_ticked_off(world: World) -> None:
    answers(world, "mail.activity/search_read", "activity")
    answers(world, "mail.message/search_read", "ticked off")

    found = [each for page in world.client().pull("tasks", None) for each in page.items]

    [stands, done] = [each for each in found if isinstance(each, TaskState)]
    assert (stands.key, stands.status, stands.due_at, stands.owner_id) == ("u-kept", TaskStatus.OPEN, DUE, "6")
    assert stands.body == 'She asked: größe? <b> & "x"\n\nhttps://x.example/1?a=1&b=2'
    assert (done.key, done.status, done.bare) == ("u-kept", TaskStatus.COMPLETED, True)
