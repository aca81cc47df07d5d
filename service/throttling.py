"""Tries that fail cost time, and more of it each: counted in PostgreSQL, since the queue may be emptied.

What is counted is one account, one browser that is known to an account, or one address on the internet. A try is charged before
it is judged, under a lock, so that a thousand at once are a thousand tries; a good one gives back what was charged. Nobody is
locked out: a door that is closed opens by itself, and a browser in which somebody has signed in before has a door of its own, which
nobody else can close (OWASP, "Slow down online guessing attacks with device cookies").
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.clock import real_now
from service.errors import PlainError
from service.models import SigninTry
from service.sentences import count_of
from service.sessions import digest

FORGOTTEN = timedelta(days=1)  # after the last failure: whoever mistypes once a day never waits


@dataclass(frozen=True)
class Door:
    """One thing that tries are counted for, and how it closes: after `free` failures for a second, then for twice as long each
    time, up to `longest`."""

    key: bytes
    free: int
    longest: timedelta

    def closed_after(self, tries: int) -> timedelta:
        """How long it stays closed after this many failures."""
        if tries < self.free:
            return timedelta(0)
        return min(timedelta(seconds=2 ** min(tries - self.free, 20)), self.longest)


class ClosedError(PlainError):
    """Too many tries have failed. `seconds` is how long it takes until one is judged again; `advice` is what else leads in."""

    def __init__(self, opens: datetime, advice: str) -> None:
        self.seconds = max(1, round((opens - real_now()).total_seconds()))
        super().__init__(f"Too many tries have failed. Try again in {_how_long(self.seconds)}, {advice}.")


def account(email: str) -> Door:
    """For whoever tries this account in a browser that it does not know; whether there is such an account changes nothing. An hour
    at most: 24 guesses a day for all the world together, and a year of those finds no password that could be chosen."""
    return Door(_key("account", email), 5, timedelta(hours=1))


def device(token: str) -> Door:
    """For a browser that an account knows, by its cookie."""
    return Door(_key("device", token), 5, timedelta(minutes=15))


def code(whose: str) -> Door:
    """For whoever gives codes of a second factor. A code has six digits and three are good at once, so one guess in
    330,000 is right: with two a day, which is what twelve hours leave, that takes centuries. Whoever guesses has the password, or a link."""
    return Door(_key("code", whose), 5, timedelta(hours=12))


def address(name: str) -> Door | None:
    """For whoever tries from this address; of IPv6 its /64, which is one customer's. Many may sit behind one, so it is generous.
    None where the address is not known."""
    try:
        found = ip_address(name.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None) or found
    network = ip_network((mapped, 32 if mapped.version == 4 else 64), strict=False)
    return Door(_key("address", str(network)), 20, timedelta(minutes=15))


def charge(session: Session, doors: Sequence[Door]) -> datetime | None:
    """Counts a try at each of these doors, unless one is closed: then none is counted, and when the last one opens is returned."""
    now = real_now()
    fresh = [{"key": each.key, "tries": 0, "closed_until": now, "last_at": now} for each in _in_order(doors)]
    # One statement makes and locks the rows, so that none is deleted between the two by a try that was good; and in one order, so
    # that two tries never wait for each other. Each sees what the one before has counted.
    made = insert(SigninTry).values(fresh)
    locked = made.on_conflict_do_update(index_elements=["key"], set_={"key": made.excluded.key}).returning(SigninTry)
    rows = {row.key: row for row in session.scalars(locked, execution_options={"populate_existing": True})}
    opens = max(row.closed_until for row in rows.values())
    if opens > now:
        # Whoever is kept waiting leaves no row behind for every name that they think of.
        session.execute(delete(SigninTry).where(SigninTry.key.in_(rows), SigninTry.tries == 0))
        return opens
    for door in doors:
        row = rows[door.key]
        row.tries = 1 if row.last_at < now - FORGOTTEN else row.tries + 1
        row.closed_until = now + door.closed_after(row.tries)
        row.last_at = now
    return None


def settle(session: Session, own: Door, *shared: Door) -> None:
    """The try was good: the failures of the caller's `own` door are forgotten. What it was charged at doors that are `shared` with others
    comes back, and others' failures stay."""
    for door in _in_order((own, *shared)):
        if door == own:
            session.execute(delete(SigninTry).where(SigninTry.key == door.key))
        else:
            give_back(session, door)


def give_back(session: Session, *doors: Door) -> None:
    """The try was good, or nobody could judge it: what it was charged at these doors comes back."""
    for door in _in_order(doors):
        session.execute(
            update(SigninTry)
            .where(SigninTry.key == door.key, SigninTry.tries > 0)
            .values(tries=SigninTry.tries - 1, closed_until=real_now())
        )


def sweep(session: Session) -> None:
    """Forgets what is past."""
    session.execute(delete(SigninTry).where(SigninTry.last_at < real_now() - FORGOTTEN))


def _in_order(doors: Iterable[Door]) -> list[Door]:
    """As their rows are locked, by everybody."""
    return sorted(doors, key=lambda each: each.key)


def _key(what: str, name: str) -> bytes:
    return digest(f"signin {what} {name}")


def _how_long(seconds: int) -> str:
    if seconds < 90:
        return count_of(seconds, "second")
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{round(seconds / 3600)} hours"
