"""Calls: how many HTTP requests it takes to make a thousand tasks, beside the fewest that the CRM's API allows. Where it keeps no key unique, these include
the looks without which a repeat would not be harmless.

Whoever plays the CRM in the contract's tests counts; nothing here names a CRM.
"""

from __future__ import annotations

from bench.figures import Figure
from bench.scale import Scale
from integrations.records import PushOutcome
from tests.integrations.contract.harnesses import FAKE, HARNESSES, Harness, connected, new
from tests.integrations.contract.line import tapped

TASKS = 1000
CONTACTS = 50


def measure(scale: Scale) -> list[Figure]:
    """HTTP requests for a thousand new tasks with contacts, for each CRM; a second harness plays the same CRM."""
    return [_figure(name) for name in HARNESSES if name != FAKE and " " not in name]


def _figure(name: str) -> Figure:
    with connected(name, unique=True) as crm, tapped() as wire:
        contacts = sorted(crm.put_contacts(CONTACTS))
        tasks = [new(f"key-{each}", contact_id=contacts[each % CONTACTS]) for each in range(TASKS)]
        before = len(wire.sent)
        made = crm.client().push_tasks(tasks)
        calls = len(wire.sent) - before
        fewest = _fewest(crm)
    if any(each.outcome is not PushOutcome.CREATED for each in made):
        raise RuntimeError(f"{name} did not make all tasks")
    size = f"{TASKS} new tasks with contacts in one push"
    against = "as many as fit into each call, and the looks that make a repeat harmless" if fewest else ""
    return Figure(
        f"calls: {name}, per 1,000 tasks", calls, "calls", size, fewest, against, at_most=1.0 if fewest else None
    )


def _fewest(crm: Harness) -> float | None:
    fewest = getattr(crm, "minimum_calls", None)
    return float(fewest(TASKS)) if fewest else None
