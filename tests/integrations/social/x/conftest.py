from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import responses

from tests.integrations.social.x.contract import contract
from tests.integrations.social.x.wire import Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    """X in memory. Where its contract is at hand, every request of the test is checked against it."""
    x = Wire()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        x.serve(mock)
        yield x
    folder = Path(os.environ.get("WARMLINE_SHARED", Path(__file__).parents[5] / "shared"))
    oracle = contract(folder)
    if oracle is not None:
        for request in x.sent:
            oracle.check(request)
