"""Few and good: which of the waiting tasks may go to their owner now, and why the others are held."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from service.rules.model import Held

Slot = tuple[str, str, str]  # brand, person, kind: one open task each
Given = tuple[str, str, str]  # CRM connection, owner's id there, kind
SHIELDED = "Its owner is in a meeting or outside working hours; it is handed over afterwards."
HELD_BACK = "Held back to compare: one call in ten is not suggested, to see whether suggesting it changes anything."
PLACES = 5  # a day's handful
ONE_PER_PERSON = "Another task about this person is open already; this one follows when that is closed."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task that is not in the CRM yet."""

    id: str
    slot: Slot
    owner: tuple[str, str]  # CRM connection, owner's id there ("" for nobody in particular)
    urgency: int
    since: datetime
    in_deal: bool = False  # the person is a customer, or has a deal under way

    @property
    def kind(self) -> str:
        return self.slot[2]


@dataclass(frozen=True, slots=True)
class Admitted:
    """May be pushed at this instant (business time). `reason` says what it waits for until then."""

    at: datetime
    reason: str = ""


def admit(
    waiting: Iterable[Waiting],
    *,
    taken: Set[Slot],
    given_today: Mapping[Given, int],
    cap: int | None,
    tomorrow: datetime,
    free: Mapping[tuple[str, str], datetime],
    now: datetime,
    limits: Mapping[str, int] | None = None,
    held_back: Set[str] = frozenset(),
) -> dict[str, Admitted | Held]:
    """An answer for each waiting task, the most urgent first, then the longest wait. `taken` are slots whose task is in
    the CRM or on its way; `given_today` counts each owner's tasks of the day by kind; `free` is when an owner who sits in
    a meeting or is outside working hours can be reached (missing: now); `limits` are what kinds that people mostly
    dismiss may give an owner a day; `held_back` are ids of tasks that are not handed out, to compare."""
    answers: dict[str, Admitted | Held] = {}
    occupied, day = set(taken), _Day(given_today, cap, limits or {}, tomorrow)
    for each in ranked(list(waiting)):
        if each.slot in occupied:
            answers[each.id] = Held(ONE_PER_PERSON)
        elif each.id in held_back:
            answers[each.id] = Held(HELD_BACK)
        elif over := day.over(each):
            answers[each.id] = over
        else:
            occupied.add(each.slot)
            day.give(each)
            at = max(now, free.get(each.owner, now))
            answers[each.id] = Admitted(at, SHIELDED if at > now else "")
    return answers


class _Day:
    """What each owner has been given today, and how much they may be."""

    def __init__(
        self, given: Mapping[Given, int], cap: int | None, limits: Mapping[str, int], tomorrow: datetime
    ) -> None:
        self._of_kind = Counter(given)
        self._in_all: Counter[tuple[str, str]] = Counter()
        for (crm, owner, _), number in given.items():
            self._in_all[crm, owner] += number
        self._cap, self._limits, self._tomorrow = cap, limits, tomorrow

    def over(self, task: Waiting) -> Held | None:
        """Why this one is too much for today; None when it is not."""
        if self._cap is not None and self._in_all[task.owner] >= self._cap:
            return Held(f"Its owner has been given {self._cap} new tasks today, which is the limit.", self._tomorrow)
        limit = self._limits.get(task.kind)
        if limit is not None and self._of_kind[(*task.owner, task.kind)] >= limit:
            number = "one new task" if limit == 1 else f"{limit} new tasks"
            return Held(
                f"Tasks of this kind were mostly dismissed lately, so its owner is given {number} of it a day for now.",
                self._tomorrow,
            )
        return None

    def give(self, task: Waiting) -> None:
        self._in_all[task.owner] += 1
        self._of_kind[(*task.owner, task.kind)] += 1


def ranked(waiting: Sequence[Waiting]) -> list[Waiting]:
    """The order in which tasks are handed out: the most urgent first, then the longest wait. Of any `PLACES` of one owner in
    a row, one is for somebody in no deal while there is anybody, however urgent the deals: they may know someone who is
    in need, and a list of deals alone would never get to them."""
    order = sorted(waiting, key=lambda each: (-each.urgency, each.since, each.id))
    lists: dict[tuple[str, str], list[Waiting]] = defaultdict(list)
    for each in order:
        lists[each.owner].append(each)
    turns = {owner: _with_a_place(own) for owner, own in lists.items()}
    return [next(turns[each.owner]) for each in order]


def _with_a_place(order: Sequence[Waiting]) -> Iterator[Waiting]:
    deals, others = (deque(each for each in order if each.in_deal == wanted) for wanted in (True, False))
    place = {each.id: number for number, each in enumerate(order)}
    row = 0  # of deals in a row
    while deals or others:
        others_turn = not deals or (others and (row >= PLACES - 1 or place[others[0].id] < place[deals[0].id]))
        row = 0 if others_turn else row + 1
        yield (others if others_turn else deals).popleft()
