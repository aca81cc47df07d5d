"""What `warmline doctor` looks at in a Warmline that runs: each check says in one sentence how it is, or raises PlainError with what
is the matter and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from service import rekeying
from service.clock import real_now
from service.errors import PlainError
from service.naming import provider_name
from service.runtime import Runtime
from service.sentences import count_of
from service.watch.overall import Overall
from service.watch.presence import ROLES
from service.watch.states import Backlog
from service.when import ago

LATE = timedelta(minutes=10)  # a step whose oldest row is due for longer is behind; as the alert WarmlineBehind
OFF = 5.0  # seconds between two clocks; as the alert WarmlineClockOff
FREE = 1024**3  # bytes: below this, or below a share, a disk is about to be full
SHARE = 0.05
_DOES = {
    "pull": "Reading",
    "decide": "Deciding",
    "push": "Writing to CRMs",
    "calendar": "Reading calendars",
    "person": "Doing what people asked for",
    "errand": "Running errands",
}
_ROWS = {
    "pull": ("stream is", "streams are"), "decide": ("workspace is", "workspaces are"), "push": ("CRM is", "CRMs are"),
    "calendar": ("calendar is", "calendars are"), "person": ("request is", "requests are"), "errand": ("errand is", "errands are"),
}  # fmt: skip
_AT_WORK = {"web": ("web process", "web processes"), "worker": ("worker", "workers"), "scheduler": ("scheduler", "schedulers")}  # fmt: skip


def backlog(found: Overall) -> str:
    """What is due, and since when the oldest of it is."""
    if found.states is None:
        raise PlainError("What is due cannot be read. Set DATABASE_SCHEDULER_URL, and run `warmline migrate`.")
    rows = sorted(found.states.backlog, key=lambda each: -each.lag)
    if not rows:
        return "Nothing is due that nobody works on."
    late = [each for each in rows if timedelta(seconds=each.lag) > LATE]
    if late:
        waiting = found.queue.waiting if found.queue else 0
        raise PlainError(f"{' '.join(map(_behind, late))} {_what_to_do(waiting)}")
    total = sum(each.rows for each in rows)
    return f"{total:,} {'row is' if total == 1 else 'rows are'} due, the oldest since {_lasting(rows[0].lag)}."


def _behind(each: Backlog) -> str:
    one, many = _ROWS[each.step]
    place = f" at {provider_name(each.provider)}" if each.provider else ""
    return f"{_DOES[each.step]}{place} is {_lasting(each.lag)} behind: {each.rows:,} {one if each.rows == 1 else many} due."


def _what_to_do(waiting: int) -> str:
    if waiting:
        return f"The queue holds {waiting:,}: start another `warmline worker`."
    return "The queue is empty: see that a scheduler runs, and what its log says."


def processes(found: Overall) -> str:
    """Who is at work, and who fell silent."""
    now = real_now()
    silent = [each for role in ROLES for each in found.silent(role)]
    if silent:
        who = [f"the {each.role} on {each.host} (process {each.pid}), last heard of {ago(_by_us(each.seen, found, now), now)}" for each in silent]  # fmt: skip
        raise PlainError(
            f"Fell silent without a goodbye: {'; '.join(who)}. Killed, or cut off? See its host. Nothing is lost, and it is forgotten an hour after it was last heard of."
        )
    at_work = [(role, found.alive(role)) for role in ROLES if found.alive(role)]
    if not at_work:
        return "Nobody has said yet on which host it is."
    hosts = sorted({each.host for _, some in at_work for each in some})
    counts = [f"{len(some)} {_AT_WORK[role][len(some) > 1]}" for role, some in at_work]
    return f"{', '.join(counts)} on {', '.join(hosts)}."


def _by_us(seen: float, found: Overall, now: datetime) -> datetime:
    """An instant by Valkey's clock, by ours."""
    return now - timedelta(seconds=found.queue_clock - seen) if found.queue_clock else datetime.fromtimestamp(seen, UTC)


def clocks(found: Overall) -> str:
    """Whether this host's clock, the database's, Valkey's, and those of the hosts at work agree."""
    if found.states is None:
        raise PlainError("The database's clock cannot be read. Set DATABASE_SCHEDULER_URL, and run `warmline migrate`.")
    database = found.states.at.timestamp()
    skews = {"This host": found.asked_at - database, **found.skews}
    if found.queue_clock:
        skews["Redis"] = found.queue_clock - database
    off = [f"{name} is {abs(skew):.0f} seconds {'ahead' if skew > 0 else 'behind'}" for name, skew in skews.items() if abs(skew) > OFF]  # fmt: skip
    if off:
        raise PlainError(f"Clocks differ from the database's: {'; '.join(off)}. Let all of them follow a time server.")
    most = max(map(abs, skews.values()))
    return (
        f"{len(skews)} clocks agree with the database's to within {'a second' if most <= 1 else f'{most:.0f} seconds'}."
    )


def disk(home: Path, *, ours: bool) -> str:
    """How much room there is where the data folder is; `ours`: the database is in it."""
    there = next(each for each in (home, *home.parents) if each.exists())
    usage = shutil.disk_usage(there)
    free = f"{usage.free / 1024**3:,.1f} GB of {usage.total / 1024**3:,.1f} GB are free where the data folder is"
    if usage.free < FREE or usage.free < SHARE * usage.total:
        raise PlainError(f"{free}. Make room: a database that cannot write stops, and everything waits for it.")
    return f"{free}." if ours else f"{free}. (The database's own disk cannot be seen from here.)"


def refused(found: Overall) -> str:
    """CRMs that take nothing, tasks that CRMs refuse, and jobs that ended by an error of ours."""
    said: Sequence[str] = []
    if found.states is not None and found.states.unwritten:
        crms = [
            f"{provider_name(provider)} ({number:,})" for provider, number in sorted(found.states.unwritten.items())
        ]
        said = [f"Writing fails at {', '.join(crms)}, and what is due there waits: see `connections` above for why."]
    if found.states is not None and found.states.parked:
        each = [f"{provider_name(provider) if provider else 'A CRM that is gone'} refuses {number:,}" for provider, number in sorted(found.states.parked.items())]  # fmt: skip
        said = [
            *said,
            f"Tasks stand still: {', '.join(each)}. Their workspaces see why under Tasks, Refused; try them again there or on the operator's page.",
        ]
    if found.queue is not None and found.queue.failed:
        said = [*said, f"{found.queue.failed:,} jobs ended by an error of ours within a day; see the workers' log for \"failed\"."]  # fmt: skip
    if said:
        raise PlainError(" ".join(said))
    broken_off = found.queue.broken_off if found.queue is not None else 0
    told = (
        f" {count_of(broken_off, 'job')} ended as the queue or a worker did, and what they were about was due again."
        if broken_off
        else ""
    )
    return f"No CRM refuses a task, and no job failed within a day.{told}"


def old_keys(runtime: Runtime) -> str:
    """Keys on which nothing rests any more, and keys that are missing."""
    found = rekeying.resting(runtime)
    if found.lost:
        raise PlainError(
            f"Something is sealed with keys that are not here: {', '.join(sorted(found.lost))}. Put them into WARMLINE_SECRET_KEYS behind the first one."
        )
    if found.may_go:
        return f"Nothing rests on {', '.join(found.may_go)} any more: take it out of WARMLINE_SECRET_KEYS."
    return "Every key that is here is in use."


def _lasting(seconds: float) -> str:
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            return count_of(int(seconds // size), name)
    return "less than a minute"
