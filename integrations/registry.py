"""Finds PROVIDER in every folder below `social` and `crm`. There is no list to edit."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import integrations.crm
import integrations.social
from integrations.clients import CRMClient, SocialClient
from integrations.provider import HANDED_IN, Provider

AnyProvider = Provider[SocialClient] | Provider[CRMClient]


@cache
def providers() -> dict[str, AnyProvider]:
    """Every provider by key, in the order of their keys. Raises ValueError when a folder and its key disagree."""
    found: dict[str, AnyProvider] = {}
    for package in (integrations.social, integrations.crm):
        for module in iter_modules(package.__path__):
            if not module.ispkg:
                continue
            provider: Any = import_module(f"{package.__name__}.{module.name}").PROVIDER
            if provider.key != module.name or provider.key in found:
                raise ValueError(
                    f"{package.__name__}.{module.name}: the key {provider.key!r} is not the folder's name, or is taken"
                )
            found[provider.key] = provider
    return dict(sorted(found.items()))


def get(key: str) -> AnyProvider:
    """The provider with this key. Raises KeyError."""
    return providers()[key]


def handed_in() -> list[str]:
    """Keys of the providers whose posts come in through our API; their connections and authors have a place as their host."""
    return [key for key, each in providers().items() if HANDED_IN in each.capabilities]
