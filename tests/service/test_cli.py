"""The commands, and one plain sentence for everything that keeps one from running."""

from __future__ import annotations

import base64
import json
import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from service import config as configuration
from service import registrations, serving
from service.config import Config, parse_keys
from service.db import migrate
from service.errors import PlainError
from service.models import SecondFactor
from service.runtime import Runtime
from tests.conftest import make_member
from tests.service.commands import KEY, Run, on_the_database
from tests.service.commands import run as run

NOWHERE = "postgresql://warmline@127.0.0.1:1/warmline"
NEWER = f"k2:{base64.b64encode(b'fedcba9876543210fedcba9876543210').decode()}"
# One row: what is typed, what the environment says, and the sentence.
REFUSED = [
    (("signin", "olga@acme.test"), {}, "DATABASE_URL is not set. Set it, or run `warmline up`, which brings its own servers."),
    (("signin", "olga@acme.test"), {"DATABASE_URL": NOWHERE}, "PostgreSQL cannot be reached: "),
    (("migrate",), {"DATABASE_URL": NOWHERE, "DATABASE_ADMIN_URL": NOWHERE}, "PostgreSQL cannot be reached: "),
    (("web",), {"DATABASE_URL": NOWHERE}, "WARMLINE_SECRET_KEYS is not set, so nothing can be sealed or opened. Set it to the keys that you have, or make the first with `warmline keys new`; `warmline up` keeps its own."),
    (("web",), {"DATABASE_URL": NOWHERE, "WARMLINE_SECRET_KEYS": KEY}, "PostgreSQL cannot be reached: "),
    (("signin", "x"), {"DATABASE_URL": "mysql://root:hunter2@db/x"},
     "DATABASE_URL is not the address of a PostgreSQL. Write it as postgresql://user:password@host/database."),
    (("signin", "x"), {"DATABASE_URL": "postgresql://u:hunter2@db:port/x"}, "DATABASE_URL is not the address of a PostgreSQL."),
    (("signin", "x"), {"REDIS_URL": "http://:hunter2@queue"}, "REDIS_URL is not the address of a Redis. Write it as redis://"),
    (("signin", "x"), {"WARMLINE_SECRET_KEYS": "hunter2"}, "WARMLINE_SECRET_KEYS holds something other than id:base64 of 32 bytes."),
    (("signin", "x"), {"WARMLINE_SECRET_KEYS": "k1:c2hvcnQ="}, "WARMLINE_SECRET_KEYS holds something other than id:base64 of 32 bytes."),
    (("signin", "x"), {"WARMLINE_SECRET_KEYS": KEY.replace("k1", "ключ")}, "WARMLINE_SECRET_KEYS holds something other than id:base64 of 32 bytes."),
    (("signin", "x"), {"WARMLINE_SECRET_KEYS": f"{KEY},{KEY}"}, "WARMLINE_SECRET_KEYS names two keys k1. Give each an id of its own."),
    (("up",), {"WARMLINE_SANDBOX_PORT": "free"}, "WARMLINE_SANDBOX_PORT has to be a whole number from 1 to 65535."),
    (("demo", "--now", "tomorrow"), {}, "--now is 'tomorrow', which is not a time such as 2026-03-12T16:00:00Z."),
    (("demo", "--data", "/nonexistent"), {}, "/nonexistent/messages.csv is not there."),
    (("up", "--sandbox-port", "70000"), {}, "WARMLINE_SANDBOX_PORT is 70000, and ports go from 1 to 65535."),
    (("up", "--sandbox-port", "8765"), {"PORT": "8765"}, "PORT and WARMLINE_SANDBOX_PORT are both 8765. Give each a port of its own."),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "env", "sentence"), REFUSED)
def test_what_keeps_a_command_from_running_is_one_plain_sentence(
    run: Run, typed: tuple[str, ...], env: dict[str, str], sentence: str
) -> None:
    code, out, err = run(*typed, **env)
    said = err.removeprefix("Starting PostgreSQL, Valkey, the sandbox, web, worker and scheduler\n")
    assert (code, out) == (1, "")
    assert said.startswith(f"warmline: {sentence}")
    assert said.count("\n") == 1
    assert "hunter2" not in err


