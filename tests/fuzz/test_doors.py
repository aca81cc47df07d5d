"""Garbage at every route of the web server, with a database behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
import responses
from argon2 import PasswordHasher
from flask import Flask, request
from sqlalchemy import update

from fuzz import __main__, doors, engine
from service import access, accounts, passwords
from service.console import cookies
from service.models import APIKey, Membership
from service.runtime import Runtime
from tests.service.api.conftest import set_up

CASES = Path(__file__).parent / "cases"
INPUTS = 3  # of each, by nobody and by somebody; `make fuzz` tries many more


@pytest.fixture
def visits(app: Flask, held: Runtime, monkeypatch: pytest.MonkeyPatch) -> Iterator[doors.Visits]:
    set_up(held, monkeypatch)
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with responses.RequestsMock(assert_all_requests_are_fired=False):
        yield doors.Visits(app, held)


@pytest.fixture
def entered(app: Flask, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The doors behind which a view was reached, whatever stands guard before it."""
    names: set[str] = set()

    def noting(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def noted(*args: Any, **parts: Any) -> Any:
            assert request.url_rule is not None
            names.add(doors.Door(request.url_rule, request.method).name)
            return view(*args, **parts)

        return noted

    for endpoint, view in list(app.view_functions.items()):
        monkeypatch.setitem(app.view_functions, endpoint, noting(view))
    return names


def _told(finds: list[engine.Found]) -> str:
    return "\n".join(f"{each.target} {each.input}\n{each.error}" for each in finds)


def _door(visits: doors.Visits, name: str) -> doors.Door:
    return next(each for each in doors.doors(visits.app) if each.name == name)


def test_garbage_at_any_route_is_answered_below_500(visits: doors.Visits, entered: set[str]) -> None:
    every = doors.doors(visits.app)
    finds = doors.once(visits, every, INPUTS, seed=None)
    assert not finds, _told(finds)
    names = {each.name for each in every}
    assert {(name, signed_in) for name in names for signed_in in (False, True)} == set(visits.tried)
    assert min(visits.tried.values()) >= INPUTS
    assert names <= entered, names - entered


def test_a_form_is_known_as_somebody_sends_it_who_fills_in_no_more_than_they_have_to(visits: doors.Visits) -> None:
    known, browser = visits.somebody.known, visits.app.test_client(use_cookies=False)
    cookie = {"Cookie": f"{cookies.SESSION}={visits.somebody.cookie}"}
    for path, endpoint in (("/settings", "settings.save"), ("/settings/keys", "keys.make"), ("/add", "byhand.add")):
        answer = browser.post(path, data=known.forms[f"console.{endpoint}"], headers=cookie)
        assert answer.status_code in (200, 303), (path, answer.text)
    assert {"task_id", "match_id", "person_id", "provider", "run_id"} <= set(known.parts)


def test_every_route_but_static_files_is_a_door_with_each_of_its_methods(app: Flask) -> None:
    found = {(each.rule.rule, each.method) for each in doors.doors(app)}
    named = {(rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods or ()}
    assert {(rule, method) for rule, method in named - found if method not in ("HEAD", "OPTIONS")} == {
        ("/static/<path:filename>", "GET")
    }
    assert found <= named


def test_what_was_found_at_a_door_once_holds_now(visits: doors.Visits) -> None:
    for path in sorted(CASES.glob("doors-*.json")):
        visits.again(json.loads(path.read_text(encoding="utf-8")))


def test_a_door_that_breaks_is_found_and_its_find_can_be_tried_again(
    visits: doors.Visits, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> str:
        assert "name" not in request.form
        return ""

    monkeypatch.setitem(visits.app.view_functions, "console.brands.add", broken)
    monkeypatch.setattr(broken, "__module__", "service.console.brands")
    (found,) = doors.once(visits, [_door(visits, "doors/POST /brands")], 100, seed=7)
    kept = json.loads(found.keep(tmp_path).read_text(encoding="utf-8"))
    assert (kept["input"]["query"], kept["input"]["headers"], kept["input"]["cookies"]) == ({}, {}, [])
    with pytest.raises(AssertionError):
        visits.again(kept)


def _demote(visits: doors.Visits) -> None:
    with visits.held.db.globally() as session:
        whose = Membership.user_id == visits.somebody.member.user_id
        session.execute(update(Membership).where(whose).values(role=access.VIEWER))


def _revoke(visits: doors.Visits) -> None:
    of = visits.somebody.member.workspace_id
    assert visits.somebody.key
    with visits.held.db.tenant(of) as session:
        session.execute(update(APIKey).where(APIKey.workspace_id == of).values(revoked_at=APIKey.created_at))


def _sign_out(visits: doors.Visits) -> None:
    accounts.sign_out(visits.held.db, visits.somebody.cookie)


@pytest.mark.parametrize(
    ("lose", "name", "people"),
    [
        (_sign_out, "doors/POST /brands", 1),
        (_demote, "doors/POST /brands", 2),
        (_revoke, "doors/GET /v1/me", 2),
    ],
)
def test_whoever_may_no_longer_go_in_signs_in_anew_or_is_somebody_else(
    visits: doors.Visits, entered: set[str], lose: Callable[[doors.Visits], None], name: str, people: int
) -> None:
    lose(visits)
    finds = doors.once(visits, [_door(visits, name)], 1, seed=None)
    assert not finds, _told(finds)
    assert name in entered
    assert visits.people == people


def test_a_run_tries_the_doors_and_counts_their_requests(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def run(requests: int, seed: int, say: Any, chosen: list[str]) -> tuple[int, list[engine.Found]]:
        return requests, [engine.Found(chosen[0], {}, "KeyError: 'x'")]

    monkeypatch.setattr(doors, "names", lambda: ["doors/GET /", "doors/POST /brands"])
    monkeypatch.setattr(doors, "run", run)
    what = ["--minutes", "0", "--cases", "0", "--requests", "50", "--only", "doors/POST", "--finds", str(tmp_path)]
    assert __main__.main(what) == 1
    assert "50  requests at 1 doors\n        1  finds" in capsys.readouterr().out
    assert len(list(tmp_path.glob("doors-post-brands-*.json"))) == 1
