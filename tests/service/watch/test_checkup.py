"""What the doctor says of a Warmline that runs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from service import doctor
from service.clock import real_now
from service.config import Config
from service.errors import PlainError
from service.runtime import Runtime
from service.watch import checkup, presence
from service.watch.overall import Overall, Queue
from service.watch.presence import Process
from service.watch.states import Backlog, States
from tests.conftest import KEY, Member
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
CLOCK = NOW.timestamp()


def found(
    *backlog: Backlog, waiting: int = 0, failed: int = 0, processes: tuple[Process, ...] = (), **parked: int
) -> Overall:
    states = States(NOW, backlog, parked=parked)
    return Overall(states, {}, Queue(waiting, failed), processes, queue_clock=CLOCK, asked_at=CLOCK)


def process(role: str = "worker", *, ago: float = 0.0, skew: float = 0.0, pid: int = 12) -> Process:
    return Process(role, "host-1", pid, CLOCK - ago, 90.0, skew, 0, 10)


def says(look: Callable[[], str]) -> str:
    """The sentence, with what it came as."""
    try:
        return look()
    except PlainError as error:
        return f"missing: {error}"


@pytest.mark.parametrize(
    ("overall", "sentence"),
    [
        (found(), "Nothing is due that nobody works on."),
        (found(Backlog("pull", "mastodon", 1, 30)), "1 row is due, the oldest since less than a minute."),
        (found(Backlog("pull", "mastodon", 3, 30), Backlog("push", "hubspot", 1, 500)), "4 rows are due, the oldest since 8 minutes."),
        (found(Backlog("pull", "mastodon", 31, 7300), waiting=9),
         "missing: Reading at Mastodon is 2 hours behind: 31 streams are due. The queue holds 9: start another `warmline worker`."),
        (found(Backlog("decide", "", 1, 90_000)),
         "missing: Deciding is 1 day behind: 1 workspace is due. The queue is empty: see that a scheduler runs, and what its log says."),
        (Overall(), "missing: What is due cannot be read. Set DATABASE_SCHEDULER_URL, and run `warmline migrate`."),
    ],
)  # fmt: skip
def test_the_backlog_and_its_oldest_row_are_said(overall: Overall, sentence: str) -> None:
    assert says(lambda: checkup.backlog(overall)) == sentence


def test_processes_are_counted_by_what_they_do() -> None:
    some = (process("web", pid=1), process(pid=2), process(pid=3), process("scheduler", pid=4))
    assert checkup.processes(found(processes=some)) == "1 web process, 2 workers, 1 scheduler on host-1."
    assert checkup.processes(found()) == "Nobody has said yet on which host it is."


def test_one_that_fell_silent_is_named_with_its_host() -> None:
    with pytest.raises(PlainError, match=r"the worker on host-1 \(process 12\), last heard of 7 minutes ago"):
        checkup.processes(found(processes=(process(ago=430.0),)))


def test_clocks_that_differ_are_named_with_the_direction() -> None:
    assert (
        checkup.clocks(found(processes=(process(skew=0.4),)))
        == "3 clocks agree with the database's to within a second."
    )
    with pytest.raises(PlainError, match="host-1 is 30 seconds behind"):
        checkup.clocks(found(processes=(process(skew=-30.0),)))
    here = Overall(States(NOW), asked_at=CLOCK + 60)
    with pytest.raises(PlainError, match="This host is 60 seconds ahead"):
        checkup.clocks(here)


def test_a_disk_that_is_nearly_full_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage(NamedTuple):
        total: int
        used: int
        free: int

    free = 500 * 1024**2
    monkeypatch.setattr(checkup.shutil, "disk_usage", lambda path: Usage(100 * 1024**3, 0, free))
    with pytest.raises(PlainError, match=r"0.5 GB of 100.0 GB are free where the data folder is\. Make room"):
        checkup.disk(tmp_path / "not" / "made", ours=True)
    free = 50 * 1024**3
    assert checkup.disk(tmp_path, ours=True) == "50.0 GB of 100.0 GB are free where the data folder is."
    assert "cannot be seen from here" in checkup.disk(tmp_path, ours=False)


def test_what_stands_still_is_said_with_what_to_do() -> None:
    assert checkup.refused(found()) == "No CRM refuses a task, and no job failed within a day."
    with pytest.raises(PlainError, match=r"HubSpot refuses 3.*Tasks, Refused"):
        checkup.refused(found(hubspot=3))
    away = Overall(States(NOW, unwritten={"hubspot": 2}, parked={"odoo": 3}))
    with pytest.raises(
        PlainError,
        match=r"^Writing fails at HubSpot \(2\), and what is due there waits.* Tasks stand still: Odoo refuses 3",
    ):
        checkup.refused(away)
    with pytest.raises(PlainError, match="2 jobs ended by an error of ours"):
        checkup.refused(found(failed=2))


def test_the_doctor_sees_all_of_it_in_a_running_system(
    config: Config, held: Runtime, owner: Member, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    rows = Rows(held.db, owner.workspace_id, real_now())
    social = rows.connection(provider="mastodon", streams=())
    rows.stream(social, "mentions", next_pull_at=real_now() - timedelta(hours=3))
    rows.task(crm=social, state="parked", parked_at=real_now())
    presence.say(held.redis, presence.WORKER, patience=-1.0)
    keys = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in {**KEY, "k0": b"0" * 32}.items())
    for name, value in {
        "WARMLINE_HOME": str(tmp_path), "DATABASE_URL": config.need("database_url"), "REDIS_URL": config.need("redis_url"),
        "DATABASE_ADMIN_URL": config.need("database_admin_url"), "DATABASE_SCHEDULER_URL": config.need("database_scheduler_url"),
        "WARMLINE_SECRET_KEYS": keys, "WARMLINE_URL": "http://127.0.0.1:1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    steps = {step.name: step for step in doctor.examine()}
    assert {name: steps[name].state for name in ("backlog", "tasks", "processes", "clocks", "disk", "old keys")} == {
        "backlog": "missing", "tasks": "missing", "processes": "missing", "clocks": "ok", "disk": "ok", "old keys": "ok",
    }  # fmt: skip
    assert steps["backlog"].says.startswith("Reading at Mastodon is 3 hours behind: 1 stream is due.")
    assert steps["old keys"].says == "Nothing rests on k0 any more: take it out of WARMLINE_SECRET_KEYS."
