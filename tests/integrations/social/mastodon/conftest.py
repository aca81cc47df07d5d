from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import responses

from tests.integrations.social.mastodon.contract import contract
from tests.integrations.social.mastodon.wire import Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A server in memory. Where the contract is at hand, every request of the test is checked against it."""
    server = Wire()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        server.serve(mock)
        yield server
    folder = Path(os.environ.get("WARMLINE_SHARED", Path(__file__).parents[5] / "shared"))
    oracle = contract(folder)
    if oracle is not None:
        for request in server.sent:
            oracle.check(request)
