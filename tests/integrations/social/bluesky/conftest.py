from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import responses

from tests.integrations.social.bluesky.authority import Authority
from tests.integrations.social.bluesky.contract import contract
from tests.integrations.social.bluesky.wire import Wire


@pytest.fixture
def mock() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as found:
        yield found


@pytest.fixture
def wire(mock: responses.RequestsMock) -> Iterator[Wire]:
    """Bluesky in memory. Where its lexicons are at hand, every request of the test is checked against them."""
    bluesky = Wire()
    bluesky.serve(mock)
    yield bluesky
    oracle = contract(Path(os.environ.get("WARMLINE_SHARED", Path(__file__).parents[5] / "shared")))
    if oracle is not None:
        for request in bluesky.sent:
            oracle.check(request)


@pytest.fixture
def authority(mock: responses.RequestsMock) -> Authority:
    found = Authority()
    found.serve(mock)
    return found
