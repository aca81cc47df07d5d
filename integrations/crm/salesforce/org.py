"""What a connection knows about its organisation. Read from the options that `setup.prepare` returned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from integrations.handle_names import chosen

KEY = "Warmline_Key__c"


@dataclass(frozen=True, slots=True)
class Org:
    """How links are made, where our key and handles are kept, and how this organisation calls its picklist values."""

    base: str  # where people open Salesforce, without a slash at the end
    zone: tzinfo = UTC  # a task is due on a day; this zone says which
    key_field: str | None = None  # None: tasks carry a marker in their description
    upsert: bool = False  # the field is an external id, so that a repeat finds what stands there
    unique: bool = False  # Salesforce itself refuses a second task with our key
    open_status: str = "Not Started"
    closed_status: str = "Completed"
    states_open: bool = False  # a new task would otherwise be closed: its status has to be given
    high: str = "High"
    normal: str = "Normal"
    call_type: bool = False  # tasks have a type "Call"
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)  # kind -> standard fields the user cannot see
    custom: Mapping[str, frozenset[str]] = field(default_factory=dict)  # kind -> fields that somebody added
    handles: tuple[tuple[str, str | None], ...] = ()  # field -> network
    do_not_call: tuple[str, ...] = ()

    def url(self, kind: str, record_id: str) -> str:
        """The page of a record."""
        return f"{self.base}/lightning/r/{kind}/{record_id}/view"


def org(options: Mapping[str, Any], base: str) -> Org:
    """The organisation that these options describe; sound guesses before `prepare` has run."""
    texts = {
        name: str(options[name]) for name in ("open_status", "closed_status", "high", "normal") if options.get(name)
    }
    return Org(
        base=base,
        zone=zone(options.get("time_zone")),
        key_field=options.get("key_field"),
        upsert=bool(options.get("upsert")),
        unique=bool(options.get("unique")),
        states_open=bool(options.get("states_open")),
        call_type=bool(options.get("call_type")),
        hidden=_sets(options.get("hidden")),
        custom=_sets(options.get("custom")),
        handles=chosen(options),
        do_not_call=tuple(map(str, options.get("do_not_call_fields") or ())),
        **texts,
    )


def zone(name: object) -> tzinfo:
    """The time zone of this name; UTC for one that is not known here."""
    try:
        return ZoneInfo(str(name or "UTC"))
    except (KeyError, ValueError, OSError):
        return UTC


def _sets(value: object) -> dict[str, frozenset[str]]:
    return {str(kind): frozenset(map(str, names)) for kind, names in value.items()} if isinstance(value, dict) else {}
