"""A real Bluesky network on this machine, and people on it: what the opt-in tests speak to.

WARMLINE_BLUESKY names a folder with `up.sh`, `down.sh` and `oauth_user.py`: the first starts a PLC directory, a PDS and an AppView below
the scratch folder SOCIAL_HOME and describes them in `bsky-state.json`, the second stops them, the third has `approve`, a person at the PDS's sign-in
page. WARMLINE_BLUESKY_HOME is that scratch folder; keep it, and the servers are installed once.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.live.bluesky_chat import Chat, chatting

NAME = "crm.warmline-test.dev"  # is this machine for the servers, as far as they look it up
CERTIFICATE, KEY, STATE = "warmline-cert.pem", "warmline-key.pem", "bsky-state.json"
FOR_INDEXING = 20.0  # seconds: the AppView hears of a post within one


@dataclass(frozen=True)
class Network:
    """The servers, and what people do there in their own apps."""

    home: Path
    chat: Chat
    state: Mapping[str, Any]
    approve: Callable[..., str]  # authorize_url, handle, password -> where the browser is sent

    @property
    def pds(self) -> str:
        return str(self.state["pds"])

    @property
    def hosts(self) -> dict[str, str]:
        """What our registration says instead of the public network."""
        return {
            "plc": str(self.state["plc"]),
            "appview": str(self.state["appview"]),
            "chat": str(self.state["chatDid"]),
        }

    def account(self, handle: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = next(each for each in self.state["accounts"] if each["handle"] == handle)
        return found

    def did(self, handle: str) -> str:
        return str(self.account(handle)["did"])

    def consents(self, authorize_url: str, handle: str, **more: Any) -> str:
        return self.approve(authorize_url, handle, self.account(handle)["password"], **more)

    def writes(
        self, handle: str, text: str, *, to: tuple[str, str] | None = None, quotes: str | None = None, **record: Any
    ) -> str:
        """A post; with `to`, an answer to (root, parent). `@handles` in it name people. Returns its address once all servers know it."""
        body: dict[str, Any] = {
            "$type": "app.bsky.feed.post",
            "text": text,
            "createdAt": _now(),
            "facets": self._facets(text),
        }
        if to:
            body["reply"] = {"root": self._ref(to[0]), "parent": self._ref(to[1])}
        if quotes:
            body["embed"] = {"$type": "app.bsky.embed.record", "record": self._ref(quotes)}
        made = self._as(
            handle, "com.atproto.repo.createRecord", record={**body, **record}, collection="app.bsky.feed.post"
        )
        self._until(lambda: self._served(made["uri"]) is not None)
        return str(made["uri"])

    def edits(self, handle: str, uri: str, text: str) -> None:
        """Writes another text under the same address, as the protocol allows."""
        served = self._served(uri)
        assert served
        record = {**served["record"], "text": text}
        rkey = uri.rpartition("/")[2]
        self._as(handle, "com.atproto.repo.putRecord", record=record, collection="app.bsky.feed.post", rkey=rkey)
        self._until(lambda: (self._served(uri) or {"record": {}})["record"].get("text") == text)

    def deletes(self, handle: str, uri: str) -> None:
        self._as(handle, "com.atproto.repo.deleteRecord", collection="app.bsky.feed.post", rkey=uri.rpartition("/")[2])
        self._until(lambda: self._served(uri) is None)

    def blocks(self, handle: str, whom: str) -> str:
        record = {"$type": "app.bsky.graph.block", "subject": self.did(whom), "createdAt": _now()}
        made = self._as(handle, "com.atproto.repo.createRecord", record=record, collection="app.bsky.graph.block")
        return str(made["uri"])

    def unblocks(self, handle: str, uri: str) -> None:
        self._as(
            handle, "com.atproto.repo.deleteRecord", collection="app.bsky.graph.block", rkey=uri.rpartition("/")[2]
        )

    def settles(self) -> None:
        """Until everybody is found by their handle: on a busy machine the AppView hears of them only after it has come up."""
        where = f"{self.state['appview']}/xrpc/com.atproto.identity.resolveHandle"
        for each in self.state["accounts"]:
            asked = {"handle": each["handle"]}
            self._until(lambda asked=asked: requests.get(where, params=asked, timeout=10).ok)  # type: ignore[misc]

    def _facets(self, text: str) -> list[dict[str, Any]]:
        found = []
        for each in self.state["accounts"]:
            at = text.find(f"@{each['handle']}")
            if at >= 0:
                start = len(text[:at].encode())
                index = {"byteStart": start, "byteEnd": start + len(each["handle"]) + 1}
                feature = {"$type": "app.bsky.richtext.facet#mention", "did": each["did"]}
                found.append({"index": index, "features": [feature]})
        return found

    def _ref(self, uri: str) -> dict[str, str]:
        served = self._served(uri)
        assert served
        return {"uri": uri, "cid": served["cid"]}

    def _served(self, uri: str) -> dict[str, Any] | None:
        answer = requests.get(f"{self.state['appview']}/xrpc/app.bsky.feed.getPosts", params={"uris": uri}, timeout=10)
        answer.raise_for_status()
        return next(iter(answer.json()["posts"]), None)

    def _as(self, handle: str, method: str, **body: Any) -> Any:
        account = self.account(handle)
        typed = {"identifier": handle, "password": account["password"]}
        session = requests.post(f"{self.pds}/xrpc/com.atproto.server.createSession", json=typed, timeout=10).json()
        headers = {"Authorization": f"Bearer {session['accessJwt']}"}
        given = {"repo": account["did"], **body}
        answer = requests.post(f"{self.pds}/xrpc/{method}", json=given, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def _until(self, holds: Callable[[], bool]) -> None:
        """Until the AppView has heard of it: real servers take the time that they take."""
        ends = time.monotonic() + FOR_INDEXING
        while not holds():
            assert time.monotonic() < ends, "the AppView did not hear of it"
            time.sleep(0.1)


@contextmanager
def running() -> Iterator[Network]:
    """The network, from start to stop. Skips without WARMLINE_BLUESKY, and where another one stands at its ports."""
    named = os.environ.get("WARMLINE_BLUESKY")
    if not named:
        pytest.skip("there is no Bluesky network here (set WARMLINE_BLUESKY to the folder of its up.sh)")
    folder = Path(named)
    home = Path(os.environ.get("WARMLINE_BLUESKY_HOME") or Path(tempfile.gettempdir()) / "warmline-bluesky")
    home.mkdir(parents=True, exist_ok=True)
    if _answers(home):
        pytest.skip(
            "that Bluesky network is running already: stop it with its down.sh, and these tests start their own"
        )
    _certify(home)
    environment = {
        **os.environ,
        "SOCIAL_HOME": str(home),
        "BSKY_ACCOUNTS": "alice,bob,carol,acmecorp",  # acmecorp is the brand
        "BSKY_LOCAL_NAMES": NAME,
        "NODE_EXTRA_CA_CERTS": str(home / CERTIFICATE),
    }
    with chatting() as chat:
        environment["BSKY_CHAT_URL"] = chat.url
        try:
            subprocess.run(
                ["bash", str(folder / "up.sh")], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=900
            )
            network = Network(home, chat, json.loads((home / STATE).read_text()), _person(folder))
            network.settles()
            yield network
        finally:
            subprocess.run(["bash", str(folder / "down.sh")], env=environment, check=False)
            (home / STATE).unlink(missing_ok=True)


def _answers(home: Path) -> bool:
    """Whether the network that was last described there runs."""
    try:
        state = json.loads((home / STATE).read_text())
        return requests.get(f"{state['pds']}/xrpc/com.atproto.server.describeServer", timeout=5).ok
    except (OSError, ValueError):
        return False


def _person(folder: Path) -> Callable[..., str]:
    spec = importlib.util.spec_from_file_location("oauth_user", folder / "oauth_user.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    approve: Callable[..., str] = module.approve
    return approve


def _certify(home: Path) -> None:
    """A certificate for NAME, which the servers are told to trust: they read a client's documents over https only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (home / CERTIFICATE).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (home / KEY).write_bytes(private)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
