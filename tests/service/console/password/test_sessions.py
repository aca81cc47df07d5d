"""Sessions that began by a password: how they end, and what they may do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from service import sessions
from service.clock import real_now
from service.models import Audit, Identity, SigninSession
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.console.conftest import Browser, words_of
from tests.service.console.password.pages import GOOD, WRONG, enter, trail


def test_a_session_ends_when_nobody_uses_it_and_at_last_in_any_case(olga: Browser, held: Runtime) -> None:
    start = real_now()
    with time_machine.travel(start + sessions.IDLE - timedelta(minutes=1), tick=False) as clock:
        assert olga.get("/").status_code == 200
        for days in (7, 10, 13):
            clock.move_to(start + timedelta(days=days))
            assert olga.get("/").status_code == 200
        clock.move_to(start + sessions.LIFETIME + timedelta(seconds=1))
        assert olga.get("/").status_code == 401
    with time_machine.travel(start, tick=False), held.db.globally() as session:
        session.execute(update(SigninSession).values(last_seen_at=start - sessions.IDLE - timedelta(minutes=1)))
    with time_machine.travel(start, tick=False):
        assert olga.get("/").status_code == 401


def test_all_other_sessions_are_ended_with_one_press(
    with_password: Browser, owner: Member, app: Flask, held: Runtime
) -> None:
    others = [app.test_client() for _ in range(2)]
    for each in others:
        enter(each, owner.email, GOOD)
    assert words_of(with_password.get("/account")).count("Firefox on Linux") >= 2
    assert with_password.post("/account/sessions/end-others").location == "/account?done=others_ended"
    assert [each.get("/").status_code for each in others] == [401, 401]
    assert with_password.get("/").status_code == 200
    assert "session.others_ended" in _actions(held, owner)


LATER = sessions.FRESH + timedelta(minutes=1)


@pytest.fixture
def changes(with_password: Browser, owner: Member, app: Flask, held: Runtime) -> dict[str, Any]:
    """What one may do about signing in, by its form, and what there is to lose."""
    other = app.test_client()
    enter(other, owner.email, GOOD)
    page = with_password.get("/account").text
    with held.db.globally() as session:
        session.add(Identity(issuer="https://id.test", subject="olga", user_id=owner.user_id, last_used_at=real_now()))
        session.flush()
        identity = session.scalars(select(Identity.id)).one()
    [*_, device] = re.findall(r"/account/devices/[\w-]+/forget", page)
    [session_of] = set(re.findall(r"/account/sessions/[\w-]{36}/end-own", page))
    paths = (session_of, "/account/sessions/end-others", device, f"/account/identities/{identity}/untie")
    return {"paths": paths, "other": other}


def test_what_is_about_signing_in_changes_only_where_somebody_has_just_shown_who_they_are(
    with_password: Browser, changes: dict[str, Any], held: Runtime, owner: Member
) -> None:
    """A browser that was left open signs nobody out, unties nothing and forgets nothing."""
    with time_machine.travel(real_now() + LATER, tick=False):
        before = trail(held, owner)
        for path in changes["paths"]:
            answer = with_password.post(path)
            assert (answer.status_code, answer.location) == (303, "/account/confirm"), path
        assert changes["other"].get("/").status_code == 200
        assert trail(held, owner) == before
        asked = words_of(with_password.get("/account/confirm"))
        assert "Nothing was changed yet." in asked
        assert with_password.post("/account/confirm", {"present": WRONG}).status_code == 400
        assert with_password.post(changes["paths"][1]).location == "/account/confirm"
        assert with_password.post("/account/confirm", {"present": GOOD}).location == "/account?done=proven"
        done = [with_password.post(path).location for path in changes["paths"]]
        assert [each.partition("=")[2] for each in done] == ["ended", "others_ended", "forgotten", "untied"]
    with time_machine.travel(real_now() + 2 * LATER, tick=False):  # and not for ever
        assert with_password.post("/account/sessions/end-others").location == "/account/confirm"


def test_whoever_guesses_there_waits_like_anywhere(with_password: Browser) -> None:
    with time_machine.travel(real_now() + LATER, tick=False):
        statuses = [with_password.post("/account/confirm", {"present": WRONG}).status_code for _ in range(6)]
        assert statuses == [400] * 5 + [429]
        assert with_password.post("/account/confirm", {"present": GOOD}).status_code == 429


def test_whoever_has_no_password_is_told_how_to_show_who_they_are(olga: Browser) -> None:
    with time_machine.travel(real_now() + LATER, tick=False):
        assert olga.post("/account/sessions/end-others").location == "/account/confirm"
        asked = olga.get("/account/confirm")
        assert "You have no password here. Sign in with a new one-time link" in words_of(asked)
        assert 'type="password"' not in asked.text
        assert olga.post("/account/confirm", {"present": ""}).status_code == 400


def _actions(held: Runtime, who: Member) -> list[str]:
    with held.db.tenant(who.workspace_id) as session:
        return list(session.scalars(select(Audit.action)))
