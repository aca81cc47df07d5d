from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.social.instagram.wire import Instagram, instagram


@pytest.fixture
def account() -> Iterator[Instagram]:
    """An account in memory, with nothing on it."""
    with instagram() as found:
        yield found
