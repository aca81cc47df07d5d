"""What a person types for a server, and the addresses that follow from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from integrations import forms, hosts
from integrations.clients import SocialClient
from integrations.errors import InvalidRequestError
from integrations.provider import App, FormField, Provider, Secret

SERVER = FormField("server", "Server", type="host")
PROVIDER: Provider[SocialClient] = Provider(
    key="example", kind="social", name="Example", hosts={"web": "https://{server}", "api": "https://{server}/api", "list": "https://list.example"},
    auth=Secret(), client=lambda access: pytest.fail("no client is needed here"), streams=(), form=(SERVER,),
)  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("mastodon.social", "mastodon.social"),
        ("  https://Mastodon.Social/ ", "mastodon.social"),
        ("https://mastodon.social/@me", "mastodon.social"),
        ("@me@mastodon.social", "mastodon.social"),
        ("mastodon.social.", "mastodon.social"),
        ("crm.example:8443", "crm.example:8443"),
        ("https://crm.example:443", "crm.example"),
        ("https://acme.odoo.example/odoo?debug=1#menu", "acme.odoo.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("ｍastodon.social", "mastodon.social"),  # a letter of double width is the letter itself
        ("mastodon。social", "mastodon.social"),
        # All in one alphabet that looks like another: it is shown in punycode, as it is called.
        ("аррӏе.example", "xn--80ak6aa92e.example"),
    ],
)
def test_the_server_that_is_meant_is_kept(typed: str, kept: str) -> None:
    assert hosts.server(typed) == kept
    assert hosts.server(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "", "   ", "localhost", "LOCALHOST.", "box.localhost", "intranet", "127.0.0.1", "10.0.0.8:80", "[::1]", "https://[fe80::1%25eth0]/", "127.1", "0x7f.0.0.1",
        "2130706433", "http://mastodon.social", "ftp://mastodon.social", "javascript:alert(1)", "me:secret@mastodon.social", "https://me@mastodon.social",
        "mastodon.social@evil.example", "mastodon.social/../admin", "mastodon.social/index.php", "mastodon social", "mastodon.social\tevil.example", "a\\b.example",
        "mastodon..social", "-a.example", "a-.example", "a_b.example", f"{'a' * 64}.example", f"{'a.' * 140}example", "mastodon.social:0", "mastodon.social:99999",
        "mastodon.social:http", "https://[bad", "mаstodon.social", "xn--a.example\u202e", "mastodon.social\x00", "℀.example",
    ],
)  # fmt: skip
def test_what_is_no_server_of_the_internet_is_refused_in_a_sentence(typed: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        hosts.server(typed)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


def test_letters_of_alphabets_that_look_alike_are_not_mixed_and_others_may_be() -> None:
    with pytest.raises(InvalidRequestError, match="alphabets that look alike"):
        hosts.server("mаstodon.social")
    assert hosts.server("東京tower.example").startswith("xn--")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://127.0.0.1:8080/", "127.0.0.1:8080"),
        ("127.0.0.1", "127.0.0.1"),
        ("http://crm.internal", "http://crm.internal"),
        ("localhost:3000", "localhost:3000"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_a_host_that_whoever_runs_it_allows_may_be_anywhere_and_be_called_plainly(typed: str, kept: str) -> None:
    assert hosts.server(typed, ("127.0.0.1", "crm.internal", "localhost", "::1")) == kept


def test_a_named_server_stands_in_the_addresses() -> None:
    assert hosts.resolve(PROVIDER, App(), {"server": "crm.example:8443"}) == {
        "web": "https://crm.example:8443",
        "api": "https://crm.example:8443/api",
        "list": "https://list.example",
    }
    plain = hosts.resolve(PROVIDER, App(), {"server": "http://127.0.0.1:8080"})
    assert plain["api"] == "http://127.0.0.1:8080/api"
    assert plain["list"] == "https://list.example"


def test_an_empty_field_means_its_default_and_without_one_the_address_is_not_there() -> None:
    assert hosts.resolve(PROVIDER, App(), {}) == {"list": "https://list.example"}
    defaulted = replace(PROVIDER, form=(replace(SERVER, default="mastodon.social"),))
    assert hosts.resolve(defaulted, App(), {"server": ""})["web"] == "https://mastodon.social"


def test_our_registration_may_say_where_the_provider_is_and_is_trusted_with_it() -> None:
    app = App(hosts={"web": "http://127.0.0.1:9", "list": "http://[::1]:9/x"})
    assert hosts.resolve(PROVIDER, app, {"server": "a.example"})["web"] == "http://127.0.0.1:9"
    assert hosts.trusted(app) == ("127.0.0.1", "::1")


# --- forms ----------------------------------------------------------------------------------------------------

FORM = (
    SERVER,
    FormField("user", "User name"),
    FormField("key", "API key", type="secret"),
    FormField("edition", "Edition", default="new", choices=(("new", "19 and later"), ("old", "before 19"))),
    FormField("note", "Note", required=False),
)
TYPED = {"server": "https://CRM.example/", "user": " ana ", "key": "k-1", "more": "left aside"}


def test_a_form_is_read_tidied_and_completed() -> None:
    assert forms.read(FORM, TYPED) == {"server": "crm.example", "user": "ana", "key": "k-1", "edition": "new"}


def test_what_is_no_secret_may_be_shown_and_the_server_is_a_place() -> None:
    values = forms.read(FORM, {**TYPED, "server": "http://127.0.0.1:80"}, ("127.0.0.1",))
    assert forms.shown(FORM, values) == {"server": "http://127.0.0.1", "user": "ana", "edition": "new"}
    assert forms.server(FORM, values) == "127.0.0.1"
    assert forms.server(FORM[1:], values) == ""


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"user": "  "}, "User name is missing"),
        ({"key": ""}, "API key is missing"),
        ({"server": ""}, "Server is missing"),
        ({"server": "localhost"}, "localhost is not the name of a server on the internet"),
        ({"edition": "oldest"}, "Edition is one of new, old"),
        ({"user": "a\x00b"}, "User name cannot be read"),
        ({"user": "a" * 2001}, "User name cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence_that_names_the_field(change: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidRequestError, match=sentence):
        forms.read(FORM, {**TYPED, **change})
