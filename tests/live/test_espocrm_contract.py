"""All that we ask of an EspoCRM, and all that it answers, beside what it says of its own records. Opt-in (`make test-espocrm`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from msgspec.structs import replace

from integrations.records import HandleWrite, TaskStatus
from tests.integrations.crm.espocrm.contract import Contract
from tests.integrations.crm.espocrm.server import DEFAULTS, nested
from tests.live.bottle_contract import listening
from tests.live.espocrm import RealEspo
from tests.live.espocrm_client import client, pushed, task

ROOT = "/api/v1/"
STREAM = {"followersIds", "followersNames", "isFollowed", "versionNumber"}  # of how it is followed and shown
LINKED = (
    "Id",
    "Name",
    "Type",
    "Ids",
    "Names",
    "Columns",
)  # what an answer tells of a link, whether or not there is a field for it


@dataclass(frozen=True)
class Told(Contract):
    """What the running server tells of itself: its own definitions with all that its administrator has added."""

    told: Mapping[str, Any] = field(default_factory=dict)

    def metadata(self, *place: str) -> Mapping[str, Any]:
        found: Any = self.told
        for step in place:
            found = found.get(step, {})
        return dict(found)


@pytest.fixture
def contract(espo: RealEspo) -> Told:
    return Told(espo.site, espo.call("GET", "/Metadata"))


@pytest.mark.rule("contract", provider="espocrm")
def test_all_that_is_asked_and_answered_is_what_the_server_says_of_itself(espo: RealEspo, contract: Told) -> None:
    eva = espo.adds_contact("Eva", emailAddress="eva@example.com", phoneNumber="+34600000001")
    espo.adds("Lead", lastName="Ek", emailAddress="ek@example.com")
    start = {"dateStart": "2026-05-04 09:00:00", "dateEnd": "2026-05-04 10:00:00", "assignedUserId": espo.olga}
    for kind in ("Call", "Meeting"):
        espo.adds(kind, name="Lunch", contactsIds=[eva], **start)
    with listening(espo.server) as heard:
        asked = client(espo, client(espo).prepare())
        wanted = task(espo, "u-contract", eva)
        made = pushed(asked, wanted)
        pushed(asked, replace(wanted, external_id=made.external_id, subject="Write to Eva"))
        for stream in ("contacts", "owners", "activities", "tasks"):
            cursor = [page.cursor for page in asked.pull(stream, None)][-1]
            list(asked.pull(stream, cursor))
        asked.read_tasks([str(made.external_id), "nobody"])
        asked.gone_contacts([eva, "nobody"])
        asked.write_handles([HandleWrite(eva, "x", "eva")])
        pushed(asked, replace(wanted, external_id=made.external_id, status=TaskStatus.WITHDRAWN))

    looked, told = 0, set()
    for request, answer in heard.calls:
        kind = urlsplit(str(request.url)).path.removeprefix(ROOT).split("/")[0]
        if kind in DEFAULTS and request.method != "DELETE":
            sent = _sent(request)
            looked += contract.check(str(request.method), kind, sent, ())
            looked += _check_answer(contract, kind, sent, answer)
            told.add((request.method, kind))
    assert looked > 60
    assert {("GET", kind) for kind in DEFAULTS} <= told
    assert {("POST", "Task"), ("PUT", "Task"), ("PUT", "Contact")} <= told


def _sent(request: requests.PreparedRequest) -> Mapping[str, Any]:
    if request.body:
        sent: Mapping[str, Any] = json.loads(request.body)
        return sent
    return nested(parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True))


def _check_answer(contract: Told, kind: str, sent: Mapping[str, Any], answer: requests.Response) -> int:
    """Raises AssertionError where a record has an attribute of which the server says nothing, or one of a list lacks an attribute that was
    asked for. Returns how many were looked at."""
    if answer.status_code >= 300:
        return 0
    body = answer.json()
    links = {f"{link}{part}" for link in contract.metadata("entityDefs", kind, "links") for part in LINKED}
    rows = body.get("list", [body])
    unknown = {name for row in rows for name in row} - contract.attributes(kind).keys() - links - STREAM
    assert not unknown, f"{kind} answers with {sorted(unknown)}"
    wanted = {name for name in str(sent.get("select", "")).split(",") if name}
    lacking = {name for row in rows for name in wanted - row.keys()}
    assert not lacking, f"{kind} answers without {sorted(lacking)}"
    return sum(map(len, rows))
