"""The card of a connection: its light, what it costs, its ceiling, and the switch that pauses it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from integrations.provider import Cap
from service.api import connection_shown
from service.clock import real_now
from service.models import Connection, Spend, Stream
from service.runtime import Runtime
from service.store import listing
from service.watch import doors
from service.watch.caps import Used
from tests.service.console.conftest import Browser
from tests.service.console.scenes import Scene, busy_day


@pytest.fixture
def scene(held: Runtime, owner: Any) -> Scene:
    return busy_day(held, owner.workspace_id)


def card(olga: Browser) -> str:
    return str(olga.get("/connections").get_data(as_text=True))


def test_a_light_is_green_only_when_something_arrived_or_was_served_again(
    olga: Browser, scene: Scene, held: Runtime
) -> None:
    mine = (Stream.workspace_id == scene.workspace_id, Stream.connection_id == scene.social)

    def arrived(**values: Any) -> None:
        with held.db.tenant(scene.workspace_id) as session:
            session.execute(update(Stream).where(*mine).values(**values))

    def light() -> str:
        body = card(olga).split(f'id="c-{scene.social}"')[1]
        return body.split('class="light ')[1].split('"')[0]

    now = real_now()
    fresh = {"last_pulled_at": now, "failures": 0, "error": "", "status": "active", "next_pull_at": now}
    arrived(**fresh, last_item_at=None, served_at=None)
    assert light() == "waiting"
    assert "Nothing shows that reading works: mention the account from another one" in card(olga)
    arrived(served_at=now - timedelta(hours=1))
    assert light() == "well"
    arrived(served_at=now - timedelta(days=20))
    assert light() == "waiting"
    arrived(last_item_at=now)
    assert light() == "well"
    arrived(failures=5, error="X is not answering")
    assert light() == "trouble"


def test_what_was_not_read_for_days_is_told_on_the_card_and_by_the_api(
    olga: Browser, scene: Scene, held: Runtime
) -> None:
    mine = (Stream.workspace_id == scene.workspace_id, Stream.connection_id == scene.social)
    ago = real_now() - timedelta(days=6)
    with held.db.tenant(scene.workspace_id) as session:
        session.execute(update(Connection).where(Connection.id == scene.social).values(status_at=ago))
        session.execute(update(Stream).where(*mine).values(last_pulled_at=ago, served_at=ago, next_pull_at=ago))
        session.execute(update(Stream).where(*mine).values(last_item_at=ago, failures=0, waits_for="rate_limit"))
        [row], _ = listing.connections(session, scene.workspace_id, filters={"kind": "social"})
    body = card(olga).split(f'id="c-{scene.social}"')[1]
    assert body.split('class="light ')[1].split('"')[0] == "trouble"
    shown = connection_shown.dump(row, ZoneInfo("UTC"))
    assert shown["condition"]["light"] == "trouble"
    for told, where in (
        ("Not read since ", shown["health"]),
        ("how much the app and its plan may still read", shown["condition"]["advice"]),
    ):
        assert told in where
        assert told in body


def test_pausing_and_resuming_say_so(olga: Browser, scene: Scene, held: Runtime) -> None:
    assert "Pause" in card(olga)
    assert olga.post(f"/connections/{scene.social}/pause").status_code == 303
    assert "Paused. Nothing is read or written until somebody resumes it." in card(olga)
    assert olga.post(f"/connections/{scene.social}/resume").status_code == 303
    assert "Paused." not in card(olga)


@pytest.fixture
def priced(scene: Scene, held: Runtime) -> Scene:
    """Chirp has a price, and something was bought there."""
    bought = Spend(workspace_id=scene.workspace_id, connection_id=scene.social, day=real_now().date(), name="post", reads=680, micros=3_400_000)  # fmt: skip
    with held.db.tenant(scene.workspace_id) as session:
        session.add(bought)
    return scene


def test_the_card_says_what_this_month_cost_and_what_is_left(olga: Browser, priced: Scene) -> None:
    assert "This month: $3.40 for 680 posts." in card(olga)
    assert olga.post(f"/connections/{priced.social}/ceiling", {"dollars": "5"}).status_code == 303
    assert "$1.60 of $5 is left." in card(olga)
    assert olga.post(f"/connections/{priced.social}/ceiling", {"dollars": ""}).status_code == 303
    assert "is left" not in card(olga)


@pytest.mark.parametrize("typed", ["-1", "1.5", "many", "1000001", "٣"])
def test_a_ceiling_that_is_none_is_refused_plainly(olga: Browser, priced: Scene, typed: str) -> None:
    answer = olga.post(f"/connections/{priced.social}/ceiling", {"dollars": typed})
    assert answer.status_code == 400
    assert "Write whole US dollars" in answer.get_data(as_text=True)


def test_a_card_says_how_much_the_provider_still_serves(olga: Browser, scene: Scene, held: Runtime) -> None:
    budget = {"left": 12_400, "most": 15_000, "what": "calls a day", "at": real_now().isoformat()}
    with held.db.tenant(scene.workspace_id) as session:
        session.execute(update(Stream).where(Stream.connection_id == scene.social).values(budget=budget))
    assert "12,400 of 15,000 calls a day are left." in card(olga)


def test_a_card_says_how_much_is_left_of_what_this_installation_may_read(
    olga: Browser, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Used("chirp", Cap("post", 3_000_000, "the price list"), 42_000)
    monkeypatch.setattr(doors, "capped", lambda: (used,))
    assert "98 % of the 3,000,000 posts that" in card(olga)
