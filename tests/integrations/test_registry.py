"""The registry finds providers by their folders, and every manifest is whole."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import integrations.crm
import integrations.social
from integrations import consents, hosts, registry
from integrations.provider import HANDED_IN, App, OAuth2
from integrations.registry import AnyProvider

FOLDERS = {
    (kind, folder.name)
    for kind, package in (("social", integrations.social), ("crm", integrations.crm))
    for folder in Path(package.__path__[0]).iterdir()
    if (folder / "__init__.py").is_file()
}
MANIFEST = """
from datetime import timedelta
from integrations.provider import Provider, Secret, Stream

PROVIDER = Provider(key={key!r}, kind="crm", name="Made up", hosts={{}}, auth=Secret(), client=lambda access: None,
                    streams=(Stream("contacts", "contacts", timedelta(hours=1)),))
"""


@pytest.fixture
def crm_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that the registry looks through as well."""
    monkeypatch.setattr(integrations.crm, "__path__", [*integrations.crm.__path__, str(tmp_path)])
    before = set(sys.modules)
    registry.providers.cache_clear()
    yield tmp_path
    registry.providers.cache_clear()
    for name in set(sys.modules) - before:
        if name.startswith("integrations.crm.made_up"):
            del sys.modules[name]
            delattr(integrations.crm, name.rsplit(".", 1)[1])


def write(folder: Path, name: str, key: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(MANIFEST.format(key=key))


def test_every_folder_is_a_provider_and_nothing_else_is() -> None:
    assert {(each.kind, each.key) for each in registry.providers().values()} == FOLDERS
    assert list(registry.providers()) == sorted(registry.providers())


def test_a_new_folder_is_found_without_another_line(crm_folder: Path) -> None:
    write(crm_folder, "made_up", "made_up")

    assert registry.get("made_up").name == "Made up"


def test_a_module_that_is_no_folder_is_no_provider(crm_folder: Path) -> None:
    (crm_folder / "made_up_module.py").write_text("raise AssertionError('not to be imported')")

    assert "made_up_module" not in registry.providers()


@pytest.mark.parametrize("key", ["another", "hubspot"])
def test_a_key_that_is_not_the_folders_name_is_refused(crm_folder: Path, key: str) -> None:
    write(crm_folder, "made_up_wrong", key)

    with pytest.raises(ValueError, match="made_up_wrong"):
        registry.providers()


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        registry.get("nobody")


@pytest.fixture(params=sorted(registry.providers()))
def provider(request: pytest.FixtureRequest) -> AnyProvider:
    return registry.get(request.param)


def test_streams_have_names_of_their_own_and_never_that_of_the_sweep(provider: AnyProvider) -> None:
    names = [stream.name for stream in provider.streams]

    assert bool(names) == (HANDED_IN not in provider.capabilities)
    assert len(set(names)) == len(names)
    assert "recheck" not in names


def test_addresses_are_templates_over_the_providers_hosts(provider: AnyProvider) -> None:
    named = {field.name: "server.example" for field in hosts.host_fields(provider)}
    found = hosts.resolve(provider, App(), named)
    assert found.keys() == provider.hosts.keys()
    assert all(host.startswith("https://") and not host.endswith("/") for host in found.values())
    if isinstance(provider.auth, OAuth2):
        for template in (provider.auth.authorize_url, provider.auth.token_url, provider.auth.revoke_url or ""):
            assert "{" not in template.format(**found)


def test_every_scope_that_a_stream_needs_is_asked_for(provider: AnyProvider) -> None:
    asked = consents.way(provider).scopes

    assert {scope for stream in provider.streams for scope in stream.scopes} <= set(asked)


def test_credentials_that_a_person_types_have_a_form(provider: AnyProvider) -> None:
    assert all(way.form or way.on_page for way in consents.ways(provider))


def test_a_price_says_where_it_is_written(provider: AnyProvider) -> None:
    assert all(price.source and price.dollars > 0 for price in provider.prices)
