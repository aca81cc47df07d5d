from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integrations.social.facebook.wire import Facebook, facebook


@pytest.fixture
def page() -> Iterator[Facebook]:
    """A page in memory, with nothing on it."""
    with facebook() as found:
        yield found
