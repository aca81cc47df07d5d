"""The sandbox's control interface, as the launcher uses it. (Warmline itself speaks to it in the vendors' formats only.)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests

from service.errors import PlainError

CHUNK = 5000  # records in one load
TIMEOUT = 120.0


@dataclass
class Load:
    """What to put on the sandbox's network and into its CRM. Records as its `/control/load` takes them."""

    accounts: list[dict[str, Any]] = field(default_factory=list)
    posts: list[dict[str, Any]] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    contacts: list[dict[str, Any]] = field(default_factory=list)
    owners: list[dict[str, Any]] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)  # posts that are deleted at their source later on
    brands: dict[str, str] = field(default_factory=dict)  # handle -> the brand's name
    colleagues: dict[str, list[str]] = field(
        default_factory=dict
    )  # brand's name -> handles of people who answer for it

    def parts(self) -> Iterator[dict[str, Any]]:
        """In an order in which nothing refers to what is not there yet."""
        for name in ("owners", "accounts", "posts", "messages", "contacts", "activities"):
            records: Sequence[Any] = getattr(self, name)
            for start in range(0, len(records), CHUNK):
                yield {name: records[start : start + CHUNK]}


class Sandbox:
    """Raises PlainError when the sandbox refuses."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()
        self._http.trust_env = False

    def load(self, what: Load) -> None:
        for part in what.parts():
            self._call("POST", "/control/load", part)

    def delete_post(self, post_id: str) -> None:
        self._call("DELETE", f"/control/posts/{post_id}", missing_ok=True)

    def register(self, provider: str, client_id: str, client_secret: str, redirect_uri: str) -> bool:
        """Whether the sandbox speaks for this provider."""
        body = {"client_id": client_id, "client_secret": client_secret, "redirect_uris": [redirect_uri]}
        return self._call("PUT", f"/control/apps/{provider}", body, missing_ok=True) is not None

    def settings(self, **values: Any) -> None:
        self._call("PUT", "/control/settings", values)

    def clear_faults(self) -> None:
        """Nothing goes wrong on purpose any more."""
        self._call("DELETE", "/faults")

    def counts(self) -> Mapping[str, int]:
        found: Mapping[str, int] = self._call("GET", "/control/counts")
        return found

    def consent(self, authorize_url: str, account: str) -> str:
        """What a person does on the consent page: chooses the account and allows. Returns where the page sends them."""
        self._http.get(authorize_url, timeout=TIMEOUT).raise_for_status()
        answer = self._http.post(
            authorize_url, data={"account": account, "decision": "allow"}, timeout=TIMEOUT, allow_redirects=False
        )
        if answer.status_code not in (302, 303):
            raise PlainError(f"The sandbox's consent page for {account} did not come through ({answer.status_code}).")
        return answer.headers["Location"]

    def _call(self, method: str, path: str, body: Any = None, *, missing_ok: bool = False) -> Any:
        try:
            answer = self._http.request(method, self.url + path, json=body, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise PlainError(f"The sandbox does not answer ({type(error).__name__}).") from None
        if answer.status_code == 404 and missing_ok:
            return None
        if not answer.ok:
            raise PlainError(f"The sandbox refused {path} ({answer.status_code}): {_why(answer)}")
        return answer.json() if answer.content else {}


def _why(answer: requests.Response) -> str:
    """Its own sentence, where it has one."""
    try:
        said = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        said = answer.text
    return str(said)[:200]
