"""A simulated month (a fortnight where there is much to say) at X's prices, beside a stand-in for its bill: the ledger says what the bill says, and the bill is close to the
cheapest that could have been."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import responses

from integrations.provider import RECHECK
from integrations.records import Author
from integrations.registry import providers
from service import housekeeping, registrations
from service.runtime import Runtime
from service.store import connecting, profiles, streams
from tests.conftest import make_member
from tests.integrations.social.x.wire import US, Wire, dm, snowflake, tweet, user
from tests.workers.conftest import VALUES
from tests.world import Work
from workers import jobs, metering, pull

FIRST = datetime(2026, 11, 1, tzinfo=UTC)
NEVER = datetime(2100, 1, 1, tzinfo=UTC)
LOOKS = ((10, 725), (480, 1430))  # minutes of the day, on every other day: among them shortly before and after midnight
ASKS = ("Does it come in a tall size?", "My order never arrived", "How much is the large one?", "Can somebody call me?")
CLOSES = ("Thank you so much!", "🙏", "Great, thanks!")
PRICES: Mapping[str, float] = {price.name: price.dollars for price in providers()["x"].prices}
SENT = {
    "/2/users/me": "",
    "/2/users": "user",
    "/2/users/by": "user",
    "/2/dm_events": "dm_event",
}  # by path; all others serve posts


@dataclass
class Bill:
    """Charges for each thing that was returned, once a (UTC) day: also for what only comes along."""

    charged: dict[date, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))
    seen: set[tuple[str, str]] = field(default_factory=set)

    def served(self, day: date, path: str, body: Mapping[str, Any]) -> None:
        name = SENT.get(path, "post")
        includes = body.get("includes", {})
        rows = [
            (name, body.get("data") or []),
            ("user", includes.get("users", [])),
            ("post", includes.get("tweets", [])),
        ]
        for price, found in rows:
            if price:
                things = {(price, row["id"]) for row in found}
                self.charged[day] |= things
                self.seen |= things

    @property
    def dollars(self) -> float:
        return sum(PRICES[name] for day in self.charged.values() for name, _ in day)


@dataclass
class BilledWire(Wire):
    bill: Bill = field(default_factory=Bill)

    def _route(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        status, body = super()._route(path, query)
        if status == 200:
            self.bill.served(self.now.date(), path, body)
        return status, body


@dataclass
class Month:
    """What is going to happen to one account, and what of it matters: its posts, and who deserves a profile."""

    wire: BilledWire
    rng: random.Random
    coming: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)
    matters: set[tuple[str, str]] = field(default_factory=set)
    people: int = 0

    def mention(self, at: datetime) -> None:
        """Somebody asks, or only thanks; half of those who ask are answered within the hour."""
        self.people += 1
        who, post, asks = str(10_000 + self.people), snowflake(at), self.rng.random() < 0.7
        text = f"@acme {self.rng.choice(ASKS if asks else CLOSES)}"
        self.wire.users[who] = user(who, f"p{who}")
        self.coming.append((at, lambda: self.wire.add(tweet(post, who, text, at))))
        self.matters |= {("post", post), *([("user", who)] if asks else [])}
        if asks and self.rng.random() < 0.5:
            self.own(at + timedelta(minutes=self.rng.randint(5, 60)), to=(post, who))

    def own(self, at: datetime, to: tuple[str, str] | None = None) -> None:
        post, more = snowflake(at, 7), {"reply_to": to, "conversation_id": to[0]} if to else {}
        self.coming.append((at, lambda: self.wire.add(tweet(post, US.id, "We will see to it", at, **more))))
        self.matters.add(("post", post))

    def message(self, at: datetime) -> None:
        self.people += 1
        who, event = str(10_000 + self.people), snowflake(at, 3)
        self.wire.users[who] = user(who, f"p{who}")
        text = self.rng.choice(ASKS)
        self.coming.append((at, lambda: self.wire.write(dm(event, who, at, text, f"{who}-{US.id}"))))
        self.matters |= {("dm_event", event), ("user", who)}

    def plan(self, days: int, mentions: float, own: float, messages: float) -> None:
        """So many a day on average, at random times of so many days."""
        for make, a_day in ((self.mention, mentions), (self.own, own), (self.message, messages)):
            for _ in range(round(a_day * days)):
                make(FIRST + timedelta(seconds=self.rng.randrange(int((days - 0.2) * 86_400))))
        self.coming.sort(key=lambda each: each[0])

    def until(self, at: datetime) -> None:
        while self.coming and self.coming[0][0] <= at:
            self.coming.pop(0)[1]()


class At:
    """The one clock of the month."""

    def __init__(self) -> None:
        self.now = FIRST

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> At:
    made = At()
    for module in (metering, housekeeping, pull, streams, profiles):
        monkeypatch.setattr(module, "real_now", made)
    # The schedulers go by PostgreSQL's clock: the month itself says when it is looked.
    monkeypatch.setattr(pull, "_next", lambda job, held, finished, urgent: NEVER if finished else FIRST)
    return made


@pytest.fixture
def wire(clock: At) -> Iterator[BilledWire]:
    made = BilledWire()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        made.serve(mock)
        yield made


@pytest.fixture
def work(held: Runtime, monkeypatch: pytest.MonkeyPatch, wire: BilledWire) -> Work:
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    monkeypatch.setenv("WARMLINE_NOW", FIRST.isoformat())
    made = Work(runtime=held, owner=make_member(held, "Acme", "olga@acme.test"), monkeypatch=monkeypatch, now=FIRST)
    made.set(**VALUES)
    registrations.set_app(held, "x", "client", "secret")
    with held.db.tenant(made.workspace_id) as session:
        connecting.save(
            session, held.vault, made.owner.caller, providers()["x"], Author(US.id, US.handle, US.name),
            brand_id=connecting.brand_for(session, made.workspace_id, None, "social"),
            credentials={"access_token": "x-access-token-for-tests"}, options={},
        )  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("days", "mentions", "own", "messages"),
    # Fourteen days end late in the evening, and all posts are looked at again within the first week.
    [(14, 12, 3, 0), (30, 0.5, 0.3, 0), (14, 2, 1, 4)],
    ids=["a busy account", "a quiet account", "an account that is written to"],
)
def test_a_month_costs_what_the_ledger_says_and_close_to_the_least(
    work: Work, wire: BilledWire, clock: At, days: int, mentions: float, own: float, messages: float
) -> None:
    month = Month(wire, random.Random(11))
    month.plan(days, mentions, own, messages)
    for day in range(days):
        for minute in LOOKS[day % 2]:
            clock.now = wire.now = FIRST + timedelta(days=day, minutes=minute)
            month.until(clock.now)
            work.passes(clock.now - work.now)
            # Talk is sought where posts came from: many times a day in truth, so in its order here.
            work.look(streams=("mentions", "own", "messages"))
            work.look(streams=("conversations", "ancestors", RECHECK))

    [(micros,)] = work.sql("SELECT sum(micros) FROM spend")
    ledger, bill = float(micros) / 1e6, wire.bill.dollars
    cheapest = sum(PRICES[name] for name, _ in month.matters)
    found = month.matters & wire.bill.seen
    [(posts,)] = work.sql("SELECT count(*) FROM engagements WHERE kind <> 'context'")
    told = (
        f"ledger ${ledger:.3f}, bill ${bill:.3f}, cheapest ${cheapest:.3f}, found {len(found)} of {len(month.matters)}"
    )

    assert len(found) >= 0.99 * len(month.matters), told
    assert posts >= 0.99 * sum(name != "user" for name, _ in month.matters)
    assert bill <= ledger * 1.000001, told  # never too little
    assert ledger == pytest.approx(bill, rel=0.01), told
    assert bill <= 1.2 * cheapest, told
