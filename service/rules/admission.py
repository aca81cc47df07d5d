"""Few and good: which of the waiting tasks may go to their owner now, and why the others are held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from service.rules.model import Held

Slot = tuple[str, str, str]  # brand, person, kind: one open task each
ONE_PER_PERSON = "Another task about this person is open already; this one follows when that is closed."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that is not in the CRM yet."""

    id: str
    slot: Slot
    owner: tuple[str, str]  # CRM connection, owner's id there ("" for nobody in particular)
    urgency: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Admitted:
    """May be pushed at this instant (business time). `reason` says what it waits for until then."""

    at: datetime
    reason: str = ""


def admit(
    waiting: Iterable[Waiting],
    *,
    taken: Set[Slot],
    given_today: Mapping[tuple[str, str], int],
    cap: int | None,
    tomorrow: datetime,
    free: Mapping[tuple[str, str], datetime],
    now: datetime,
) -> dict[str, Admitted | Held]:
    """An answer for each waiting task, the most urgent first, then the longest wait. `taken` are slots whose task is in
    the CRM or on its way; `given_today` counts each owner's tasks of the day; `free` is when an owner who sits in a
    meeting or is outside working hours can be reached (missing: now)."""
    answers: dict[str, Admitted | Held] = {}
    occupied, given = set(taken), Counter(given_today)
    for each in ranked(list(waiting)):
        if each.slot in occupied:
            answers[each.id] = Held(ONE_PER_PERSON)
        elif cap is not None and given[each.owner] >= cap:
            answers[each.id] = Held(f"Its owner has been given {cap} new tasks today, which is the limit.", tomorrow)
        else:
            occupied.add(each.slot)
            given[each.owner] += 1
            at = max(now, free.get(each.owner, now))
            answers[each.id] = Admitted(
                at,
                "Its owner is in a meeting or outside working hours; it is handed over afterwards." if at > now else "",
            )
    return answers


def ranked(waiting: Sequence[Waiting]) -> list[Waiting]:
    """The order in which tasks are handed out."""
    return sorted(waiting, key=lambda each: (-each.urgency, each.since, each.id))
