"""Whatever somebody types where a server is asked for, in whichever form, nobody inside is called: not even connected to.

The forms come from `hostile`, the fields from the manifests, so a new provider is tried as well.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests

from integrations import calendars, consents, forms, hosts, http
from integrations.consents import Way
from integrations.errors import IntegrationError, InvalidRequestError
from integrations.http import Session
from integrations.provider import Access, App, FormField, Setting
from integrations.records import Author
from integrations.registry import providers
from tests.integrations import hostile
from tests.integrations.hostile import PUBLIC, Inside

APP = App("client", "secret-of-our-registration", options={"scopes": "read"})
CREDENTIALS = {"access_token": "a" * 20, "refresh_token": "r" * 20, "did": "did:web:inside.example", "login": "me", "expires_at": "2026-01-01T00:00:00+00:00"}  # fmt: skip


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    found = hostile.listening()
    found.lead(monkeypatch)
    yield found
    for each in found.sockets:
        each.close()


def test_there_are_more_than_a_hundred_and_fifty_forms_and_each_is_another() -> None:
    found = hostile.forms(8443)
    assert len(found) == len(set(found)) >= 150


def test_without_a_guard_most_of_them_would_arrive(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else all that follows would prove nothing."""
    monkeypatch.setattr(http, "TIMEOUT", (0.2, 0.01))
    for address in (
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "localhost",
        "[::ffff:127.0.0.1]",
        "inside.example",
        "mixed.example",
        "0.0.0.0",
    ):
        with pytest.raises(IntegrationError):
            Session(f"http://{address}:{inside.port}").get("/")
        assert inside.arrived() >= 1, address


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_guarded_session_connects_to_nobody_inside_however_it_is_spelt(inside: Inside, scheme: str) -> None:
    for typed in hostile.forms(inside.port):
        with pytest.raises((IntegrationError, ValueError)):  # some are no address to Python itself
            Session(f"{scheme}://{typed}", guarded=True).get("/")
        assert inside.arrived() == 0, typed


def test_a_name_is_asked_for_once_so_one_that_changes_leads_nowhere_else(inside: Inside) -> None:
    with pytest.raises(IntegrationError, match="cannot be reached"):
        Session(f"http://changes.example:{inside.port}", guarded=True).get("/")
    assert (inside.asked, inside.called, inside.arrived()) == (["changes.example"], [PUBLIC], 0)


def test_of_a_name_that_leads_here_and_there_only_what_is_public_is_called(inside: Inside) -> None:
    with pytest.raises(IntegrationError, match="cannot be reached"):
        Session(f"http://mixed.example:{inside.port}", guarded=True).get("/")
    assert (inside.called, inside.arrived()) == ([PUBLIC], 0)


def test_a_name_that_leads_to_an_allowed_address_is_not_thereby_allowed(inside: Inside) -> None:
    with pytest.raises(InvalidRequestError, match="not public"):
        Session(f"http://inside.example:{inside.port}", guarded=True, allow=("127.0.0.1",)).get("/")
    assert inside.arrived() == 0


# --- connecting: every field of every provider's ways in ----------------------------------------------------------


def asks() -> Iterator[tuple[Way, FormField]]:
    """The fields that lead to a server: those of type `host`, and in a way that has none, whatever else is typed."""
    for provider in providers().values():
        for way in consents.ways(provider):
            named = [field for field in way.form if field.type == "host"]
            yield from ((way, field) for field in named or way.form if field.type != "secret" and not field.choices)


ASKS = list(asks())


@pytest.mark.parametrize(
    ("way", "field"), ASKS, ids=[f"{way.provider.key}{way.key}-{field.name}" for way, field in ASKS]
)
def test_no_field_of_a_form_leads_inside(inside: Inside, way: Way, field: FormField) -> None:
    for typed in hostile.forms(inside.port):
        filled = {
            each.name: "inside.example" if each.type == "host" else "k-1" for each in way.form if not each.choices
        }
        with suppress(IntegrationError):
            values = forms.read(way.form, {**filled, field.name: typed})
            for step in steps(way, values, inside.port):
                with suppress(IntegrationError, requests.RequestException):
                    step()
        assert inside.arrived() == 0, typed


def test_a_field_that_names_a_server_is_among_them() -> None:
    named = {provider.key for provider in providers().values() if hosts.host_fields(provider)}
    assert named == {way.provider.key for way, field in ASKS if field.type == "host"}
    assert len(named) > 3


def steps(way: Way, values: Mapping[str, str], port: int) -> list[Callable[[], object]]:
    """All that is called for an account: registering, the consent, its renewal and its end, and the client."""
    provider, register = way.provider, way.register
    setting = Setting(
        APP, hosts.resolve(provider, App(), values), values, "https://warmline.example", "https://warmline.example/cb", guarded=bool(hosts.host_fields(provider)),
        registered_with=forms.server(way.form, values),  # else nobody is asked at all
    )  # fmt: skip
    server = f"https://{hosts.place(forms.server(way.form, values)) or f'inside.example:{port}'}"
    held: dict[str, Any] = {**CREDENTIALS, **values, "pds": server, "issuer": server, "instance_url": server}
    who = Author("1", "me", "Me", url=server)
    access = Access(setting.hosts, held, who, dict(values), guarded=setting.guarded, app=APP)
    client = provider.client(access)
    found: list[Callable[[], object]] = [
        lambda: consents.finish(way, setting, kept(), {"code": "the-code"}),
        lambda: consents.revoke(way, setting, held),
        client.whoami,
        lambda: [list(client.pull(stream.name, None)) for stream in provider.streams[:1]],
    ]
    renewal = [lambda: consents.refresh(way, setting, held)] if way.renews else []

    def kept() -> Mapping[str, Any]:
        return consents.begin(way, setting, "state").kept if way.on_page else {}

    return [*found, *renewal, *([lambda: register(setting)] if register else [])]


# --- calendars ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written", ["{}", "https://{}/private/basic.ics", "webcal://{}/private/basic.ics", "http://{}/a.ics"]
)
def test_no_address_of_a_calendar_leads_inside(inside: Inside, written: str) -> None:
    for typed in hostile.forms(inside.port):
        with pytest.raises(IntegrationError):
            calendars.fetch(calendars.clean_address(written.format(typed) if written != "{}" else typed)[0])
        assert inside.arrived() == 0, typed


def test_no_redirect_leads_inside_and_a_host_that_is_allowed_is_called(inside: Inside) -> None:
    """A server that may be called sends us on to every form in turn."""
    sent: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sent.append(to)
            self.send_response(302)
            self.send_header("Location", f"https://{to}/" if "://" not in to else to)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    served = [
        each for each in hostile.forms(inside.port) if each.isascii() and each.isprintable()
    ]  # what a header can hold
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        for to in served:
            with pytest.raises(IntegrationError):
                calendars.fetch(f"http://allowed.example:{server.server_address[1]}/a.ics", allow=("allowed.example",))
            assert inside.arrived() == 0, to
        server.shutdown()
    assert sent == served
