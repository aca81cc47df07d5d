"""What comparing networks, our tables and CRMs has found, in sentences. How it is done: `workers.compare`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

EVERY = timedelta(hours=1)  # each connection
# Kind of difference -> what it means, for a person.
MEANS: Mapping[str, str] = MappingProxyType(
    {
        "post_gone": "A post that is kept here is no longer on the network. It was erased here as it was found.",
        "post_edited": "A post reads differently on the network. The text of today was taken over as it was found.",
        "post_missing": "A post on the network was not here. It was taken in as it was found.",
        "task_gone": "A task that is open here is not in the CRM any more. It was closed here as it was found.",
        "task_done": "A task that is open here was completed in the CRM. It was closed here as it was found.",
        "task_open": "A task that is closed here is still open in the CRM.",
        "task_unknown": "A task in the CRM carries a key of ours that is not known here. Perhaps a backup was restored here.",
        "task_twice": "A task of ours stands in the CRM a second time: it came there twice, or somebody copied it. Close the one that is too many.",
        "task_unsent": "A task that should stand in the CRM was never written there, and nothing was due to be. It is being written as it was found.",
        "task_missing": "Somebody waits, and no task said so. It was decided again as it was found.",
        "answered": "A task is open though the conversation was answered afterwards.",
    }
)
# Kind of provider -> what can differ there.
FOUND_AT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "social": ("post_gone", "post_edited", "post_missing", "answered", "task_missing"),
        "crm": ("task_gone", "task_done", "task_open", "task_unknown", "task_twice", "task_unsent"),
    }
)


def sentence(compared: int, standing: int, why_not: str) -> str:
    """How the last comparison of a connection went."""
    if why_not:
        return why_not
    if not compared:
        return "There is nothing to compare yet."
    things = "1 thing was" if compared == 1 else f"{compared} things were"
    found = {0: "Nothing differs", 1: "1 thing differs"}.get(standing, f"{standing} things differ")
    return f"{things} looked at on both sides. {found}."
