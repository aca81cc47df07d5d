"""Our registration, where people name the server: it is shown to the server that it was made with, or to the provider's own, and no other.

Every way in of every provider is tried, so that a new one cannot forget it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from integrations import consents, hosts, oauth
from integrations.consents import ForeignServerError, Way
from integrations.errors import UnexpectedResponseError
from integrations.provider import App, OAuth2, Provider, Setting
from integrations.registry import providers

A_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
SECRETS = {"access_token": "a" * 20, "refresh_token": "r" * 20, "instance_url": "https://evil.example"}
KEPT = {"verifier": "v" * 43}


def named(provider: Provider[Any]) -> list[Way]:
    """The ways in that show a registration of ours to a server that people name."""
    return [
        way
        for way in consents.ways(provider)
        if way.has_app and hosts.named(provider, way.form, App(), dict.fromkeys(_fields(way), "a.example"))
    ]


def _fields(way: Way) -> list[str]:
    return [field.name for field in way.form if field.type == "host"]


WAYS = [way for provider in providers().values() for way in named(provider)]
each_way = pytest.mark.parametrize("way", WAYS, ids=[f"{way.provider.key}{way.key}" for way in WAYS])


def setting(way: Way, server: str, *, registered_with: str = "", at: dict[str, str] | None = None) -> Setting:
    app = App("our-client-id", "our-client-secret", at or {})
    form = dict.fromkeys(_fields(way), server)
    return Setting(
        app,
        hosts.resolve(way.provider, app, form),
        form,
        redirect_uri="https://w.example/cb",
        registered_with=registered_with,
    )


def foreign(way: Way) -> Iterator[str]:
    yield from ("evil.example", "evil.example:8443", "http://127.0.0.1:8080")
    for each in way.domains:
        yield from (f"{each}.evil.example", f"not{each}", f"login.{each}:8443", f"http://login.{each}")


def steps(way: Way, found: Setting) -> list[Callable[[], object]]:
    return [
        lambda: consents.begin(way, found, "state"),
        lambda: consents.finish(way, found, KEPT, {"code": "the-code"}),
        lambda: consents.refresh(way, found, SECRETS),
        lambda: consents.revoke(way, found, SECRETS),
    ]


@pytest.mark.rule("manifest")
def test_a_registration_for_servers_that_people_name_is_made_with_each_or_names_its_domains(
    any_provider: Provider[Any],
) -> None:
    for way in named(any_provider):
        assert way.register is not None or way.domains, f"{any_provider.key}: `domains` or `register`"
        assert all(A_DOMAIN.fullmatch(each) for each in way.domains)


def test_both_kinds_are_among_them() -> None:
    assert {(way.register is not None, bool(way.domains)) for way in WAYS} == {(True, False), (False, True)}


@each_way
def test_another_server_is_shown_no_id_no_secret_no_code_and_no_token(way: Way) -> None:
    for server in foreign(way):
        for step in steps(way, setting(way, server)) + steps(
            way, setting(way, server, registered_with="other.example")
        ):
            with responses.RequestsMock() as mock:
                with pytest.raises(
                    ForeignServerError, match=f"is not for {re.escape(hosts.place(server))}, so nothing was sent"
                ):
                    step()
                assert len(mock.calls) == 0


@each_way
def test_the_server_that_it_was_made_with_the_providers_own_and_where_it_says_itself_are_asked(way: Way) -> None:
    own = [setting(way, f"login.{each}") for each in way.domains]
    itself = setting(way, "evil.example", at=dict.fromkeys(way.provider.hosts, "https://sandbox.example"))
    for found in (*own, itself, setting(way, "crm.example:8443", registered_with="crm.example:8443")):
        begun = consents.begin(way, found, "state")
        assert begun.authorize_url.startswith(tuple(f"{each}/" for each in found.hosts.values()))


def test_an_answer_that_names_another_server_is_not_taken_from_any_provider(any_provider: Provider[Any]) -> None:
    auth = any_provider.auth
    if not isinstance(auth, OAuth2):
        return  # Bluesky's own consent always wants the name, and has tests of its own
    at = dict.fromkeys(any_provider.hosts, "https://server.example")
    for iss in (
        "https://evil.example",
        "https://server.example.evil.example",
        "http://server.example",
        "",
        "https://[",
    ):
        for answer in ({"code": "c"}, {"error": "access_denied"}):
            with responses.RequestsMock() as mock:
                with pytest.raises(UnexpectedResponseError, match="another server than the one you were sent to"):
                    oauth.finish(any_provider.name, auth, Setting(App("id"), at), KEPT, {**answer, "iss": iss})
                assert len(mock.calls) == 0
