"""What real Odoos answered, read as it came: by JSON-2 with its status, by JSON-RPC always with 200. `tests.live.test_odoo` asks one
again, and writes `answers_<version>.json` anew where WARMLINE_ODOO_KEEP is set. People in it are made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.crm.odoo.meaning import NoSuchDatabaseError
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
from tests.integrations.crm.odoo.versions import JSON2_SINCE

Make = Callable[..., World]
ANSWERS: dict[int, dict[str, Any]] = {
    int(file.stem.removeprefix("answers_")): json.loads(file.read_text())
    for file in sorted(Path(__file__).parent.glob("answers_*.json"))
}
BY_RPC = [version for version in ANSWERS if version < JSON2_SINCE]
DUE = datetime(2030, 5, 3, 22, 30, tzinfo=UTC)  # in Madrid, where its user's clocks are, that is the day after
BODY = 'She asked: größe? <b> & "x"\n\nhttps://x.example/1?a=1&b=2'


@pytest.fixture(params=ANSWERS)
def world(make: Make, request: pytest.FixtureRequest) -> World:
    """An Odoo in memory of one of these versions, where one call is answered as the real one did."""
    made = make(version=request.param)
    made.options |= {"partner_fields": ["name", "email"], "contact_properties": [{"name": "x_twitter", "network": "x"}]}
    made.put_user(_user(ANSWERS[request.param]), "olga@acme.test", tz="Europe/Madrid")
    return made


def _answer(told: dict[str, Any]) -> tuple[int, Any]:
    """The status and the body, by either API."""
    return (told["status"], told["body"]) if "status" in told else (200, told)


def _user(answers: dict[str, Any]) -> int:
    """Whose the activity is."""
    _, body = _answer(answers["activity"])
    [row] = body if isinstance(body, list) else body["result"]
    return int(row["user_id"][0])


def answers(world: World, call: str, asked: str) -> None:
    code, body = _answer(ANSWERS[world.server.version][asked])
    text = body if isinstance(body, str) else json.dumps(body)
    world.server.faults.add("POST", f"^{call}$", status(code, text), times=1)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ("key taken back", AuthenticationError, "does not accept this API key"),
        ("no such record", NotFoundError, "Odoo says: "),
        ("no such field", InvalidRequestError, "nvalid field"),
        ("guarded record", PermissionDeniedError, "Odoo says: "),
        ("no right", PermissionDeniedError, "ir.rule"),
        ("no such day", InvalidRequestError, "2030-13-01"),
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


def test_a_database_that_it_has_not_is_known_for_what_it_is(world: World) -> None:
    answers(world, "res.users/search_read", "no such database")

    with pytest.raises((NoSuchDatabaseError, InvalidRequestError), match="database") as raised:
        list(world.client().pull("owners", None))

    assert isinstance(raised.value, NoSuchDatabaseError) is (world.server.version >= JSON2_SINCE)
    assert "/srv/odoo" not in str(raised.value)


def test_its_version_is_understood(world: World) -> None:
    answers(world, "common/version", "version")

    assert world.client(options={})._api.version == world.server.version


@pytest.mark.parametrize("version", BY_RPC)
def test_a_wrong_key_is_understood(make: Make, version: int) -> None:
    world = make(version=version, prepared=False)
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
        str(_user(ANSWERS[world.server.version])),
        "",
    )


def test_its_activity_is_read_back_as_it_was_sent(world: World) -> None:
    answers(world, "mail.activity/search_read", "activity")

    [stands] = [each for page in world.client().pull("tasks", None) for each in page.items]

    assert isinstance(stands, TaskState)
    assert (stands.key, stands.status, stands.due_at, stands.body) == ("u-kept", TaskStatus.OPEN, DUE, BODY)
    assert stands.owner_id == str(_user(ANSWERS[world.server.version]))


@pytest.mark.parametrize("version", BY_RPC)
def test_one_that_was_ticked_off_and_deleted_is_known_again_by_what_stands_in_the_history(
    make: Make, version: int
) -> None:
    world = make(version=version, keeps_done=False, read_only={"mail.activity.type"})
    answers(world, "mail.message/search_read", "ticked off")

    [done] = [each for page in world.client().pull("tasks", None) for each in page.items]

    assert isinstance(done, TaskState)
    assert (done.key, done.status, done.bare) == ("u-kept", TaskStatus.COMPLETED, True)


def test_one_that_was_ticked_off_and_archived_is_done(make: Make) -> None:
    world = make(version=19)
    answers(world, "mail.activity/search_read", "done")

    [done] = world.client().read_tasks(["4"])

    assert isinstance(done, TaskState)
    assert (done.key, done.status, done.body) == ("u-kept", TaskStatus.COMPLETED, BODY)
    assert done.completed_at == done.updated_at
