"""Few and good: who gets which task when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.rules.admission import ONE_PER_PERSON, PLACES, Admitted, Waiting, admit, ranked
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
    found = answers(waiting("a"), waiting("b", owner=("crm", "o2")), cap=3, given_today={(*OLGA, "unanswered"): 3})
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


def deal(name: str, urgency: int) -> Waiting:
    return replace(waiting(name, urgency=urgency), in_deal=True)


def test_somebody_in_no_deal_keeps_a_place_in_every_handful() -> None:
    tasks = [
        *(deal(f"d{number}", 90 - number) for number in range(9)),
        waiting("stranger", urgency=10),
        waiting("other", urgency=9),
    ]
    assert [each.id for each in ranked(tasks)] == [
        "d0",
        "d1",
        "d2",
        "d3",
        "stranger",
        "d4",
        "d5",
        "d6",
        "d7",
        "other",
        "d8",
    ]
    admitted = [name for name, answer in answers(*tasks, cap=5).items() if isinstance(answer, Admitted)]
    assert admitted == ["d0", "d1", "d2", "d3", "stranger"]


def test_that_place_is_nobody_s_where_there_is_nobody_and_each_owner_s_own() -> None:
    deals = [deal(f"d{number}", 90 - number) for number in range(7)]
    assert [each.id for each in ranked(deals)] == [each.id for each in deals]
    elsewhere = waiting("stranger", owner=("crm", "o2"), urgency=1)
    assert [each.id for each in ranked([*deals, elsewhere])][-1] == "stranger"


orders = st.lists(st.tuples(st.booleans(), st.integers(0, 100), st.sampled_from(["o1", "o2"])), max_size=30).map(
    lambda rows: [
        replace(waiting(str(n), urgency=u, owner=("crm", who)), in_deal=yes) for n, (yes, u, who) in enumerate(rows)
    ]
)


@given(orders)
def test_everybody_is_ranked_once_and_in_order_among_their_like(tasks: list[Waiting]) -> None:
    found = ranked(tasks)
    assert sorted(each.id for each in found) == sorted(each.id for each in tasks)
    for owner in ("o1", "o2"):
        own = [each for each in found if each.owner[1] == owner]
        for kind in (True, False):
            urgencies = [each.urgency for each in own if each.in_deal == kind]
            assert urgencies == sorted(urgencies, reverse=True)
        for start in range(len(own) - PLACES + 1):
            handful = own[start : start + PLACES]
            assert not all(each.in_deal for each in handful) or all(each.in_deal for each in own[start:])
