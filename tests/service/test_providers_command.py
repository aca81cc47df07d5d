"""`warmline providers`: what is registered, listed and frozen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from integrations import standing
from integrations.registry import providers
from service import registrations
from service.config import Config, parse_keys
from service.runtime import Runtime
from tests.service.commands import KEY, Run, on_the_database
from tests.service.commands import run as run


def test_an_unknown_provider_cannot_be_registered(run: Run, config: Config) -> None:
    code, _, err = run(
        "providers", "set", "myspace", "--client-id", "a", "--client-secret", "b", **on_the_database(config)
    )
    assert code == 1
    assert f"Warmline has no provider named 'myspace'. It has {', '.join(providers())}." in err


def test_registering_a_provider_says_which_callback_to_give_it(run: Run, config: Config) -> None:
    env = {**on_the_database(config), "WARMLINE_URL": "https://warm.acme.test/"}
    code, out, _ = run("providers", "set", "x", "--client-id", "a", "--client-secret", "b", **env)
    assert (code, out) == (0, "Saved. Give x this callback address: https://warm.acme.test/oauth/x/callback\n")


def test_more_of_a_registration_is_kept_sealed_and_an_unknown_option_is_refused(run: Run, config: Config) -> None:
    said = ("providers", "set", "x", "--client-id", "a", "--client-secret", "b", "--option")
    assert run(*said, "consumer_secret=signs", **on_the_database(config))[0] == 0
    runtime = Runtime(replace(config, secret_keys=parse_keys(KEY)))
    assert registrations.app_for(runtime, providers()["x"]).options == {"consumer_secret": "signs"}
    runtime.db.engine.dispose()

    code, _, err = run(*said, "colour=red", **on_the_database(config))

    assert code == 1
    assert "X has no option 'colour'. It has consumer_secret, bearer_token." in err


def test_a_registration_may_be_for_one_server_and_name_other_addresses(run: Run, config: Config) -> None:
    env = on_the_database(config)
    said = ("providers", "set", "mastodon", "--client-id", "a", "--client-secret", "b", "--server")
    assert run(*said, "https://Fedi.Example/", "--host", "web=https://fedi-box.example/", **env)[0] == 0
    runtime = Runtime(replace(config, secret_keys=parse_keys(KEY)))
    found = registrations.app_for(runtime, providers()["mastodon"], "fedi.example")
    assert (found.client_id, found.hosts) == ("a", {"web": "https://fedi-box.example"})
    assert registrations.app_for(runtime, providers()["mastodon"], "other.example").client_id == ""
    runtime.db.engine.dispose()

    assert "localhost is not the name of a server on the internet" in run(*said, "localhost", **env)[2]
    assert (
        "Mastodon has no address named 'api'. It has web."
        in run(*said, "a.example", "--host", "api=https://b.example", **env)[2]
    )
    assert "nowhere is not an address" in run(*said, "a.example", "--host", "web=nowhere", **env)[2]

    assert run("providers", "forget", "mastodon", "--server", "fedi.example", **env)[1] == "Forgotten.\n"
    assert run("providers", "forget", "mastodon", "--server", "fedi.example", **env)[1] == "There was none.\n"


def test_a_registration_is_with_one_server_where_any_may_be_named(run: Run, config: Config) -> None:
    env = {**on_the_database(config), "WARMLINE_URL": "https://warm.acme.test/"}
    said = ("--client-id", "a", "--client-secret", "b")
    assert "Mastodon has many servers" in run("providers", "set", "mastodon", *said, **env)[2]
    assert run("providers", "set", "mastodon", *said, "--host", "web=https://sandbox.example", **env)[0] == 0
    assert run("providers", "set", "salesforce", *said, **env)[0] == 0  # whose manifest names its domains
    out = run("providers", "set", "salesforce", *said, "--server", "login.acme.example", **env)[1]
    assert out.endswith("https://warm.acme.test/oauth/salesforce/callback/login.acme.example\n")


def test_what_a_provider_does_not_have_is_not_asked_for_and_a_key_may_stand_in_a_file(
    run: Run, config: Config, tmp_path: Path
) -> None:
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN-----\nof several lines\n")
    said = ("providers", "set", "bluesky", "--option")
    assert run(*said, f"private_key=@{key}", **on_the_database(config))[0] == 0
    runtime = Runtime(replace(config, secret_keys=parse_keys(KEY)))
    assert registrations.app_for(runtime, providers()["bluesky"]).options == {"private_key": key.read_text()}
    runtime.db.engine.dispose()

    code, _, err = run(*said, f"private_key=@{tmp_path / 'nothing'}", **on_the_database(config))

    assert code == 1
    assert "nothing cannot be read." in err


def test_the_providers_are_listed_for_people_and_for_programs(run: Run) -> None:
    heads, *lines = run("providers")[1].splitlines()
    assert heads.split()[:4] == ["provider", "kind", "name", "tier"]
    assert [line.split()[0] for line in lines] == list(providers())

    rows = json.loads(run("providers", "--json")[1])
    assert [row["key"] for row in rows] == list(providers())
    for row in rows:
        assert {"key", "kind", "name", "tier", "rules"} <= set(row)
        assert {each["standing"] for each in row["rules"]} <= {"done", "todo", "exempt"}
        assert all(each["reason"] for each in row["rules"] if each["standing"] != "done")


def test_the_rules_for_a_provider_are_listed_with_what_is_missing(run: Run) -> None:
    heads, *lines = run("providers", "rules", "x")[1].splitlines()
    assert heads.startswith("tier")
    assert [line.split()[2] for line in lines] == [each.key for each in standing.rules_for("social")]
    assert any("never yet against X itself" in line for line in lines)
    assert "has no provider named 'myspace'" in run("providers", "rules", "myspace")[2]


def test_a_provider_is_frozen_with_a_reason_and_brought_back(run: Run, config: Config) -> None:
    env = on_the_database(config)
    assert run("providers", "unfreeze", "x", **env)[:2] == (0, "x was not frozen.\n")
    code, out, _ = run("providers", "freeze", "x", "--reason", "X has closed our plan", **env)
    assert (code, out) == (0, "x is frozen (0 connections). `warmline providers unfreeze x` brings it back.\n")
    assert run("providers", "unfreeze", "x", **env)[:2] == (0, "x goes on (0 connections).\n")
    code, _, err = run("providers", "freeze", "myspace", "--reason", "It is gone", **env)
    assert (code, "There is no provider 'myspace'" in err) == (1, True)
