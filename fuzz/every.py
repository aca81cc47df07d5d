"""Every target there is: of the providers by their manifests, and of what we read ourselves."""

from __future__ import annotations

from functools import cache

from fuzz import ours, providers, signing
from fuzz.target import Target


@cache
def targets() -> tuple[Target, ...]:
    """All targets, by name. Raises ValueError where two have the same."""
    found = sorted([*providers.targets(), *signing.targets(), *ours.targets()], key=lambda each: each.name)
    if len({each.name for each in found}) < len(found):
        raise ValueError("two targets have the same name")
    return tuple(found)
