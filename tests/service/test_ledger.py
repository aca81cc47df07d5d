"""The ledger: never too little, never past the ceiling, a thing once a day."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, update

from integrations.errors import SpendingLimitError
from integrations.provider import Price
from service import settings
from service.models import Bought, Connection, SpendHold, SpendMonth
from service.rules.spending import Entry
from service.runtime import Runtime
from service.store import ledger
from service.store.ledger import Payer, Reserved
from tests.conftest import Member
from tests.service.rows import Rows

POST = Price("post", 0.005, "the price list")
USER = Price("user", 0.010, "the price list")
FREE = Price("like", 0.0, "the price list")
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class Book:
    """The ledger of a workspace with some connections."""

    runtime: Runtime
    owner: Member
    rows: Rows
    made: dict[tuple[Payer, str], Reserved] = field(default_factory=dict)  # what was set aside last

    def payer(self, stream: str = "mentions", **connection: Any) -> Payer:
        made = self.rows.connection(streams=(), **connection)
        return Payer(self.owner.workspace_id, made, stream, "x:")

    def ceiling(self, dollars: int | None) -> None:
        with self.runtime.db.tenant(self.owner.workspace_id) as session:
            values = {**settings.current(session, self.owner.workspace_id).values, "monthly_ceiling": dollars}
            settings.change(session, self.owner.workspace_id, values, by="system")

    def own_ceiling(self, payer: Payer, dollars: int | None) -> None:
        with self.runtime.db.tenant(self.owner.workspace_id) as session:
            session.execute(
                update(Connection).where(Connection.id == payer.connection_id).values(monthly_ceiling=dollars)
            )

    def ask(self, payer: Payer, most: int, *, least: int = 1, now: datetime = NOON, price: Price = POST) -> int:
        with self.runtime.db.tenant(self.owner.workspace_id) as session:
            made = ledger.reserve(session, payer, price, most, least, now=now)
        self.made[payer, price.name] = made
        return made.count

    def tell(self, payer: Payer, ids: Sequence[str], *, now: datetime = NOON, price: Price = POST) -> int:
        with self.runtime.db.tenant(self.owner.workspace_id) as session:
            return ledger.settle(session, payer, price, ids, now=now, made=self.made.get((payer, price.name)))

    def buy(self, payer: Payer, ids: Sequence[str], *, now: datetime = NOON, price: Price = POST) -> int:
        self.ask(payer, len(ids), now=now, price=price)
        return self.tell(payer, ids, now=now, price=price)

    def entries(self, payer: Payer) -> list[Entry]:
        with self.runtime.db.tenant(self.owner.workspace_id) as session:
            found = ledger.entries(session, self.owner.workspace_id, [payer.connection_id], date(2026, 1, 1))
        return found[payer.connection_id]

    def spent(self) -> dict[date, int]:
        """Micros by month."""
        with self.runtime.db.tenant(self.owner.workspace_id) as session:
            return {row.month: row.micros for row in session.scalars(select(SpendMonth)) if row.micros}


@pytest.fixture
def book(held: Runtime, owner: Member) -> Book:
    return Book(held, owner, Rows(held.db, owner.workspace_id, NOON))


def ids(count: int, start: int = 0) -> list[str]:
    return [str(number) for number in range(start, start + count)]


def test_what_is_bought_stands_under_its_day_and_price(book: Book) -> None:
    payer = book.payer()
    book.buy(payer, ids(3))
    book.buy(payer, ["9"], price=USER)
    assert book.entries(payer) == [
        Entry(NOON.date(), "post", 3, 15_000),
        Entry(NOON.date(), "user", 1, 10_000),
    ]
    assert book.spent() == {date(2026, 11, 1): 25_000}


def test_the_same_thing_is_not_bought_twice_on_one_day_by_whichever_stream_or_connection(book: Book) -> None:
    payer, other = book.payer(), book.payer()
    assert book.buy(payer, ids(3)) == 3
    assert book.buy(Payer(payer.workspace_id, payer.connection_id, "own", payer.place), ids(4)) == 1
    assert book.buy(other, ids(5)) == 1
    assert book.buy(payer, ids(5), now=NOON + DAY) == 5
    assert sum(book.spent().values()) == 10 * 5_000


def test_a_thing_elsewhere_is_another_thing(book: Book) -> None:
    payer = book.payer()
    book.buy(payer, ids(1))
    assert book.buy(Payer(payer.workspace_id, payer.connection_id, "mentions", "x:other.example"), ids(1)) == 1


def test_a_call_may_cost_no_more_than_what_is_left(book: Book) -> None:
    payer = book.payer()
    book.ceiling(1)
    assert book.ask(payer, 100) == 100
    assert book.tell(payer, ids(100)) == 100
    assert book.ask(payer, 250) == 100
    book.tell(payer, ids(97, 100))
    assert book.ask(payer, 100, least=3) == 3
    with pytest.raises(SpendingLimitError) as caught:
        book.ask(payer, 100, least=5)
    assert str(caught.value) == (
        "The ceiling of $1 for November is reached; reading goes on on 1 December. Raise it in Settings."
    )
    assert caught.value.until == datetime(2026, 12, 1, tzinfo=UTC)
    assert book.ask(payer, 100, now=datetime(2026, 12, 1, 0, 5, tzinfo=UTC)) == 100


def test_a_ceiling_of_nothing_buys_nothing_and_says_so(book: Book) -> None:
    payer = book.payer()
    book.ceiling(0)
    with pytest.raises(
        SpendingLimitError, match=r"The ceiling is \$0, so nothing that costs is read. Raise it in Settings."
    ):
        book.ask(payer, 1)
    assert book.ask(payer, 100, price=FREE) == 100


def test_an_accounts_own_ceiling_holds_it_alone(book: Book) -> None:
    held, free = book.payer(), book.payer()
    book.own_ceiling(held, 1)
    book.buy(free, ids(1000))
    assert book.ask(held, 300) == 200
    book.tell(held, ids(200, 5000))
    with pytest.raises(SpendingLimitError, match=r"This account's ceiling of \$1 for November is reached"):
        book.ask(held, 1)
    assert book.ask(free, 300) == 300


def test_a_ceiling_that_is_lowered_below_what_was_spent_stops(book: Book) -> None:
    payer = book.payer()
    book.buy(payer, ids(500))
    book.ceiling(1)
    with pytest.raises(SpendingLimitError):
        book.ask(payer, 1)
    book.ceiling(None)
    assert book.ask(payer, 100) == 100


def test_two_workers_at_once_never_pass_the_ceiling(book: Book) -> None:
    payers = [book.payer() for _ in range(6)]
    book.ceiling(1)  # 200 posts
    start = Barrier(len(payers))

    def work(number: int) -> int:
        start.wait()
        bought = 0
        for page in range(6):
            try:
                count = book.ask(payers[number], 20)
            except SpendingLimitError:
                break
            bought += book.tell(payers[number], ids(count, 1000 * number + 100 * page))
        return bought

    with ThreadPoolExecutor(len(payers)) as threads:
        bought = sum(threads.map(work, range(len(payers))))
    assert bought * 5_000 == sum(book.spent().values())
    assert 180 <= bought <= 200


def test_what_is_set_aside_by_one_is_not_there_for_another(book: Book) -> None:
    one, other = book.payer(), book.payer()
    book.ceiling(1)
    assert book.ask(one, 150) == 150
    assert book.ask(other, 100) == 50
    with pytest.raises(SpendingLimitError):
        book.ask(book.payer(), 1)
    book.tell(one, ids(10))
    assert book.ask(other, 200) == 190


def test_a_worker_that_dies_between_the_call_and_the_ledger_leaves_it_too_high_never_too_low(book: Book) -> None:
    payer = book.payer()
    book.ceiling(1)
    assert book.ask(payer, 150) == 150  # and nobody ever told what came
    with pytest.raises(SpendingLimitError):
        book.ask(book.payer(), 51, least=51)
    # The same stream calls again on that day: the same page comes, for nothing.
    assert book.ask(payer, 150) == 150
    assert book.tell(payer, ids(150)) == 150


def test_what_was_never_told_counts_in_full_on_a_later_day(book: Book) -> None:
    payer = book.payer()
    book.ask(payer, 100)
    book.buy(payer, ids(3), now=NOON + DAY)
    assert book.entries(payer) == [
        Entry(NOON.date(), "post", 100, 500_000),
        Entry((NOON + DAY).date(), "post", 3, 15_000),
    ]


def test_a_refused_call_costs_nothing(book: Book) -> None:
    payer = book.payer()
    book.ceiling(1)
    book.ask(payer, 200)
    with book.runtime.db.tenant(payer.workspace_id) as session:
        ledger.release(session, payer, "post")
    assert book.ask(book.payer(), 200) == 200


def test_told_twice_is_charged_once(book: Book) -> None:
    payer = book.payer()
    book.buy(payer, ids(3))
    assert book.tell(payer, ids(3)) == 0
    assert book.spent() == {date(2026, 11, 1): 15_000}


def test_close_to_midnight_a_thing_counts_for_both_days(book: Book) -> None:
    payer = book.payer()
    book.buy(payer, ids(2), now=datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    assert book.spent() == {date(2026, 11, 1): 10_000, date(2026, 12, 1): 10_000}
    assert book.buy(payer, ids(2), now=datetime(2026, 12, 1, 0, 10, tzinfo=UTC)) == 0


def test_a_call_that_may_end_in_the_next_month_has_to_fit_into_both(book: Book) -> None:
    payer = book.payer()
    book.ceiling(1)
    late = datetime(2026, 11, 30, 23, 58, tzinfo=UTC)
    assert book.ask(payer, 150, now=late) == 150
    midnight = datetime(2026, 12, 1, 0, 3, tzinfo=UTC)
    assert book.ask(book.payer(), 150, now=midnight) == 50  # the call under way may be December's
    book.tell(payer, ids(150), now=datetime(2026, 12, 1, 0, 1, tzinfo=UTC))
    assert book.spent()[date(2026, 11, 1)] == 750_000
    assert book.spent()[date(2026, 12, 1)] == 750_000


def test_a_month_that_was_full_begins_anew_at_midnight_utc(book: Book) -> None:
    payer = book.payer()
    book.ceiling(1)
    book.buy(payer, ids(200))
    with pytest.raises(SpendingLimitError):
        book.ask(payer, 1, now=datetime(2026, 12, 1, 0, 1, tzinfo=UTC))  # by X's clock it may still be November
    assert book.ask(payer, 1, now=datetime(2026, 12, 1, 0, 3, tzinfo=UTC)) == 1


def test_what_was_bought_is_forgotten_after_a_few_days_and_the_ledger_is_not(book: Book) -> None:
    payer = book.payer()
    book.buy(payer, ids(2))
    with book.runtime.db.tenant(payer.workspace_id) as session:
        ledger.sweep(session, payer.workspace_id, now=NOON + 5 * DAY)
        assert session.scalars(select(Bought)).all() == []
        assert session.scalars(select(SpendHold)).all() == []
    assert len(book.entries(payer)) == 1


def test_what_costs_nothing_today_is_known(book: Book) -> None:
    payer = book.payer()
    book.buy(payer, ids(3))
    for now, free in ((NOON, {"0", "2"}), (NOON + DAY, set())):
        with book.runtime.db.tenant(payer.workspace_id) as session:
            assert ledger.bought_today(session, payer, ["0", "2", "7"], now=now) == free
