"""Every operation of the document, called with values that fit it and values that don't."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
import responses
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig

from service.api import idempotency
from service.commands.openapi import FILE
from tests.service.api.conftest import Client, World

# What the formats of our own stand for: an empty cursor is the first page, and one provider is set up.
schemathesis.openapi.format("cursor", st.just(""))
schemathesis.openapi.format("provider-key", st.just("fakesocial"))

ACCEPTED = ["2xx", "401", "403", "404", "409"]
CONFIG = {
    "generation": {"max-examples": 5, "deterministic": True},
    "operations": [
        {
            # Opening hours that overlap, unknown time zones and other versions' ETags fit the schema, which cannot say more.
            "include-operation-id": "settings.replace",
            "checks": {
                "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "412", "422"]},
                "missing_required_header": {"expected-statuses": ["401", "422", "428"]},
                "negative_data_rejection": {"expected-statuses": ["4xx"]},
            },
        },
        {
            # Settings as above; and talks in which only the brand speaks, or two posts share an id. A post that is handed in
            # has an author and a time unless it is deleted, and one place. A run on which others rest cannot be undone. A calendar is read
            # over https.
            "include-operation-id-regex": "judge.talk|engagements.hand_in|settings.try_out|runs.undo|calendars.create",
            "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "422"]}},
        },
    ],
}


class Door:
    """The application behind the document: another one for each test, while schemathesis wants to know it beforehand."""

    app: Any = None

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.app(environ, start_response)


door = Door()
numbers = count()
# The committed document; another test holds it against the routes.
schema = schemathesis.openapi.from_path(FILE, config=SchemathesisConfig.from_dict(CONFIG))
schema.app = door


@pytest.fixture
def running(app: Flask, client: Client, world: World, providers: Any) -> Iterator[Client]:
    """An application with a little of everything in it, that calls nobody outside."""
    door.app = app
    with responses.RequestsMock(assert_all_requests_are_fired=False):
        yield client


@schema.parametrize()
@settings(suppress_health_check=list(HealthCheck), deadline=None, database=None)
def test_every_operation_keeps_to_the_document(case: Any, running: Client) -> None:
    key = (case.headers or {}).get(idempotency.HEADER)
    if key is not None and re.fullmatch(idempotency.SHAPE, str(key)):
        # Each case is a new request, so a key that fits is made a new one.
        case.headers[idempotency.HEADER] = f"{key[:200]}{next(numbers)}"
    case.call_and_validate(headers={"Authorization": f"Bearer {running.key}"})
