"""What the contract's tests act through: each provider's world or harness, and the line to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.provider import Provider
from integrations.registry import providers
from tests.integrations.contract.harnesses import FAKE as FAKE_CRM
from tests.integrations.contract.harnesses import HARNESSES, Harness, connected
from tests.integrations.contract.line import Wire, tapped
from tests.integrations.contract.reading import FAKES, OVER_HTTP, Reading
from tests.integrations.contract.reading import reading as open_reading
from tests.integrations.contract.worlds import FAKE, SOCIAL, FakeWorld, Network, World, open_world


@pytest.fixture(params=SOCIAL, ids=lambda provider: provider.key)
def provider(request: pytest.FixtureRequest) -> Provider[Any]:
    """Each network that is spoken to over HTTP."""
    found: Provider[Any] = request.param
    return found


@pytest.fixture(params=providers().values(), ids=lambda provider: provider.key)
def any_provider(request: pytest.FixtureRequest) -> Provider[Any]:
    """Each provider there is."""
    found: Provider[Any] = request.param
    return found


@pytest.fixture(params=[*(provider.key for provider in SOCIAL), FAKE])
def network(request: pytest.FixtureRequest) -> Iterator[Network]:
    """Every provider's world, and our fake's."""
    if request.param == FAKE:
        yield FakeWorld()
        return
    with open_world(request.param) as found:
        yield found


@pytest.fixture
def world(provider: Provider[Any]) -> Iterator[World]:
    with open_world(provider.key) as found:
        yield found


@pytest.fixture(params=[*OVER_HTTP, *FAKES])
def reading(request: pytest.FixtureRequest) -> Iterator[Reading]:
    """Every network and CRM, and our fakes, with the line to it."""
    with open_reading(request.param) as found:
        yield found


@pytest.fixture(params=OVER_HTTP)
def reading_over_http(request: pytest.FixtureRequest) -> Iterator[Reading]:
    """Every network and CRM that is spoken to over HTTP, with the line to it."""
    with open_reading(request.param) as found:
        yield found


def _named(param: tuple[str, bool]) -> str:
    return f"{param[0]}-{'unique' if param[1] else 'plain'}"


@pytest.fixture(params=[(name, unique) for name in HARNESSES for unique in (True, False)], ids=_named)
def crm(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """Every CRM that is connected and has one owner, and our fake."""
    name, unique = request.param
    with connected(name, unique=unique) as harness:
        yield harness


@pytest.fixture(
    params=[(name, unique) for name in HARNESSES if name != FAKE_CRM for unique in (True, False)], ids=_named
)
def wired_crm(request: pytest.FixtureRequest) -> Iterator[Harness]:
    """Every CRM that is spoken to over HTTP."""
    name, unique = request.param
    with connected(name, unique=unique) as harness:
        yield harness


@pytest.fixture
def crm_wire(wired_crm: Harness) -> Iterator[Wire]:
    """The line to a CRM that is spoken to over HTTP."""
    with tapped() as found:
        yield found
