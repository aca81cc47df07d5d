"""What tests on real servers of Mastodon's client API share, whichever server it is: what people do there in their own apps, our account there,
and how a server is started and waited for."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from integrations import consents
from integrations.provider import Access, Account, App, Setting
from integrations.records import Engagement
from integrations.social.mastodon import PROVIDER

SCOPES = "read:accounts read:statuses read:notifications"
PASSWORD = "a password for tests alone"
FOR_TELLING = 30.0  # seconds: what a server does behind its answers takes it a few
ALLOWED = ("127.0.0.1",)
HERE = "http://127.0.0.1:8123"  # where Warmline would be; nobody calls it
WAY = consents.way(PROVIDER)


@dataclass(frozen=True)
class Server:
    """A server, and what people do there in their own apps. They go by their handles, and sign in with these."""

    software: str
    web: str  # where it is reached
    pages: str  # what the addresses of its posts begin with
    granted: (
        str  # what our consent comes to there; a server that honours nothing finer than `read` has granted its parts
    )
    brand: str
    customer: str
    signs_in: Callable[[str, str], str]  # the address of a consent, and who -> where the browser is sent
    tokens: dict[str, str] = field(default_factory=dict)

    def writes(self, who: str, text: str, *, to: str | None = None, visibility: str = "public", **more: Any) -> str:
        """A post. Returns its id."""
        body = {"status": text, "in_reply_to_id": to, "visibility": visibility, **more}
        return str(self.calls(who, "POST", "/api/v1/statuses", json=body)["id"])

    def edits(self, who: str, status_id: str, text: str) -> None:
        self.calls(who, "PUT", f"/api/v1/statuses/{status_id}", json={"status": text})

    def deletes(self, who: str, status_id: str) -> None:
        self.calls(who, "DELETE", f"/api/v1/statuses/{status_id}")

    def calls(self, who: str, method: str, path: str, **more: Any) -> Any:
        """What the server answers somebody's app. Fails where it refuses."""
        if who not in self.tokens:
            self.tokens[who] = self.token(who, "read write")
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        answer = requests.request(method, f"{self.web}{path}", headers=headers, timeout=30, **more)
        assert answer.ok, answer.text[:500]
        return answer.json()

    def token(self, who: str, scopes: str) -> str:
        """What an app of theirs is given that asks for these scopes."""
        made = {"client_name": "An app of theirs", "redirect_uris": "http://127.0.0.1:9/", "scopes": scopes}
        app = requests.post(f"{self.web}/api/v1/apps", data=made, timeout=30).json()
        asked = {
            "client_id": app["client_id"],
            "redirect_uri": made["redirect_uris"],
            "response_type": "code",
            "scope": scopes,
        }
        address = requests.Request("GET", f"{self.web}/oauth/authorize", params=asked).prepare().url
        code = self.signs_in(str(address), who).partition("code=")[2].partition("&")[0]
        spent = {"grant_type": "authorization_code", "code": code, "redirect_uri": made["redirect_uris"]}
        secret = {"client_id": app["client_id"], "client_secret": app["client_secret"]}
        answer = requests.post(f"{self.web}/oauth/token", data={**spent, **secret}, timeout=30)
        assert answer.ok, answer.text[:500]
        return str(answer.json()["access_token"])


class Brand:
    """The brand's account, connected as a person connects it."""

    def __init__(self, there: Server) -> None:
        given = Setting(
            App(),
            {"web": there.web},
            {"server": urlsplit(there.web).netloc},
            HERE,
            f"{HERE}/oauth/mastodon/callback",
            True,
            ALLOWED,
        )
        assert PROVIDER.auth.kind == "oauth2"
        assert PROVIDER.auth.register
        app = PROVIDER.auth.register(given)
        self.setting = replace(given, app=app, registered_with=given.form["server"])
        begun = consents.begin(WAY, self.setting, "state_1-2.3")
        query = dict(parse_qsl(urlsplit(there.signs_in(begun.authorize_url, there.brand)).query))
        assert query["state"] == "state_1-2.3"
        self.credentials = consents.finish(WAY, self.setting, begun.kept, query)
        assert PROVIDER.accounts
        (self.account,) = PROVIDER.accounts(self.access())

    def access(self, account: Account | None = None, token: str | None = None) -> Access:
        """What our client needs to speak for the account; with another token than ours, as that one lets it."""
        who, options = (account.author, account.options) if account else (None, {})
        credentials = {"access_token": token} if token else self.credentials
        return Access(self.setting.hosts, credentials, who, options, guarded=True, allow_hosts=ALLOWED)

    def client(self, token: str | None = None) -> Any:
        return PROVIDER.client(self.access(self.account, token))

    def pull(self, stream: str, cursor: str | None = None, *threads: str) -> tuple[dict[str, Engagement], str | None]:
        """Everything that a stream brings from there on, and where it goes on the next time."""
        found: dict[str, Engagement] = {}
        for page in self.client().pull(stream, cursor, threads):
            found |= {item.id: item for item in page.items}
            cursor = page.cursor
        return found, cursor

    def sees(self, stream: str, *ids: str) -> dict[str, Engagement]:
        """What a stream brings once these posts are in it."""
        found: dict[str, Engagement] = {}

        def there() -> bool:
            found.clear()
            found.update(self.pull(stream)[0])
            return found.keys() >= set(ids)

        until(there)
        return found


# --- starting one ----------------------------------------------------------------------------------------------


def until(what: Callable[[], bool]) -> None:
    """Waits for something that the server does in its own time. Fails where it does not come."""
    deadline = time.monotonic() + FOR_TELLING
    while not what():
        assert time.monotonic() < deadline, "the server did not get round to it"
        time.sleep(0.25)


@contextmanager
def process(command: list[str], folder: Path, environment: Mapping[str, str], log: Path) -> Iterator[None]:
    """A process that lives as long as the block."""
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out) as running,
    ):
        try:
            yield
        finally:
            running.terminate()
            try:
                running.wait(10)
            except subprocess.TimeoutExpired:
                running.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(web: str) -> bool:
    """Whether the server is up."""
    try:
        return requests.get(f"{web}/api/v1/instance", timeout=5).ok
    except requests.RequestException:
        return False
