"""A brand's listed colleagues: by their handles, and by their ids as soon as these are known.

Once an id is known, it alone tells who is meant: a handle that its owner gave up is anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from service.models import Brand


def key(provider: str, host: str, handle: str) -> str:
    """Under what the id of this handle is kept. Each server of a network, and each place, has ids of its own."""
    named = f"{provider}:{handle.lstrip('@').lower()}"
    return f"{named}|{host}" if host else named


def ids_of(provider: str, host: str, handles: set[str], kept: Mapping[str, str]) -> dict[str, str]:
    """The ids by these handles, as far as known. What stands for an id where a network tells none (see `Author.id`) is none."""
    known = {handle: kept.get(key(provider, host, handle)) for handle in handles}
    return {handle: native_id for handle, native_id in known.items() if native_id and native_id != f"@{handle}"}


def list_as(brand: Brand, entries: Sequence[str]) -> None:
    """From now on these are listed ("provider:handle"). Who stays is known as before. Who is taken off is forgotten, so that whoever is
    listed by that handle later is learned anew: that is how a person says that somebody else of ours has it now."""
    listed = {key(provider, "", handle) for provider, _, handle in (each.partition(":") for each in entries)}
    brand.colleagues = list(entries)
    brand.colleague_ids = {
        each: id_ for each, id_ in (brand.colleague_ids or {}).items() if each.partition("|")[0] in listed
    }
