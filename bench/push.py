"""Push: tasks through the CRM's batch endpoint, against a bare loop that posts the very same bodies."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
from psycopg.types.json import Jsonb

from bench import corpus, network, work
from bench.figures import Figure
from bench.place import Place, environment, member, place, sandbox
from bench.rounds import in_turns, median
from bench.scale import Scale
from bench.words import Writer
from bench.worker import Outcome, apart
from service.demo.sandbox import Load
from service.ids import new_id
from service.runtime import Runtime
from workers import jobs, push

CONTACTS = 200
_TASK = (
    "INSERT INTO tasks (workspace_id, id, key, kind, brand_id, person, crm_connection_id, wanted, state, content, written, edited, reasons,"
    " urgency, since, due_at, held_reason, push_at, external_url, detail, closed_by, close_reason, settings_version, rules_version,"
    " decided_at, admitted_at) SELECT %s, t.id, 'unanswered-' || t.id, 'unanswered', b.id, 'author:' || t.id, %s, 'open', 'absent', content, '{}',"
    " '[]', '[]', 50, now(), now(), '', now(), '', '', '', '', 1, 1, now(), now() FROM unnest(%s::uuid[], %s::jsonb[]) AS t(id, content),"
    " (SELECT id FROM brands WHERE workspace_id = %s LIMIT 1) b"
)


def measure(scale: Scale) -> list[Figure]:
    """Tasks a second that come to stand in the CRM, made by one process."""
    with place() as here, sandbox(here.home) as crm:
        held = Runtime(here.database("push"))
        crm.load(_contacts())
        who = member(held)
        connection = network.connect_all(held, who, crm, Load())["crm"][0]
        held.db.engine.dispose()
        env, bodies = environment(held.config), here.home / "bodies.json"

        def ours_round(index: int) -> Outcome:
            _fill(here, who.workspace_id, connection, scale.push_tasks, index)
            return apart(ours, env, workspace=str(who.workspace_id), connection=str(connection), bodies=str(bodies))

        def bare_round(index: int) -> Outcome:
            return apart(
                bare, env, workspace=str(who.workspace_id), connection=str(connection), bodies=str(bodies), number=index
            )

        ours_round(-1)  # gives the reference its bodies
        before = crm.counts()["open_tasks"]
        mine, theirs = in_turns(scale.rounds, ours_round, bare_round)
        made = crm.counts()["open_tasks"] - before
        if made != 2 * scale.rounds * scale.push_tasks:
            raise RuntimeError(f"{made} tasks stand in the CRM instead of {2 * scale.rounds * scale.push_tasks}")
    speed, reference = ([scale.push_tasks / each.result["seconds"] for each in side] for side in (mine, theirs))
    size = f"{scale.push_tasks} new tasks with contacts, one process, batches of 100, {scale.rounds} rounds"
    against = "a bare loop of POSTs of the same bodies over one kept connection, which keeps nothing of the answers"
    return [
        Figure("push: tasks/s", median(speed), "tasks/s", size, median(reference), against, at_least=0.7),
        Figure("push: peak memory", max(each.peak_mb for each in mine), "MB", size, max(each.peak_mb for each in theirs), against),
    ]  # fmt: skip


def _contacts() -> Load:
    return Load(
        contacts=[{"id": str(7000 + each), "firstname": "Contact", "lastname": f"Number {each}"} for each in range(CONTACTS)],
        owners=[{"id": "71", "email": "olga@acme.test", "first_name": "Olga", "last_name": "Berg"}],
    )  # fmt: skip


def _fill(here: Place, workspace_id: UUID, connection: UUID, number: int, seed: int) -> None:
    """Tasks as decide and admission leave them: due, and never sent."""
    writer = Writer(seed, corpus.HANDLE)
    contents = [
        {
            "subject": f"{' '.join(writer.name())} waits for an answer on X",
            "body": f"{writer.opener()}\n\n{writer.answer('somebody')}\n\n{writer.follow_up()}\n\nhttps://x.com/somebody/status/{each}",
            "due_at": "2026-03-13T09:00:00+00:00", "owner_id": "71", "contact_native_id": str(7000 + each % CONTACTS), "high_priority": False,
        }
        for each in range(number)
    ]  # fmt: skip
    ids = [new_id() for _ in contents]
    with here.admin("push") as admin:
        admin.execute(_TASK, [workspace_id, connection, ids, [Jsonb(each) for each in contents], workspace_id])
        admin.execute("UPDATE connections SET next_push_at = now() WHERE id = %s", [connection])


# --- what is timed, in processes of their own -----------------------------------------------------------------


@dataclass
class _Recorder:
    """Keeps the bodies that go to the batch endpoint."""

    bodies: list[str] = field(default_factory=list)

    def watch(self) -> None:
        send = requests.Session.send

        def recorded(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
            if (request.url or "").endswith("/tasks/batch/create"):
                body = request.body or b""
                self.bodies.append(body.decode() if isinstance(body, bytes) else str(body))
            return send(session, request, **options)

        requests.Session.send = recorded  # type: ignore[method-assign]


def ours(workspace: str, connection: str, bodies: str) -> dict[str, float]:
    """Pushes all that is due, as a worker does."""
    jobs.preload()
    path, recorder = Path(bodies), _Recorder()
    if not path.exists():
        recorder.watch()
    work.line(UUID(workspace), UUID(connection))  # the first use of a connection is no part of what is measured
    leases = work.claim("push")
    begun = time.perf_counter()
    for each in leases:
        push.push(work.runtime(), *each.ids)
    seconds = time.perf_counter() - begun
    if recorder.bodies:
        path.write_text(json.dumps(recorder.bodies))
    return {"seconds": seconds}


def bare(workspace: str, connection: str, bodies: str, number: int) -> dict[str, float]:
    """Posts recorded bodies, each with keys that the CRM has not seen."""
    _, api, token = work.line(UUID(workspace), UUID(connection))
    fresh = [
        re.sub(r"unanswered-\w{8}", f"unanswered-{number:08x}", each).encode()
        for each in json.loads(Path(bodies).read_text())
    ]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    begun = time.perf_counter()
    with requests.Session() as http:
        http.trust_env = False
        for body in fresh:
            answer = http.post(f"{api}/crm/objects/2026-09/tasks/batch/create", data=body, headers=headers, timeout=60)
            answer.raise_for_status()
            if answer.json().get("numErrors"):
                raise RuntimeError("the sandbox refused a task of the reference")
    return {"seconds": time.perf_counter() - begun}
