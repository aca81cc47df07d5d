"""Which of an account's contact properties hold a social handle, or say that somebody is not to be called. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.crm.hubspot.api import Row
from integrations.handle_names import forbids_calls, network_of

STANDARD_HANDLES: tuple[tuple[str, str | None], ...] = (("twitterhandle", "x"), ("hs_linkedin_url", "linkedin"))

_MOST_TEXTS = 300


def handle_properties(rows: Sequence[Row]) -> tuple[tuple[str, str | None], ...]:
    """Which contact properties hold a social handle, and on which network where the name tells it."""
    found = dict(STANDARD_HANDLES)
    for row in rows:
        name = str(row.get("name") or "")
        if name in found or row.get("type") not in (None, "string") or row.get("archived"):
            continue
        network = network_of(name) or network_of(str(row.get("label") or ""))
        if name and network:
            found[name] = network[0]
    return tuple(found.items())


def text_properties(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Name and label of the contact properties that somebody added and that hold text: one of them may hold a handle."""
    return [
        {"name": str(row["name"]), "label": str(row.get("label") or row["name"])}
        for row in rows
        if row.get("name") and row.get("type") == "string" and not row.get("archived") and not row.get("hubspotDefined")
    ][:_MOST_TEXTS]


def do_not_call_properties(rows: Sequence[Row]) -> tuple[str, ...]:
    """Which contact properties say that a person is not to be called."""
    texts = ((str(row.get("name") or ""), f"{row.get('name')} {row.get('label')}") for row in rows)
    return tuple(name for name, text in texts if name and forbids_calls(text))
