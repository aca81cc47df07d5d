"""What a person changes in the settings, and what another workspace reaches: nothing."""

from __future__ import annotations

import threading

import pytest
from marshmallow import ValidationError
from sqlalchemy import select, text

from service.models import (
    Conversation,
    Match,
    Relationship,
    Settings,
    Task,
)
from service.rules.model import MatchState
from service.runtime import Runtime
from service.store import acting, ruling, tending
from tests.conftest import Member
from tests.service.acting.acts import BY, NOW, Acts, Pair, Waiting, audits
from tests.service.rows import Rows


def test_new_settings_are_a_new_version_under_which_everything_is_decided_again(
    rows: Rows, act: Acts, pair: Pair
) -> None:
    row = act.change_settings({"daily_cap": 9}, by=BY)

    assert (row.version, row.values["daily_cap"], row.changed_by) == (2, 9, BY)
    assert rows.get(Conversation, pair.bystander).decide_at == NOW
    assert rows.get(Relationship, pair.of_second).decide_at == NOW
    assert audits(rows) == [(BY, "settings.changed", "settings:2")]


def test_whoever_has_seen_an_older_version_changes_nothing(rows: Rows, act: Acts) -> None:
    act.change_settings({"daily_cap": 9}, by=BY, expected=1)
    with pytest.raises(ruling.StaleVersionError) as refused:
        act.change_settings({"daily_cap": 3}, by=BY, expected=1)

    assert refused.value.current == 2
    with rows.db.tenant(rows.workspace_id) as session:
        assert session.scalars(select(Settings.version).order_by(Settings.version)).all() == [1, 2]


def test_settings_that_cannot_be_used_change_nothing(rows: Rows, act: Acts) -> None:
    with pytest.raises(ValidationError):
        act.change_settings({"timezone": "Mars/Olympus"}, by=BY)
    assert audits(rows) == []


def test_two_people_who_change_the_same_version_at_once_are_told_apart(rows: Rows, act: Acts) -> None:
    start, stale = threading.Barrier(2), []

    def change(cap: int) -> None:
        start.wait()
        try:
            act.change_settings({"daily_cap": cap}, by=BY, expected=1)
        except ruling.StaleVersionError:
            stale.append(cap)

    threads = [threading.Thread(target=change, args=(cap,)) for cap in (3, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stale) == 1


def test_another_workspace_reaches_nothing(
    rows: Rows, held: Runtime, stranger: Member, waiting: Waiting, pair: Pair
) -> None:
    match, task = rows.match(pair.author, pair.first), waiting.task()
    with held.db.tenant(stranger.workspace_id) as session:
        theirs = stranger.workspace_id
        assert acting.decide_match(session, theirs, match, MatchState.CONFIRMED, by=BY) is None
        assert acting.undo_match(session, theirs, match, by=BY) is None
        assert acting.dismiss_task(session, theirs, task, by=BY) is None
        assert tending.approve_crm(session, theirs, waiting.crm, by=BY, user_id=None) is None
        assert tending.set_responder(session, theirs, waiting.crm, "rita@rival.test", by=BY) is None
        assert not tending.pull_now(session, theirs, waiting.crm)
        assert session.scalar(text("SELECT count(*) FROM audit WHERE action NOT LIKE 'signin.%'")) == 0
    assert rows.get(Match, match).state == "suggested"
    assert rows.get(Task, task).wanted == "open"
