"""Few and good: who gets which task when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from service.rules.admission import ONE_PER_PERSON, Admitted, Waiting, admit
from service.rules.model import Held

NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)
TOMORROW = NOW + timedelta(hours=21)
OLGA = ("crm", "o1")


def waiting(
    name: str, *, person: str | None = None, urgency: int = 50, owner: tuple[str, str] = OLGA, hours: int = 1
) -> Waiting:
    return Waiting(name, ("brand", person or name, "unanswered"), owner, urgency, NOW - timedelta(hours=hours))


def answers(*tasks: Waiting, cap: int | None = None, **more: object) -> dict[str, Admitted | Held]:
    given = {"taken": set(), "given_today": {}, "free": {}, **more}
    return admit(tasks, cap=cap, tomorrow=TOMORROW, now=NOW, **given)  # type: ignore[arg-type]


def test_without_a_cap_everybody_gets_everything_now() -> None:
    assert answers(waiting("a"), waiting("b")) == {"a": Admitted(NOW), "b": Admitted(NOW)}


def test_the_most_urgent_come_first_and_then_the_longest_wait() -> None:
    found = answers(waiting("late", hours=1), waiting("early", hours=9), waiting("urgent", urgency=90), cap=2)
    assert [name for name, answer in found.items() if isinstance(answer, Admitted)] == ["urgent", "early"]
    assert found["late"] == Held("Its owner has been given 2 new tasks today, which is the limit.", TOMORROW)


def test_the_cap_counts_what_was_given_today_already_and_each_owner_alone() -> None:
    found = answers(waiting("a"), waiting("b", owner=("crm", "o2")), cap=3, given_today={OLGA: 3})
    assert isinstance(found["a"], Held)
    assert found["b"] == Admitted(NOW)


def test_one_open_task_per_person_and_kind() -> None:
    found = answers(waiting("a", person="ana", urgency=10), waiting("b", person="ana", urgency=90))
    assert found == {"b": Admitted(NOW), "a": Held(ONE_PER_PERSON)}
    assert answers(waiting("a", person="ana"), taken={("brand", "ana", "unanswered")}) == {"a": Held(ONE_PER_PERSON)}


def test_an_owner_in_a_meeting_gets_it_afterwards_and_it_says_so() -> None:
    later = NOW + timedelta(minutes=30)
    found = answers(waiting("a"), free={OLGA: later})
    assert found["a"] == Admitted(
        later, "Its owner is in a meeting or outside working hours; it is handed over afterwards."
    )


def test_order_of_arrival_changes_nothing() -> None:
    tasks = [waiting(name, person=name[0], urgency=ord(name[1])) for name in ("a1", "a2", "b1", "b3", "c2", "c9")]
    assert answers(*tasks, cap=2) == answers(*reversed(tasks), cap=2)
