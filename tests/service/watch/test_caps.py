"""How much is left of what a provider lets this installation read in a month, over all workspaces, and who is told how much of that."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any
from uuid import uuid4

import pytest

from integrations.provider import Cap
from service.app import create_app
from service.clock import real_now
from service.config import Config
from service.db import scheduler_engine
from service.models import Spend
from service.rules.spending import month_of
from service.runtime import Runtime
from service.watch import caps
from service.watch.caps import Used
from tests.conftest import Member
from tests.service.rows import Rows

TOKEN = "a-token-that-only-the-test-knows"
CAP = Cap("post", 3_000_000, "the price list")
TODAY = real_now().astimezone(UTC).date()


def bought(held: Runtime, member: Member, reads: int, **more: Any) -> None:
    rows = Rows(held.db, member.workspace_id, real_now())
    found: dict[str, Any] = {"provider": "x", "day": TODAY, "name": "post", **more}
    connection = rows.connection(provider=found.pop("provider"), account_id=uuid4().hex, streams=())
    with held.db.tenant(member.workspace_id) as session:
        session.add(Spend(workspace_id=member.workspace_id, connection_id=connection, reads=reads, micros=0, **found))


@pytest.fixture
def read(held: Runtime, owner: Member, stranger: Member) -> None:
    """What two workspaces have read, of posts and of other things."""
    bought(held, owner, 40_000)
    bought(held, stranger, 2_000)
    bought(held, owner, 500, name="user")
    bought(held, owner, 500, provider="mastodon")
    bought(held, owner, 500, day=month_of(TODAY) - timedelta(days=1))


@pytest.mark.usefixtures("read")
def test_what_all_workspaces_have_read_in_this_month_is_held_against_the_cap(config: Config) -> None:
    [found] = [
        each for each in caps.look(scheduler_engine(config.need("database_scheduler_url"))) if each.provider == "x"
    ]
    assert (found.cap.name, found.reads, found.percent_left) == ("post", 42_000, 98)


@pytest.mark.parametrize(("reads", "percent"), [(0, 100), (1, 99), (2_999_999, 0), (4_000_000, 0)])
def test_no_more_is_promised_than_is_left(reads: int, percent: int) -> None:
    assert Used("x", CAP, reads).percent_left == percent


def test_a_workspace_is_told_a_share_out_of_which_nobody_reads_what_another_one_spends() -> None:
    told = {caps.in_words([Used("x", CAP, reads)], "x") for reads in (30_001, 42_000, 59_999)}
    assert told == {
        f"98 % of the 3,000,000 posts that X lets this installation read in {TODAY:%B} are left, for all of its workspaces together."
    }
    assert caps.in_words([Used("x", CAP, 1)], "mastodon") == ""


@pytest.mark.usefixtures("read")
def test_the_page_of_figures_has_what_is_read_and_the_most(config: Config) -> None:
    app = create_app(replace(config, metrics_token=TOKEN))
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    app.extensions["warmline"].db.engine.dispose()
    app.extensions["warmline"].redis.close()
    assert 'warmline_capped_reads{price="post",provider="x"} 42000.0' in answer.text
    assert 'warmline_capped_reads_most{price="post",provider="x"} 3e+06' in answer.text


def test_nothing_is_told_while_it_cannot_be_read(held: Runtime) -> None:
    assert caps.Kept().look(Runtime(replace(held.config, database_scheduler_url=None))) == ()