# One row: a setting that is a number, the least and the most that it may be, and what it is where nothing is said.
NUMBERS = [
    ("PORT", "1", "65535", "8000"),
    ("WARMLINE_SANDBOX_PORT", "1", "65535", "8790"),
    ("WEB_CONCURRENCY", "1", "256", "1"),
    ("WARMLINE_WORKERS", "1", "256", "2"),
    ("WARMLINE_API_PER_SECOND", "0", "100000", "20"),
    ("WARMLINE_STOP_WITHIN", "1", "600", "20.0"),
    ("WARMLINE_LEASE_SECONDS", "5", "3600", "300"),
    ("WARMLINE_QUEUE_SWEEP_SECONDS", "5", "86400", "600"),
    ("WARMLINE_FRESHNESS_SECONDS", "10", "86400", "300"),
    ("WARMLINE_LEAVE_DAYS", "0", "90", "7"),
    ("WARMLINE_BACKUP_DAYS", "0", "3650", ""),
]


@pytest.mark.parametrize(("name", "least", "most", "usual"), NUMBERS)
def test_a_number_that_is_none_or_out_of_its_range_is_one_plain_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, least: str, most: str, usual: str
) -> None:
    ending = f": then it is {usual}." if usual else "."
    said = rf"^{name} has to be a (whole )?number from {least} to {most}\. Set it to that, or leave it out{ending}$"
    for wrong in ("auto", "many", "1 2", "0x10", "nan", "inf", "-1", str(int(most) + 1), "9" * 5000):
        monkeypatch.setenv(name, wrong)
        with pytest.raises(PlainError, match=said):
            configuration.load(follow=False)
    fine = [least, most, f" {least} ", ""]
    for number in fine:
        monkeypatch.setenv(name, number)
        configuration.load(follow=False)


def test_every_setting_that_is_a_number_is_in_the_table() -> None:
    """Whoever reads another one adds it above."""
    read = re.findall(r'_(?:whole|number)\(env, "(\w+)"', Path(configuration.__file__).read_text())
    assert sorted(read) == sorted(name for name, *_ in NUMBERS)


@pytest.mark.parametrize("name", ["WARMLINE_JSON_LOGS", "WARMLINE_OIDC_ONLY"])
def test_a_switch_that_is_neither_on_nor_off_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "maybe")
    with pytest.raises(PlainError, match=f"^{name} has to be true or false. Set it to that, or leave it out"):
        configuration.load(follow=False)


def test_a_time_that_stands_still_at_no_time_is_one_plain_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLINE_NOW", "noon")
    with pytest.raises(PlainError, match=r"^WARMLINE_NOW is no instant\. Write it as 2026-03-12T16:00:00Z"):
        configuration.load(follow=False)


@pytest.mark.parametrize(
    "wrong",
    ["warm.acme.test", "warm.acme.test:8000", "https//warm.acme.test", "ftp://warm.acme.test", "https://", "https://warm.acme.test/?a=b",
     "https://olga:hunter2@warm.acme.test", "https://warm.acme.test:port", "https://warm acme.test"],
)  # fmt: skip
def test_an_address_of_ours_that_nobody_could_follow_is_one_plain_sentence(run: Run, wrong: str) -> None:
    code, out, err = run("signin", "olga@acme.test", WARMLINE_URL=wrong)
    said = "WARMLINE_URL is not an address that a browser can open. Write it as https://warmline.example.com.\n"
    assert (code, out, err) == (1, "", f"warmline: {said}")


@pytest.mark.parametrize(
    ("given", "read"),
    [("", "http://127.0.0.1:8001"), ("  ", "http://127.0.0.1:8001"), (" https://warm.acme.test/ ", "https://warm.acme.test"),
     ("http://[::1]:8000", "http://[::1]:8000"), ("https://bücher.example/Warm", "https://bücher.example/Warm"),
     ("HTTPS://Warm.Acme.test", "https://warm.acme.test")],
)  # fmt: skip
def test_an_address_of_ours_is_read_as_it_is_meant(monkeypatch: pytest.MonkeyPatch, given: str, read: str) -> None:
    monkeypatch.setenv("PORT", "8001")
    monkeypatch.setenv("WARMLINE_URL", given)
    assert configuration.load(follow=False).base_url == read


