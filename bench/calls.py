"""Calls: how many HTTP requests it takes to make a thousand tasks, beside the fewest that the CRM's API allows. Where it keeps no key unique, these include
the looks without which a repeat would not be harmless.

Tasks are handed over as a worker does, as many at a time. Whoever plays the CRM in the contract's tests counts; nothing here names a CRM.
"""

from __future__ import annotations

from bench.figures import Figure
from bench.scale import Scale
from integrations.records import PushOutcome
from tests.fakes.script import chunks
from tests.integrations.contract.harnesses import FAKE, HARNESSES, Harness, connected, new
from tests.integrations.contract.line import tapped
from workers.push import BATCH

TASKS = 1000
CONTACTS = 40  # with so many the harnesses count, where a CRM is asked about each of them


def measure(scale: Scale) -> list[Figure]:
    """HTTP requests for a thousand new tasks with contacts, for each CRM; a second harness plays the same CRM."""
    return [_figure(name) for name in HARNESSES if name != FAKE and " " not in name]


def _figure(name: str) -> Figure:
    with connected(name, unique=True) as crm, tapped() as wire:
        contacts = sorted(crm.put_contacts(CONTACTS))
        tasks = [new(f"key-{each}", contact_id=contacts[each % CONTACTS]) for each in range(TASKS)]
        before = len(wire.sent)
        made = [each for some in chunks(tasks, BATCH) for each in crm.client().push_tasks(some)]
        calls = len(wire.sent) - before
        fewest = _fewest(crm)
    if any(each.outcome is not PushOutcome.CREATED for each in made):
        raise RuntimeError(f"{name} did not make all tasks")
    size = f"{TASKS} new tasks with contacts, handed over {BATCH} at a time as workers do"
    against = "as many as fit into each call, and the looks that make a repeat harmless" if fewest else ""
    return Figure(
        f"calls: {name}, per 1,000 tasks", calls, "calls", size, fewest, against, at_most=1.0 if fewest else None
    )


def _fewest(crm: Harness) -> float | None:
    fewest = getattr(crm, "minimum_calls", None)
    return float(fewest(TASKS)) if fewest else None
