"""The real sandbox behind a real socket on loopback, and people who act on its network and in its CRM."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox import crm
from sandbox.app import create_app
from sandbox.clock import to_ms
from sandbox.crm_pages import OUTCOMES
from sandbox.state import Sandbox

CALL_CONNECTED = next(outcome for outcome, (name, _) in OUTCOMES.items() if name == "Connected")


@dataclass(frozen=True)
class CRMTask:
    """A task as it stands in the CRM."""

    id: int
    subject: str
    body: str  # as HubSpot keeps it: HTML
    status: str
    owner: str
    contacts: tuple[int, ...]

    @property
    def open(self) -> bool:
        return self.status != "COMPLETED"


@dataclass
class Outside:
    """The world that Warmline watches. Its business time stands still until `time_is`."""

    url: str
    app: Flask
    http: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.http.trust_env = False

    @property
    def state(self) -> Sandbox:
        found: Sandbox = self.app.extensions["sandbox"]
        return found

    def time_is(self, now: datetime) -> None:
        self.state.clock.stand_at(to_ms(now))

    def load(self, **parts: Any) -> None:
        """Records as `/control/load` takes them."""
        self._control("POST", "/control/load", **parts)

    # --- on the network ---------------------------------------------------------------------------------------

    def writes(self, who: str, text: str, *, to: str | None = None) -> str:
        """A post, or with `to` a reply. Returns its id."""
        asked = {"as": who, "text": text, **({"in_reply_to": to} if to else {})}
        return str(self._control("POST", "/control/posts", **asked)["id"])

    def messages(self, who: str, to: str, text: str) -> None:
        """A direct message."""
        self._control("POST", "/control/messages", **{"as": who, "to": to, "text": text})

    # --- in the CRM -------------------------------------------------------------------------------------------

    def tasks(self) -> list[CRMTask]:
        """Those that stand there, the oldest first."""
        db = self.state.store.read()
        rows = db.execute("SELECT * FROM records WHERE type = 'tasks' AND archived_at IS NULL ORDER BY id").fetchall()
        records = [crm.Record.of(row) for row in rows]
        linked = crm.associated(db, "tasks", [record.id for record in records], "contacts")
        return [
            CRMTask(
                record.id, record.value("hs_task_subject") or "", record.value("hs_task_body") or "",
                record.value("hs_task_status") or "", record.value("hubspot_owner_id") or "",
                tuple(contact for contact, _ in linked.get(record.id, ())),
            )
            for record in records
        ]  # fmt: skip

    def open_tasks(self) -> list[CRMTask]:
        return [task for task in self.tasks() if task.open]

    def tasks_ever_created(self) -> int:
        return int(self._control("GET", "/control/counts")["tasks_ever_created"])

    def completes(self, task: CRMTask) -> None:
        self._form(f"/crm/tasks/{task.id}/complete")

    def logs_call(self, contact: int) -> None:
        """A call with the contact, now, that was answered."""
        self._form(f"/crm/contacts/{contact}/calls", outcome=CALL_CONNECTED, minutes="12")

    # --- what vendors do --------------------------------------------------------------------------------------

    def register(self, provider: str, client_id: str, client_secret: str, callback: str) -> None:
        self._control(
            "PUT",
            f"/control/apps/{provider}",
            client_id=client_id,
            client_secret=client_secret,
            redirect_uris=[callback],
        )

    def consents(self, authorize_url: str, account: str, decision: str = "allow") -> str:
        """What a person does on the consent page. Returns where it sends the browser."""
        asked = self.http.get(authorize_url, timeout=10)
        assert asked.status_code == 200, asked.text
        answer = self.http.post(
            authorize_url, data={"account": account, "decision": decision}, allow_redirects=False, timeout=10
        )
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def fails(self, provider: str, fault: str, *, path: str = "", method: str = "", count: int = 1) -> None:
        """The next calls that fit go wrong."""
        self._control("POST", "/faults", provider=provider, fault=fault, path=path, method=method, count=count)

    def corrupts(self, text: bytes, into: bytes) -> None:
        """Every answer of a vendor's has `into` where it would have `text`, which is as long."""
        assert len(text) == len(into)
        serve = self.app.wsgi_app

        def corrupted(environ: Any, start_response: Any) -> Iterable[bytes]:
            return [b"".join(serve(environ, start_response)).replace(text, into)]

        self.app.wsgi_app = corrupted  # type: ignore[method-assign]

    def set(self, **values: Any) -> None:
        self._control("PUT", "/control/settings", **values)

    def _control(self, method: str, path: str, /, **body: Any) -> Any:
        answer = self.http.request(method, self.url + path, json=body or None, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def _form(self, path: str, **fields: str) -> None:
        answer = self.http.post(self.url + path, data=fields, timeout=10, allow_redirects=False)
        assert answer.status_code == 303, answer.text
        assert "problem" not in answer.headers["Location"], answer.headers["Location"]


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def outside(folder: Path, now: datetime) -> Iterator[Outside]:
    """The sandbox, served until the block ends."""
    app = create_app(folder, now=now.isoformat())
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    made = Outside(f"http://127.0.0.1:{server.server_port}", app)
    try:
        yield made
    finally:
        made.http.close()
        made.state.faults.stop()
        server.shutdown()
        thread.join()
        server.server_close()
        made.state.close()
