"""The pages of calendars and figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from service.clock import real_now
from service.models import CalendarFeed
from service.rules.volume import Fared
from service.runtime import Runtime
from service.store import figures
from tests.conftest import Member
from tests.service.console.conftest import Browser, words_of
from tests.service.console.scenes import Scene, busy_day
from tests.service.rows import Rows

SECRET = "https://cal.example/private-7f3a/basic.ics"


@pytest.fixture
def scene(held: Runtime, owner: Member) -> Scene:
    return busy_day(held, owner.workspace_id)


def feed(held: Runtime, owner: Member) -> CalendarFeed | None:
    with held.db.tenant(owner.workspace_id) as session:
        return session.scalars(select(CalendarFeed)).one_or_none()


def test_somebody_adds_a_calendar_and_its_address_is_never_shown_again(
    olga: Browser, held: Runtime, owner: Member, scene: Scene
) -> None:
    assert "No calendar is known yet." in words_of(olga.get("/calendars"))
    posted = olga.post("/calendars", {"email": "olga@acme.test", "url": SECRET})
    assert posted.status_code == 303
    response = olga.get(posted.headers["Location"])
    words = words_of(response)
    assert "Added. It is being read now." in words
    assert "olga@acme.test Not shielded At cal.example It is being read for the first time." in words
    assert "private-7f3a" not in response.text


@pytest.mark.parametrize(
    ("email", "url", "sentence"),
    [
        ("olga", SECRET, "'olga' is not an e-mail address."),
        ("olga@acme.test", "http://cal.example/private-7f3a", "A calendar is read over https only. Use the address that begins with https://"),
        ("olga@acme.test", "", "That is not an address. Copy it from the calendar's settings"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_a_sentence(
    olga: Browser, held: Runtime, owner: Member, scene: Scene, email: str, url: str, sentence: str
) -> None:
    response = olga.post("/calendars", {"email": email, "url": url})
    assert response.status_code == 400
    assert sentence in words_of(response)
    assert "private-7f3a" not in response.text
    assert feed(held, owner) is None


def test_a_calendar_that_grew_old_says_so_here_and_on_the_first_page(
    olga: Browser, held: Runtime, owner: Member, scene: Scene
) -> None:
    olga.post("/calendars", {"email": "olga@acme.test", "url": SECRET})
    with held.db.tenant(owner.workspace_id) as session:
        row = session.scalars(select(CalendarFeed)).one()
        row.fetched_at, row.covers_until = real_now() - timedelta(hours=2), real_now()
    assert "Not shielded by this calendar since" in words_of(olga.get("/calendars"))
    assert "The calendar of olga@acme.test at cal.example: Not shielded by this calendar since" in words_of(
        olga.get("/")
    )


def test_a_calendar_is_read_again_and_removed(olga: Browser, held: Runtime, owner: Member, scene: Scene) -> None:
    olga.post("/calendars", {"email": "olga@acme.test", "url": SECRET})
    row = feed(held, owner)
    assert row is not None
    assert "Reading it now." in words_of(olga.get(olga.post(f"/calendars/{row.id}/refresh").headers["Location"]))
    assert "Removed" in words_of(olga.get(olga.post(f"/calendars/{row.id}/remove").headers["Location"]))
    assert feed(held, owner) is None


def test_figures_show_what_people_did_with_the_tasks(olga: Browser, held: Runtime, owner: Member, scene: Scene) -> None:
    rows = Rows(held.db, owner.workspace_id, real_now())
    given: dict[str, Any] = {
        "crm": scene.crm, "pushed_at": real_now() - timedelta(hours=5), "closed_at": real_now() - timedelta(hours=1),
        "content": {"owner_id": "7"},
    }  # fmt: skip
    for number in range(3):
        rows.task(key=f"x{number}", wanted="completed", state="completed", closed_by="crm", **given)
    rows.task(key="y", wanted="completed", state="completed", closed_by="link", **given)
    response = olga.get("/figures")
    assert "Olga Berg Waiting for an answer 3" in words_of(response)
    assert "4 hours" in words_of(response)
    assert 'aria-label="acted on 3, dismissed 1' in response.text
    assert "style=" not in response.text


def test_a_rule_that_gives_half_is_said_on_the_first_page_and_beside_the_figures(
    olga: Browser, held: Runtime, owner: Member, scene: Scene
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        figures.set_volume(session, owner.workspace_id, "unanswered", Fared(2, 9), slowed_at=real_now(), usual=4, now=real_now())  # fmt: skip
    for path in ("/", "/figures"):
        assert "now come at half their number: of 11 closed in two weeks, 9 were dismissed." in words_of(olga.get(path))
