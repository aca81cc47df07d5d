"""The contract against the sandbox, over real sockets on loopback, with a token from its consent page."""

from __future__ import annotations

import math
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from flask import Flask
from msgspec import structs
from werkzeug.serving import WSGIRequestHandler, make_server

from integrations import hosts, oauth
from integrations.clients import CRMClient
from integrations.crm.hubspot import PROVIDER
from integrations.crm.hubspot.client import HubSpot
from integrations.provider import Access, App, Setting
from integrations.records import Task
from sandbox.app import create_app
from sandbox.state import Sandbox
from sandbox.store import Store
from tests.fakes.clock import Clock

CALLBACK = "http://127.0.0.1/oauth/hubspot/callback"


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class SandboxHarness:
    def __init__(self, base: str, store: Store, *, unique: bool) -> None:
        self.base, self.store = base, store
        self.now = Clock()
        self.http = requests.Session()
        self._last = 100
        app = App("client", "secret", {"api": f"{base}/hubspot", "web": f"{base}/hubspot"})
        self._control(
            "PUT", "/control/apps/hubspot", client_id="client", client_secret="secret", redirect_uris=[CALLBACK]
        )
        self._control("PUT", "/control/settings", rate_limits=False, unique_properties=unique)
        setting = Setting(app, hosts.resolve(PROVIDER, app, {}), redirect_uri=CALLBACK)
        self._access = Access(setting.hosts, self._consent(setting))

    def _control(self, method: str, to: str, **body: Any) -> Any:
        response = self.http.request(method, self.base + to, json=body or None, timeout=10)
        response.raise_for_status()
        return response.json()

    def _consent(self, setting: Setting) -> dict[str, Any]:
        auth: Any = PROVIDER.auth
        asked = oauth.authorize_url(auth, setting, state="state", verifier="v" * 43)
        answer = self.http.post(
            asked, data={"account": "portal", "decision": "allow"}, allow_redirects=False, timeout=10
        )
        [code] = parse_qs(urlsplit(answer.headers["Location"]).query)["code"]
        return oauth.fetch_token(PROVIDER.name, auth, setting, code=code, verifier="v" * 43)

    def client(self) -> CRMClient:
        return HubSpot(self._access, clock=self.now)

    def connect(self) -> None:
        client = self.client()
        self._access = replace(self._access, account=client.whoami(), options=client.prepare())

    def put_contact(self, first_name: str, contact_id: str = "") -> str:
        self._last += 1
        made = contact_id or str(self._last)
        self._control("POST", "/control/load", contacts=[{"id": made, "firstname": first_name}])
        return made

    def put_contacts(self, number: int) -> set[str]:
        made = [str(10_000 + n) for n in range(number)]
        self._control("POST", "/control/load", contacts=[{"id": each, "firstname": "Ada"} for each in made])
        return set(made)

    def add_call(self, contact_id: str) -> str:
        call = {
            "id": "900",
            "type": "calls",
            "contact_id": contact_id,
            "properties": {"hs_timestamp": "2026-11-01T10:00:00Z"},
        }
        self._control("POST", "/control/load", activities=[call])
        return "900"

    def complete(self, task_id: str) -> None:
        self._api("PATCH", f"/crm/objects/2026-09/tasks/{task_id}", {"properties": {"hs_task_status": "COMPLETED"}})

    def delete(self, task_id: str) -> None:
        self._api("DELETE", f"/crm/objects/2026-09/tasks/{task_id}")

    def edit(self, task_id: str, *, subject: str) -> None:
        self._change(task_id, hs_task_subject=subject)

    def reassign(self, task_id: str, owner_id: str) -> None:
        self._change(task_id, hubspot_owner_id=owner_id)

    def _change(self, task_id: str, **properties: str) -> None:
        self._api("PATCH", f"/crm/objects/2026-09/tasks/{task_id}", {"properties": properties})

    def delete_contact(self, contact_id: str) -> None:
        self._api("DELETE", f"/crm/objects/2026-09/contacts/{contact_id}")

    def skew(self, seconds: float) -> None:
        """The sandbox goes by its own clock."""
        self.now.forward(seconds=seconds)

    def minimum_calls(self, tasks: int) -> int:
        return math.ceil(tasks / 100)

    def _api(self, method: str, path: str, body: Any = None) -> None:
        token = {"Authorization": f"Bearer {self._access.credentials['access_token']}"}
        self.http.request(method, f"{self.base}/hubspot{path}", json=body, headers=token, timeout=10).raise_for_status()

    def lose_next_create(self, *, work_done: bool) -> None:
        fault = "drop_after" if work_done else "drop_before"
        self._control("POST", "/faults", provider="hubspot", path="/tasks/batch/create", count=1, fault=fault)

    def add_owner(self, owner_id: str, email: str) -> None:
        self._control(
            "POST",
            "/control/load",
            owners=[{"id": int(owner_id), "email": email, "first_name": "Olive", "last_name": "Owner"}],
        )

    def refusable(self, task: Task) -> tuple[Task, str]:
        return structs.replace(task, owner_id="99"), "The owner ID 99 does not exist or is not active"

    def wait(self, seconds: float) -> None:
        self.now.forward(seconds=seconds)

    def tasks_ever_created(self) -> int:
        return int(self._control("GET", "/control/counts")["tasks_ever_created"])

    def kept(self) -> str:
        return "\n".join(self.store.read().iterdump())


@cache
def _app() -> Flask:
    """One application for all sandboxes, one after the other: building its routes takes longer than most tests."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(Path(folder))
        app.extensions["sandbox"].close()
    return app


@contextmanager
def sandbox_harness(*, unique: bool) -> Iterator[SandboxHarness]:
    """A sandbox of its own for each test."""
    with tempfile.TemporaryDirectory() as folder:
        app = _app()
        app.extensions["sandbox"] = state = Sandbox(Path(folder))
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        harness = SandboxHarness(f"http://127.0.0.1:{server.server_port}", state.store, unique=unique)
        try:
            yield harness
        finally:
            harness.http.close()
            server.shutdown()
            thread.join()
            server.server_close()
            state.close()