def test_a_number_of_web_processes_that_is_none_breaks_nothing_that_is_loaded_before_it_is_read() -> None:
    """Gunicorn reads it as it is loaded."""
    done = subprocess.run(
        [sys.executable, "-m", "service.cli", "web"],
        env={**os.environ, "WEB_CONCURRENCY": "auto"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = "WEB_CONCURRENCY has to be a whole number from 1 to 256. Set it to that, or leave it out: then it is 1."
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"warmline: {said}\n")


def test_the_web_server_is_set_up_by_the_configuration(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_CONCURRENCY", "")  # as some hosts leave it
    chosen = replace(config, web_processes=3, stop_within=7.5, trusted_proxies=("10.0.0.1", "10.0.0.2"))
    found = serving.Server(chosen).cfg
    assert (found.workers, found.graceful_timeout, found.forwarded_allow_ips) == (3, 7, ["10.0.0.1", "10.0.0.2"])
    assert (found.worker_class_str, found.threads) == ("service.serving.Draining", serving.threads)


@pytest.mark.parametrize(
    ("host", "sentence"),
    [
        ("127.0.0.1", "Port {port} is in use by another program. Stop that, or set PORT to a free port."),
        ("198.51.100.7", "WARMLINE_BIND is 198.51.100.7, and this machine has no such address. Set it to 127.0.0.1, or to 0.0.0.0 for all that it has."),
        ("nowhere.invalid", "WARMLINE_BIND is nowhere.invalid, and this machine has no such address. Set it to 127.0.0.1, or to 0.0.0.0 for all that it has."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lines", ["true", "false"])
def test_an_address_that_cannot_be_listened_on_keeps_web_from_starting_with_one_plain_sentence(
    run: Run, config: Config, host: str, sentence: str, lines: str
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        env = {**on_the_database(config), "PORT": str(port), "WARMLINE_BIND": host, "WARMLINE_JSON_LOGS": lines}
        assert run("web", **env) == (1, "", f"warmline: {sentence.format(port=port)}\n")


def test_a_data_folder_that_is_a_file_is_one_plain_sentence(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    code, _, err = run("up")
    assert code == 1
    assert (
        f"The data folder {tmp_path}/home is a file, or lies below one. Set WARMLINE_HOME to a folder of yours." in err
    )


def test_an_answer_that_a_full_disk_does_not_take_is_one_plain_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "service.cli", "keys", "new"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    said = "There is no room left on the disk that the answer goes to. Make some, and run the command again."
    assert (done.returncode, done.stderr) == (1, f"warmline: {said}\n")


def test_an_unknown_command_is_refused_with_its_name(run: Run) -> None:
    code, _, err = run("fly")
    assert code == 2
    assert "No such command 'fly'" in err


def test_a_sign_in_link_for_somebody_unknown_says_how_to_make_an_account(run: Run, config: Config) -> None:
    code, _, err = run("signin", "who@acme.test", **on_the_database(config))
    assert code == 1
    assert (
        "Nobody with the address who@acme.test has an account here. `warmline workspace NAME EMAIL` makes one." in err
    )


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 101])
def test_a_workspace_without_a_name_that_people_can_read_is_not_made(run: Run, config: Config, name: str) -> None:
    code, out, err = run("workspace", name, "olga@acme.test", **on_the_database(config))
    assert (code, out) == (1, "")
    assert err == "warmline: Give the workspace a name of one line, of at most 100 characters.\n"


def test_a_workspace_is_made_once_and_its_owner_gets_links(run: Run, config: Config) -> None:
    env = on_the_database(config)
    links = [run("workspace", "Acme", "olga@acme.test", **env)[1] for _ in range(2)] + [
        run("signin", "olga@acme.test", **env)[1]
    ]
    assert len({*links}) == 3
    assert all("/signin/" in link for link in links)
    held = Runtime(config)
    with held.db.globally() as session:
        assert session.execute(text("SELECT count(*) FROM workspaces")).scalar_one() == 1
    held.db.engine.dispose()


def test_a_second_factor_that_is_lost_is_turned_off_by_whoever_runs_warmline(run: Run, config: Config) -> None:
    env, held = on_the_database(config), Runtime(config)
    assert "Nobody with the address who@acme.test" in run("factor", "off", "who@acme.test", **env)[2]
    olga = make_member(held, "Acme", "olga@acme.test")
    assert run("factor", "off", "olga@acme.test", **env)[1] == "olga@acme.test has no second factor.\n"
    with held.db.globally() as session:
        session.add(SecondFactor(user_id=olga.user_id, workspace_id=None, sealed=b"", last_step=0))
    code, out, _ = run("factor", "off", "olga@acme.test", **env)
    assert (code, out.startswith("The second factor of olga@acme.test is off.")) == (0, True)
    with held.db.globally() as session:
        assert session.execute(text("SELECT count(*) FROM second_factors")).scalar_one() == 0
    held.db.engine.dispose()


def test_a_new_key_is_one_that_can_be_used(run: Run) -> None:
    key = run("keys", "new")[1].strip()
    code, _, err = run("signin", "x", WARMLINE_SECRET_KEYS=key)
    assert code == 1
    assert "DATABASE_URL is not set" in err


# --- the schema -----------------------------------------------------------------------------------------------


def revision_is(config: Config, revision: str | None) -> None:
    engine = create_engine(config.need("database_admin_url"))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    engine.dispose()


@pytest.mark.own_database
def test_a_schema_that_is_missing_or_too_old_keeps_web_from_starting(run: Run, config: Config) -> None:
    revision_is(config, None)
    code, _, err = run("web", **on_the_database(config))
    assert (code, err) == (1, "warmline: The database has no schema yet. Run `warmline migrate`.\n")


@pytest.mark.own_database
def test_a_newer_schema_is_never_touched(config: Config, held: Runtime) -> None:
    make_member(held, "Acme", "olga@acme.test")
    revision_is(config, "9999")
    with pytest.raises(PlainError, match=r"\(9999\) was made by a newer Warmline than this one.* nothing was changed"):
        migrate(config.need("database_admin_url"), config.database_url, config.database_scheduler_url)
    with held.db.globally() as session:
        assert session.execute(text("SELECT count(*) FROM workspaces")).scalar_one() == 1


@pytest.mark.own_database
def test_a_role_that_may_not_migrate_is_told_so(config: Config) -> None:
    revision_is(config, "0000")
    with pytest.raises(PlainError):
        migrate(config.need("database_url"))


def test_keys_says_what_rests_under_which_and_rotate_seals_it_anew(config: Config, run: Run) -> None:
    old = Runtime(replace(config, secret_keys=parse_keys(KEY)))
    registrations.set_app(old, "x", "client", "secret")
    old.db.engine.dispose()
    env = {"DATABASE_URL": config.need("database_url"), "WARMLINE_SECRET_KEYS": f"{NEWER},{KEY}"}

    code, out, err = run("keys", **env)
    assert (code, err) == (0, "")
    assert re.search(r"^provider_apps +0 +1$", out, re.MULTILINE)
    assert "The key k2 seals." in out
    assert "k1 must stay: 1 row under it. `warmline keys rotate` seals them anew." in out

    code, out, err = run("keys", "rotate", "--json")
    assert code == 0
    assert json.loads(out)["sealed_anew"]["provider_apps"] == 1
    assert json.loads(out)["may_go"] == ["k1"]
    assert "k1 may go: nothing rests under it." in run("keys", "rotate")[1]
    assert json.loads(run("keys", "--json")[1])["rows"]["provider_apps"] == {"k2": 1}

    code, out, err = run("keys", WARMLINE_SECRET_KEYS=KEY)  # somebody took the wrong one out
    assert "1 row under k2, which is not in WARMLINE_SECRET_KEYS" in out
    assert run("keys", "rotate")[2] == "warmline: 1 row could not be opened and stay as they are: 1 of provider_apps.\n"
