from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from tests.integrations.graph.wire import Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    """The Graph API in memory, with nothing in it."""
    found = Wire()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found.serve(mock)
        yield found
