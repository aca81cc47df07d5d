"""What a world or a harness can do beyond what all of them must."""

from __future__ import annotations

from typing import Any

import pytest


def able(actor: Any, what: str) -> Any:
    """What `actor` has under this name. Skips, saying so, where it has nothing: the rule is then to do for its provider."""
    found = getattr(actor, what, None)
    if found is None:
        pytest.skip(f"its tests cannot say `{what}` yet")
    return found
