"""Calendars over the API: an address goes in and never comes out, and how old what it said is always does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from marshmallow import RAISE
from sqlalchemy import select, text

from service.api.calendars import CalendarSchema
from service.clock import real_now
from service.models import Audit, CalendarFeed
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.api.checking import check
from tests.service.api.conftest import Client
from tests.service.rows import Rows

SECRET = "https://cal.example/private-7f3a/basic.ics"
NEW = {"email": "Olga@acme.test", "url": SECRET}


@pytest.fixture
def known(rows: Rows) -> None:
    """A CRM in which Olga owns records."""
    rows.owner(rows.connection(provider="fakecrm", kind="crm", brand=False), "77", "olga@acme.test")


@pytest.fixture
def made(client: Client, known: None) -> dict[str, Any]:
    response = client.post("/calendars", json=NEW)
    assert response.status_code == 201, response.get_data(as_text=True)
    assert response.headers["Location"] == f"/v1/calendars/{response.get_json()['id']}"
    body: dict[str, Any] = response.get_json()
    return body


def read(held: Runtime, owner: Member, *, ago: timedelta, **values: Any) -> None:
    """As a worker leaves it that has read the calendar."""
    with held.db.tenant(owner.workspace_id) as session:
        row = session.scalars(select(CalendarFeed)).one()
        row.fetched_at = row.tried_at = real_now() - ago
        row.covers_until = real_now() + timedelta(days=31)
        for name, value in values.items():
            setattr(row, name, value)
        session.execute(
            text(
                "INSERT INTO busy_times SELECT workspace_id, id, now(), now() + interval '1 hour' FROM calendar_feeds ON CONFLICT DO NOTHING"
            )
        )


def test_a_calendar_is_added_by_its_address_and_read_soon(client: Client, made: dict[str, Any]) -> None:
    assert CalendarSchema(unknown=RAISE).validate(made) == {}
    assert (made["email"], made["host"]) == ("olga@acme.test", "cal.example")
    assert made["shielded"] is False
    assert made["health"] == "It is being read for the first time."
    assert made["next_fetch_at"]
    assert client.get(f"/calendars/{made['id']}").get_json() == made
    assert client.get("/calendars").get_json() == {"items": [made], "next_cursor": None}
    assert client.get("/calendars?email=OLGA@acme.test").get_json()["items"] == [made]
    assert client.get("/calendars?email=omar@acme.test").get_json()["items"] == []


def test_the_address_is_never_shown_again_nor_logged(
    client: Client, held: Runtime, owner: Member, made: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    shown = [client.get(path).get_data(as_text=True) for path in ("/calendars", f"/calendars/{made['id']}", "/figures")]
    with held.db.tenant(owner.workspace_id) as session:
        row = session.scalars(select(CalendarFeed)).one()
        shown += [repr(row.__dict__), *(each.subject for each in session.scalars(select(Audit)))]
    assert not [each for each in [*shown, *capfd.readouterr()] if "private-7f3a" in each]


def test_how_it_is_is_said_truthfully(client: Client, held: Runtime, owner: Member, made: dict[str, Any]) -> None:
    def now() -> dict[str, Any]:
        body: dict[str, Any] = client.get(f"/calendars/{made['id']}").get_json()
        return body

    read(held, owner, ago=timedelta(minutes=3))
    assert now()["shielded"] is True
    assert now()["not_shielded_since"] is None
    assert now()["health"].startswith("Read 3 minutes ago: 1 busy time until ")

    read(held, owner, ago=timedelta(minutes=3), error="cal.example cannot be reached.", left_out=2)
    assert now()["health"].endswith(
        "The last try failed: cal.example cannot be reached. 2 events in it could not be read, so nothing is held back for those."
    )

    read(held, owner, ago=timedelta(hours=3), left_out=0)
    assert now()["shielded"] is False
    assert now()["not_shielded_since"]
    assert now()["health"].startswith("Not shielded by this calendar since ")
    assert now()["health"].endswith(
        "; it was last read 3 hours ago. cal.example cannot be reached. What it said then still holds tasks back."
    )
    [notice] = client.get("/figures").get_json()["notices"]
    assert notice.startswith("The calendar of olga@acme.test at cal.example: Not shielded by this calendar since ")

    read(held, owner, ago=timedelta(0), error="", fetched_at=None)
    assert now()["health"] == "It is being read for the first time."
    read(held, owner, ago=timedelta(0), error="What stands at that address is not a calendar.", fetched_at=None)
    assert now()["health"] == "Nobody is shielded by it yet. What stands at that address is not a calendar."


def test_a_calendar_of_nobody_the_crm_knows_shields_nobody(
    client: Client, held: Runtime, owner: Member, known: None
) -> None:
    client.post("/calendars", json={**NEW, "email": "nobody@acme.test"})
    read(held, owner, ago=timedelta(minutes=3))
    [row] = client.get("/calendars").get_json()["items"]
    assert row["shielded"] is False
    assert row["health"].endswith("No CRM has an owner with the address nobody@acme.test, so it shields nobody.")


@pytest.mark.parametrize(
    "url",
    ["http://cal.example/a.ics", "ftp://cal.example/a.ics", "cal.example/a.ics", "file:///etc/passwd", "https://"],
)
def test_an_address_that_is_not_called_is_refused(client: Client, known: None, url: str) -> None:
    detail = check(client.post("/calendars", json={**NEW, "url": url}), 422)
    assert "https" in detail
    assert client.get("/calendars").get_json()["items"] == []


def test_the_same_calendar_is_not_added_twice(client: Client, made: dict[str, Any]) -> None:
    assert check(client.post("/calendars", json=NEW), 409) == "This calendar of olga@acme.test is there already."
    assert client.post("/calendars", json={**NEW, "email": "omar@acme.test"}).status_code == 201


def test_a_calendar_is_read_again_when_somebody_asks(
    client: Client, held: Runtime, owner: Member, made: dict[str, Any]
) -> None:
    read(held, owner, ago=timedelta(minutes=3), next_fetch_at=real_now() + timedelta(minutes=7))
    response = client.post(f"/calendars/{made['id']}/refresh")
    assert (response.status_code, response.get_json()) == (202, {"calendar_id": made["id"]})
    with held.db.tenant(owner.workspace_id) as session:
        due = session.scalars(select(CalendarFeed.next_fetch_at)).one()
    assert due is not None
    assert due <= real_now()


def test_a_calendar_that_is_removed_is_gone_with_its_busy_times(
    client: Client, held: Runtime, owner: Member, made: dict[str, Any]
) -> None:
    read(held, owner, ago=timedelta(minutes=3))
    assert client.delete(f"/calendars/{made['id']}").status_code == 204
    check(client.get(f"/calendars/{made['id']}"), 404)
    with held.db.tenant(owner.workspace_id) as session:
        assert session.execute(text("SELECT count(*) FROM busy_times")).scalar() == 0
        assert {"calendar.added", "calendar.removed"} <= {each.action for each in session.scalars(select(Audit))}
