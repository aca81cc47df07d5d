"""How people call a network, a CRM and an account there."""

from __future__ import annotations

from integrations.registry import handed_in, providers


def provider_name(key: str) -> str:
    """The provider's name for people; its key where this version has no such provider any more."""
    found = providers().get(key)
    return found.name if found else key


def is_place(provider: str) -> bool:
    """Whether its accounts are places whose posts are handed in: they have a name, and no handle."""
    return provider in handed_in()


def account_name(provider: str, handle: str) -> str:
    """How people call an account: @acme on X, acme.com on HubSpot, and a place by its name alone."""
    if not handle or is_place(provider):
        return handle or provider_name(provider)
    found = providers().get(provider)
    return f"{'@' if found and found.kind == 'social' else ''}{handle} on {provider_name(provider)}"
