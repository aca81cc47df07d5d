"""Every operation of the document, called with values that fit it and values that don't."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import responses
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings

from fuzz import calls
from fuzz.target import Find
from service.commands.openapi import FILE
from tests.service.api.conftest import Client, World
from tests.service.api.written import document


class Door:
    """The application behind the document: another one for each test, while schemathesis wants to know it beforehand."""

    app: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


door = Door()


@pytest.fixture(scope="module")
def schema() -> Any:
    """The committed document; another test holds it against the routes. Read when a test asks for it: with a test made for each
    operation, five thousand cases would be built in every process that collects tests, whichever it runs."""
    read = schemathesis.openapi.from_path(FILE, config=calls.config(2, deterministic=True))
    read.app = door
    return read


@pytest.fixture
def running(app: Flask, client: Client, world: World, providers: Any) -> Iterator[Client]:
    """An application with a little of everything in it, that calls nobody outside."""
    door.app = app
    with responses.RequestsMock(assert_all_requests_are_fired=False):
        yield client


def test_every_operation_keeps_to_the_document(schema: Any, running: Client, subtests: pytest.Subtests) -> None:
    """Each is reported by itself, and all of them call one workspace, as callers do. Of the cases that the document names, one of each kind;
    `make fuzz` makes them all."""
    caller = calls.Caller(running.key)
    kinds: set[calls.Kind] = set()
    random: set[str] = set()

    def one(case: Any) -> None:
        kind = calls.kind(case)
        if kind in kinds:
            return
        if kind is None:
            random.add(case.operation.label)
        else:
            kinds.add(kind)
        caller.call(case)

    drawn = settings(suppress_health_check=list(HealthCheck), deadline=None, database=None)
    for label, test in calls.documented(schema, one, drawn):
        with subtests.test(label):
            test()
    every = {each.ok().label for each in schema.get_all_operations()}
    assert random == {label for label, *_ in kinds} == every
    assert caller.sent > 10 * len(every)


def test_a_write_that_is_sent_again_is_answered_alike_and_a_difference_is_found(schema: Any, running: Client) -> None:
    (operation,) = [each.ok() for each in schema.get_all_operations() if each.ok().label == "POST /v1/brands"]
    caller = calls.Caller(running.key)
    case = operation.Case(body={"name": "Twice"}, headers={"Idempotency-Key": "once"}, media_type="application/json")
    response = caller.call(case)
    assert response.status_code == 201
    caller.again(case, response)
    case.headers["Idempotency-Key"] = "another"
    with pytest.raises(Find, match="when sent again"):
        caller.again(case, response)


def test_chains_along_the_links_come_to_an_end(schema: Any, running: Client) -> None:
    caller = calls.Caller(running.key)
    calls.chains(schema, caller, 64, 1)
    assert caller.sent >= 64
    assert caller.followed > 0


def test_links_lead_from_what_was_made_to_what_can_be_done_with_it() -> None:
    paths = document()["paths"]
    made = {
        path: set(inside["post"]["responses"]["201"].get("links", {}))
        for path, inside in paths.items()
        if "post" in inside and "201" in inside["post"]["responses"]
    }
    assert made["/v1/brands"] == {"brands.show", "brands.change"}
    assert made["/v1/invitations"] == {"invitations.withdraw"}
    assert made["/v1/calendars"] == {"calendars.show", "calendars.remove", "calendars.refresh"}
    assert "connections.disconnect" in paths["/v1/connections"]["get"]["responses"]["200"]["links"]
    follow = paths["/v1/tasks"]["get"]["responses"]["200"]["links"]["tasks.dismiss"]
    assert follow == {"operationId": "tasks.dismiss", "parameters": {"task_id": "$response.body#/items/0/id"}}
