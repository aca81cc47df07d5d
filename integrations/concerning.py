"""How a post concerns the connected account: one order of precedence for every network."""

from __future__ import annotations

from collections.abc import Container

from integrations.records import Kind


def kind(us: str, wrote: str, answered: str | None, quoted: str | None, named: Container[str], otherwise: Kind) -> Kind:
    """What a post is to us by the ids of whoever `wrote` it, whose post it has `answered` and whose it `quoted`, and of those it has
    `named`; `otherwise` where it concerns us in none of these ways."""
    if wrote == us:
        return Kind.OWN
    if answered == us:
        return Kind.REPLY
    if quoted == us:
        return Kind.QUOTE
    return Kind.MENTION if us in named else otherwise
