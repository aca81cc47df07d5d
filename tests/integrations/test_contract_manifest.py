"""What every manifest and every provider's page tells: to people who connect, to administrators, to whoever registers an app."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integrations.provider import HANDED_IN, Consent, OAuth2, Provider, Secret
from integrations.registry import providers
from tests.integrations.contract.recording import page_of

A_DATE = re.compile(r"\b20\d\d\b")


def _scopes(provider: Provider[Any]) -> set[str]:
    auth = provider.auth
    optional = auth.optional_scopes if isinstance(auth, OAuth2) else ()
    return {*auth.scopes, *optional} if isinstance(auth, OAuth2 | Consent) else set()


@pytest.mark.rule("manifest")
def test_everything_told_to_people_is_plain(any_provider: Provider[Any]) -> None:
    told = [any_provider.about, *(text for each in any_provider.streams for text in (each.label, each.limits))]
    told += [text for each in (*any_provider.form, *any_provider.also_form) for text in (each.label, each.help)]
    assert any_provider.name
    assert any_provider.about.endswith(".")
    assert not [text for text in told if "!" in text]


@pytest.mark.rule("manifest")
def test_scopes_of_streams_are_asked_for(any_provider: Provider[Any]) -> None:
    known = _scopes(any_provider)
    assert {scope for each in any_provider.streams for scope in each.scopes} <= known


@pytest.mark.rule("manifest")
def test_what_is_read_is_priced_with_where_that_is_written(any_provider: Provider[Any]) -> None:
    assert all(each.dollars > 0 and each.source.startswith("https://") for each in any_provider.prices)


@pytest.mark.rule("install")
def test_an_administrator_is_told_all_that_matters(any_provider: Provider[Any]) -> None:
    install, handed_in = any_provider.install, HANDED_IN in any_provider.capabilities
    # What a key or a token may do is not asked for in a consent: its scopes are what an administrator sets, in words.
    assert isinstance(any_provider.auth, Secret) or set(install.scopes) == _scopes(any_provider)
    assert install.reads
    assert install.removal
    assert bool(install.writes) or any_provider.kind == "social" or handed_in
    sentences = [*install.scopes.values(), *install.reads, *install.writes, *install.makes, *install.removal]
    assert not [each for each in sentences if not each.endswith(".") or "!" in each]


@pytest.mark.rule("readme")
def test_the_page_tells_how_to_register_what_it_costs_and_what_is_odd(any_provider: Provider[Any]) -> None:
    text = page_of(any_provider.kind, any_provider.key).read_text()
    assert "\n## Standing\n" in text
    if HANDED_IN in any_provider.capabilities:
        return
    assert re.search(r"^## .*(Regist|Connect)", text, re.MULTILINE | re.IGNORECASE)
    assert re.search(r"limit", text, re.IGNORECASE)
    assert re.search(r"price|cost|free of charge", text, re.IGNORECASE)
    assert re.search(r"\]\(https://|https://", text)
    assert A_DATE.search(text)
    assert not [scope for scope in _scopes(any_provider) if scope not in text]
    if isinstance(any_provider.auth, OAuth2 | Consent):
        assert f"/oauth/{any_provider.key}/callback" in text


def test_every_provider_has_a_page() -> None:
    assert not [key for key, each in providers().items() if not page_of(each.kind, key).exists()]
