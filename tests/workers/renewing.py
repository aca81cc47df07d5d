"""Worker processes that share one connection, for `test_one_refresh`. `python -m tests.workers.renewing` reads scenarios, one a line of JSON
({"scenario", "env", "arguments"}; the environment is a worker's), and prints as a line of JSON what came of each.

Everything is imported before the processes are forked, so that sixteen of them start at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import select, text
from structlog.testing import capture_logs

from integrations import consents
from integrations.clients import SocialClient
from integrations.errors import IntegrationError
from integrations.http import Session
from integrations.provider import Access, OAuth2, Provider
from integrations.records import Author
from integrations.registry import providers
from service import config as configuration
from service import credentials, registrations
from service.models import Connection
from service.runtime import Runtime
from service.store import connecting
from workers import policy
from workers.access import Line

ROOT = Path(__file__).parents[2]
PROVIDER = "rotating"
CALLS = 4  # of one job
WAIT = 0.1, 0.4  # seconds until a loser looks again: a worker waits three


class Client:
    """What a worker speaks to the network with."""

    def __init__(self, access: Access) -> None:
        self._http = Session(access.hosts["api"], token=str(access.credentials["access_token"]))

    def whoami(self) -> Author:
        return Author(str(self._http.get("/me")["id"]), "brand")

    def left(self) -> int:
        """How many expiries the network has left."""
        return int(self._http.get("/me")["left"])


def register() -> None:
    """Makes the network known to this process, as a folder would."""
    auth = OAuth2(authorize_url="{api}/authorize", token_url="{api}/token", scopes=("read",))
    made: Provider[SocialClient] = Provider(
        key=PROVIDER, kind="social", name="Rotating", hosts={"api": "https://rotating.example"}, client=Client, streams=(), auth=auth,  # type: ignore[arg-type]
    )  # fmt: skip
    providers()[PROVIDER] = made


class Worker:
    """One process: its own runtime, and jobs one after the other."""

    def __init__(self, workspace_id: str, lease: float | None = None) -> None:
        config = configuration.load()
        self.runtime = Runtime(replace(config, lease=timedelta(seconds=lease)) if lease else config)
        self.workspace_id = UUID(workspace_id)

    def connection(self) -> Connection:
        with self.runtime.db.tenant(self.workspace_id) as session:
            return session.scalars(select(Connection)).one()

    def job(self, call: Callable[[Client], int], calls: int = 1) -> tuple[str, int]:
        """What became of it, and what the last call said. A refusal is reacted to as pulls do."""
        row, said = self.connection(), -1
        line = Line(self.runtime, row)
        try:
            for _ in range(calls):
                said = line.speak(call)
        except IntegrationError as error:
            told = policy.reaction(error, 0)
            if told.reauth:
                with self.runtime.db.tenant(self.workspace_id) as session:
                    connecting.needs_reauth(session, row, told.shown, refused=policy.refused_version(error))
            return type(error).__name__, said
        return "ok", said

    def lease_is_over(self, *, now: bool) -> None:
        """Returns when PostgreSQL says that the lease of a renewal has run out; `now`: it does so at once."""
        patience, over = threading.Event(), False
        while not over:
            with self.runtime.db.tenant(self.workspace_id) as session:
                if now:
                    session.execute(text("UPDATE credentials SET refresh_lease_until = now() - interval '1 second'"))
                over = session.execute(
                    text("SELECT coalesce(refresh_lease_until < now(), true) FROM credentials")
                ).scalar_one()
            patience.wait(0 if over else 0.05)


# --- scenarios ------------------------------------------------------------------------------------------------


def storm(workspace_id: str, processes: int) -> Mapping[str, Any]:
    """So many processes use the connection until no token runs out any more."""
    return _together(processes, lambda write: _use(workspace_id, write))


def renewals(workspace_id: str, processes: int, number: int) -> Mapping[str, Any]:
    """So many processes take the token for refused, as often as it takes for `number` renewals, on a network whose tokens last."""
    return _together(processes, lambda write: _renew(workspace_id, number, write))


def _together(processes: int, work: Callable[[int], None]) -> Mapping[str, Any]:
    read, write = os.pipe()
    children = [_forked(lambda: work(write)) for _ in range(processes)]
    os.close(write)
    with os.fdopen(read) as lines:
        found = [json.loads(line) for line in lines]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    total: Counter[str] = Counter()
    for each in found:
        total.update(each)
    return {"exit_codes": codes, "outcomes": dict(total), "reported": len(found)}


def _use(workspace_id: str, write: int) -> None:
    worker, left, outcomes = Worker(workspace_id), 1, Counter[str]()
    patience, random = threading.Event(), Random(os.getpid())
    while left:
        outcome, said = worker.job(Client.left, CALLS)
        outcomes[outcome] += 1
        if outcome == "ok":
            left = said
        elif outcome == "BeingRenewedError":
            patience.wait(random.uniform(*WAIT))
        else:
            break
    os.write(write, (json.dumps(outcomes) + "\n").encode())


def _renew(workspace_id: str, number: int, write: int) -> None:
    worker, outcomes = Worker(workspace_id), Counter[str]()
    row, patience, random = worker.connection(), threading.Event(), Random(os.getpid())
    way, setting = registrations.setting_of(worker.runtime, row)
    held = credentials.fresh(worker.runtime, way, setting, row.workspace_id, row.id)
    while held.version <= number:
        try:
            held = credentials.fresh(worker.runtime, way, setting, row.workspace_id, row.id, refused=held.version)
            outcomes["renewed" if held.renewed else "found"] += 1
        except credentials.BeingRenewedError:
            outcomes["waited"] += 1
            patience.wait(random.uniform(*WAIT))
    os.write(write, (json.dumps(outcomes) + "\n").encode())


def held_up(workspace_id: str, at: str, by: str) -> Mapping[str, Any]:
    """One process is killed, or stopped until its lease is over, right before it asks for new tokens ("asking") or when the answer is
    there ("answered"). Another one takes its place; then the first one goes on, and after it a third job is done."""
    # One that has not asked yet has to find its own time over; the lease of the others is ended by hand.
    lease = 1.0 if at == "asking" else None
    holder = _forked(lambda: _hold_up(workspace_id, at, getattr(signal, by), lease))
    _, status = os.waitpid(holder, os.WUNTRACED)
    other = Worker(workspace_id)
    found = {"holder": "stopped" if os.WIFSTOPPED(status) else "killed", "meanwhile": other.job(Client.left)[0]}
    other.lease_is_over(now=lease is None)
    with capture_logs() as logs:
        found["other"], found["status"] = other.job(Client.left)[0], other.connection().status
    if os.WIFSTOPPED(status):
        os.kill(holder, signal.SIGCONT)
        found["resumed"] = str(os.waitstatus_to_exitcode(os.waitpid(holder, 0)[1]))
    found["third"], row = other.job(Client.left)[0], other.connection()
    told = [each["event"] for each in logs]
    return {**found, "status_after": row.status, "sentence": row.status_reason, "told": told}


def paused(workspace_id: str, at: str) -> Mapping[str, Any]:
    """One process is stopped for less than its lease. Another one has to wait, and a third job finds what the first one stored."""
    holder = _forked(lambda: _hold_up(workspace_id, at, signal.SIGSTOP, None))
    os.waitpid(holder, os.WUNTRACED)
    other = Worker(workspace_id)
    meanwhile = other.job(Client.left)[0]
    os.kill(holder, signal.SIGCONT)
    resumed = os.waitstatus_to_exitcode(os.waitpid(holder, 0)[1])
    return {"meanwhile": meanwhile, "resumed": str(resumed), "third": other.job(Client.left)[0]}


def _hold_up(workspace_id: str, at: str, number: signal.Signals, lease: float | None) -> None:
    """The renewal of this process is held up. With a short `lease`, its time is over when it goes on."""
    refresh = consents.refresh

    def halting(*arguments: Any) -> Any:
        if at == "asking":
            os.kill(os.getpid(), number)
        values = refresh(*arguments)
        if at == "answered":
            os.kill(os.getpid(), number)
        return values

    consents.refresh = halting
    outcome, _ = Worker(workspace_id, lease).job(Client.left)
    sys.exit(0 if outcome == "ok" else 3)


def _forked(work: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work()
    except SystemExit as ended:
        os._exit(int(ended.code or 0))
    except BaseException as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        os._exit(1)
    os._exit(0)


SCENARIOS: Mapping[str, Callable[..., Mapping[str, Any]]] = {
    "storm": storm,
    "renewals": renewals,
    "held_up": held_up,
    "paused": paused,
}


# --- the test's side, and the program's -----------------------------------------------------------------------

Workers = Callable[[str, Mapping[str, str], Mapping[str, Any]], dict[str, Any]]


@contextmanager
def playing() -> Iterator[Workers]:
    """Plays scenarios, each with its environment and arguments; the program starts once for all of them."""
    command = [sys.executable, "-m", "tests.workers.renewing"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin
        assert program.stdout

        def play(scenario: str, env: Mapping[str, str], arguments: Mapping[str, Any]) -> dict[str, Any]:
            told = {"scenario": scenario, "env": env, "arguments": arguments}
            print(json.dumps(told), file=program.stdin, flush=True)
            found: dict[str, Any] | None = json.loads(program.stdout.readline())  # type: ignore[union-attr]
            assert found is not None, f"the scenario {scenario} broke off, see above"
            return found

        yield play
        program.stdin.close()


def _play(told: Mapping[str, Any]) -> None:
    os.environ.update(told["env"])
    _say(SCENARIOS[told["scenario"]](**told["arguments"]))


def _say(found: Mapping[str, Any] | None) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    register()
    for line in sys.stdin:
        told = json.loads(line)
        _, status = os.waitpid(_forked(lambda told=told: _play(told)), 0)  # type: ignore[misc]
        if status:
            _say(None)


if __name__ == "__main__":
    main()
