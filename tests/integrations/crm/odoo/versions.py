"""What differs between versions of Odoo: as real ones of 11 to 19 answered."""

from __future__ import annotations

from typing import Any

LISTS_SINCE, NAMED_MODELS_SINCE, ARCHIVES_SINCE, HAS_ACCESS_SINCE, JSON2_SINCE = 12, 15, 17, 18, 19
HIDES_MODELS_SINCE = 15  # from all but administrators
ASK_THE_TYPE = (17, 18)  # versions where an activity type says whether what is done is kept


def type_fields(version: int) -> tuple[str, ...]:
    """The fields of an activity type."""
    model = "res_model" if version >= NAMED_MODELS_SINCE else "res_model_id"
    kept = ("keep_done",) if version in ASK_THE_TYPE else ()
    return ("name", "category", "icon", "sequence", model, *kept)


def activity_types(version: int, keeps_done: bool | None) -> dict[str, dict[str, Any]]:
    """The types that Odoo brings, by name. Before 15 none has the category of phone calls."""
    named = version >= NAMED_MODELS_SINCE
    shared = {"res_model" if named else "res_model_id": False, "sequence": 10}
    shared |= {"keep_done": keeps_done} if version in ASK_THE_TYPE else {}
    return {
        "Call": {"category": "phonecall" if named else "default", "icon": "fa-phone", **shared},
        "To-Do" if named else "Todo": {"category": "default", "icon": "fa-tasks", **shared},
    }
