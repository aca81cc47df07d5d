"""Against Pipedrive's own documents, which are not part of the repository."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest
import requests
from msgspec.structs import replace
from requests.adapters import HTTPAdapter

from integrations.crm.pipedrive import PROVIDER
from integrations.crm.pipedrive.api import COSTS
from integrations.provider import OAuth2
from integrations.records import HandleWrite, TaskKind, TaskStatus
from tests.integrations.contract.harnesses import new
from tests.integrations.crm.pipedrive.conftest import World
from tests.integrations.crm.pipedrive.contract import NOT_PRUNED, Contract, contract
from tests.integrations.crm.pipedrive.server import BASE, TWITTER

pytestmark = [pytest.mark.shared, pytest.mark.rule("contract")]
Exchange = tuple[requests.PreparedRequest, requests.Response]


@pytest.fixture
def oracle(shared: Path) -> Contract:
    found = contract(shared)
    if found is None:
        pytest.skip("Pipedrive's contract is not in the shared folder")
    return found


@pytest.fixture
def exchanges(make_world: Callable[..., World]) -> Iterator[tuple[World, list[Exchange]]]:
    """A company in which everything that we can do has something to do, and all that goes over the line."""
    world, seen, send = make_world(prepared=False), list[Exchange](), HTTPAdapter.send

    def through(adapter: HTTPAdapter, request: requests.PreparedRequest, **options: object) -> requests.Response:
        response = send(adapter, request, **options)  # type: ignore[arg-type]
        seen.append((request, response))
        return response

    with mock.patch.object(HTTPAdapter, "send", through):
        yield world, seen


def _everything(world: World) -> None:
    server = world.server
    server.users[7] = {"id": 7, "email": "owner@example.com", "name": "Owner", "active_flag": True, "is_deleted": False}
    server.add_field(TWITTER, "Twitter")
    company = server.put("organization", {"name": "Example Ltd"})
    ada = str(
        server.put(
            "person", {"name": "Ada", "org_id": company, "emails": [{"value": "ada@example.com", "primary": True}]}
        )
    )
    for number in range(501):
        server.put("person", {"name": f"Number {number}"})
    client = world.client()
    client.whoami()
    world.prepare()
    client = world.client()
    client.write_handles([HandleWrite(ada, "x", "ada")])
    task = new(contact_id=ada, high_priority=True)
    [made, _] = client.push_tasks([task, replace(new("key-2"), kind=TaskKind.READY_FOR_CALL)])
    edit = replace(task, external_id=made.external_id, former_contact_id=ada, contact_id="2")
    client.push_tasks([edit, new("key-3", maybe_sent_at=world.clock())])
    client.push_tasks([replace(task, external_id=made.external_id, status=TaskStatus.COMPLETED)])
    client.read_tasks([str(made.external_id)])
    client.push_tasks([replace(task, external_id=made.external_id, status=TaskStatus.WITHDRAWN)])
    cursors = {}
    for stream in PROVIDER.streams:
        cursors[stream.name] = [page.cursor for page in client.pull(stream.name, None)][-1]
    world.clock.forward(days=2)
    for person in range(1, 30):  # some of those who are known to have been there are asked for one by one
        server.delete("person", person)
    for stream in PROVIDER.streams:
        list(client.pull(stream.name, cursors[stream.name]))


def test_every_call_is_in_the_contract_and_answered_as_it_has_it(
    exchanges: tuple[World, list[Exchange]], oracle: Contract
) -> None:
    world, seen = exchanges
    _everything(world)

    made = {(method, path) for method, path, _ in world.server.calls}
    assert {method for method, _ in made} == {"GET", "POST", "PATCH", "DELETE"}
    assert len(made) >= len(COSTS)
    for request, response in seen:
        oracle.check(request, response)


def test_the_oracle_itself_refuses_what_pipedrive_would(oracle: Contract) -> None:
    for path in ("/api/v2/persons?favourites=1", "/api/v2/persons?sort_by=name", "/api/v2/people"):
        request = requests.Request("GET", BASE + path, headers={"Authorization": "Bearer t"}).prepare()
        response = requests.Response()
        response.status_code = 404
        with pytest.raises(AssertionError):
            oracle.check(request, response)


@pytest.mark.parametrize("call", COSTS, ids=" ".join)
def test_a_call_costs_what_the_contract_says(oracle: Contract, call: tuple[str, str]) -> None:
    method, path = call
    like = "/api/v2/persons" if path == NOT_PRUNED else path
    assert oracle.operation(method, like.format(id=1))["x-token-cost"] == COSTS[call]


@pytest.mark.parametrize("call", COSTS, ids=" ".join)
def test_the_scopes_that_we_ask_for_allow_every_call(oracle: Contract, call: tuple[str, str]) -> None:
    method, path = call
    like = "/api/v2/persons" if path == NOT_PRUNED else path
    assert isinstance(PROVIDER.auth, OAuth2)
    assert set(oracle.operation(method, like.format(id=1))["x-scopes"]) & set(PROVIDER.auth.scopes)


def test_no_scope_is_asked_for_that_no_call_needs(oracle: Contract) -> None:
    assert isinstance(PROVIDER.auth, OAuth2)
    needed: set[str] = set()
    for method, path in COSTS:
        if path != NOT_PRUNED:
            needed |= set(oracle.operation(method, path.format(id=1))["x-scopes"])
    assert set(PROVIDER.auth.scopes) <= needed
