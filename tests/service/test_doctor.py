"""The doctor's steps: what is well, what is missing, and what cannot be looked at because of it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import responses
from sqlalchemy import create_engine, make_url, text

from integrations.provider import RECHECK
from integrations.registry import providers
from service import config as configuration
from service import doctor, embedded, launcher, queue, registrations
from service.clock import real_now
from service.config import RUNNING, Config
from service.doctor import Step
from service.models import Connection, Stream
from service.runtime import Runtime
from tests.conftest import KEY, Member

Examine = Callable[..., dict[str, Step]]


@pytest.fixture
def examine(config: Config, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Examine:
    """The steps by name, for a Warmline on servers of one's own; whatever is given stands in the environment instead."""

    def look(**env: str) -> dict[str, Step]:
        keys = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in KEY.items())
        whole = {
            "WARMLINE_HOME": str(tmp_path), "DATABASE_URL": config.need("database_url"), "REDIS_URL": config.need("redis_url"),
            "DATABASE_ADMIN_URL": config.need("database_admin_url"), "DATABASE_SCHEDULER_URL": config.need("database_scheduler_url"),
            "WARMLINE_SECRET_KEYS": keys, "WARMLINE_URL": "http://127.0.0.1:1", **env,
        }  # fmt: skip
        for name, value in whole.items():
            monkeypatch.setenv(name, value)
        return {step.name: step for step in doctor.examine()}

    return look


@pytest.fixture
def alive(held: Runtime) -> None:
    """A worker and a scheduler have been heard of."""
    for who in ("worker", "scheduler"):
        queue.beat(held.redis, who)


@pytest.fixture
def registered(held: Runtime) -> Runtime:
    for provider in ("x", "hubspot"):
        registrations.set_app(held, provider, "client", "secret")
    return held


@pytest.mark.usefixtures("alive", "registered")
def test_nothing_is_missing_where_everything_is_there(examine: Examine) -> None:
    with responses.RequestsMock() as web:
        web.get("http://127.0.0.1:1/livez", json={"status": "ok"})
        steps = examine()
    assert {name: step.says for name, step in steps.items() if step.state != "ok"} == {}
    assert list(steps) == [
        "Python", "settings", "data folder", "running", "keys", "PostgreSQL", "migrations", "roles", "Redis", "web", "worker",
        "scheduler", "providers", "connections", "sandbox", "backlog", "tasks", "processes", "clocks", "disk", "old keys",
    ]  # fmt: skip
    assert steps["roles"].says == (
        "The application is held by row-level security; warmline_scheduler sees the schedule alone; warmline_owner migrates."
    )


def test_where_nothing_runs_it_says_so_and_names_the_command(examine: Examine) -> None:
    steps = examine(DATABASE_URL="", REDIS_URL="")
    assert steps["running"] == Step(
        "running", "missing", "Nothing runs here. Start everything with `warmline up`, or set DATABASE_URL and REDIS_URL to servers of your own.",
    )  # fmt: skip
    assert steps["PostgreSQL"] == Step("PostgreSQL", "unchecked", "Not looked at, because of running.")


def test_processes_that_are_not_there_are_named_with_their_commands(examine: Examine, held: Runtime) -> None:
    steps = examine()
    assert (
        steps["web"].says
        == "Nothing answers at http://127.0.0.1:1. Start it with `warmline web`, or set WARMLINE_URL to its public address."
    )
    assert (
        steps["worker"].says
        == "No worker runs, so nothing is pulled, decided or pushed. Start one with `warmline worker`."
    )
    assert (
        steps["scheduler"].says
        == "No scheduler runs, so nothing is found to be due. Start one with `warmline scheduler`."
    )
    assert {steps[name].state for name in ("web", "worker", "scheduler")} == {"missing"}


def test_where_nothing_can_be_connected_the_commands_that_change_it_are_named(
    examine: Examine, held: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        doctor.connected, "providers", lambda: {key: providers()[key] for key in ("capture", "hubspot", "x")}
    )
    step = examine()["providers"]
    assert step.says == "No network is registered, so none can be connected. Run `warmline providers set x`."
    assert step.state == "missing"


def test_what_nobody_has_to_register_can_be_connected_at_once(examine: Examine, held: Runtime) -> None:
    step = examine()["providers"]
    assert step.state == "ok"
    able, lacking = step.says.split(" can be connected. Not registered: ")
    assert {"Mastodon", "Bluesky"} <= set(able.replace(" and ", ", ").split(", "))
    assert "HubSpot" in lacking


def test_servers_that_are_away_leave_the_rest_to_be_looked_at(examine: Examine) -> None:
    steps = examine(DATABASE_URL="postgresql://warmline@127.0.0.1:1/warmline", REDIS_URL="redis://127.0.0.1:1")
    assert steps["PostgreSQL"].says.startswith("PostgreSQL cannot be reached: ")
    assert steps["Redis"].says.startswith("Redis cannot be reached: ")  # and why, in the system's own number and words
    assert steps["Redis"].says.endswith("Connection refused. Start it, or check REDIS_URL.")
    assert steps["migrations"].state == steps["worker"].state == "unchecked"
    assert steps["keys"].state == "ok"


def test_a_setting_that_cannot_be_read_is_the_first_thing_missing(examine: Examine) -> None:
    steps = examine(WARMLINE_SECRET_KEYS="nonsense")
    assert steps["settings"].says.startswith("WARMLINE_SECRET_KEYS holds something other than id:base64 of 32 bytes.")
    assert {step.state for name, step in steps.items() if name not in ("Python", "settings")} == {"unchecked"}


def test_a_data_folder_that_cannot_be_made_or_is_a_file_is_missing(examine: Examine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be made in" in examine(WARMLINE_HOME=str(tmp_path / "file" / "x"))["data folder"].says
    assert "cannot be written to (Not a directory)" in examine(WARMLINE_HOME=str(tmp_path / "file"))["data folder"].says
    fresh = examine(WARMLINE_HOME=str(tmp_path / "new"))["data folder"]
    assert (fresh.state, fresh.says) == ("ok", f"{tmp_path}/new is made at the first start.")
    assert not (tmp_path / "new").exists()


def test_an_application_above_row_level_security_is_refused(examine: Examine, config: Config) -> None:
    says = examine(DATABASE_URL=config.need("database_admin_url"))["roles"].says
    assert says.startswith("DATABASE_URL signs in as 'warmline_owner', which row-level security does not hold")


def test_a_scheduler_that_sees_posts_is_refused(examine: Examine, config: Config) -> None:
    says = examine(DATABASE_SCHEDULER_URL=config.need("database_url"))["roles"].says
    assert (
        says
        == "DATABASE_SCHEDULER_URL signs in as 'warmline_app', which sees more than the schedule. Give the scheduler a role of its own."
    )


def test_an_owner_who_owns_nothing_is_refused(examine: Examine, config: Config) -> None:
    says = examine(DATABASE_ADMIN_URL=config.need("database_url"))["roles"].says
    assert says.startswith("DATABASE_ADMIN_URL signs in as 'warmline_app', which does not own the tables")


@pytest.mark.parametrize("setting", ["DATABASE_SCHEDULER_URL", "DATABASE_ADMIN_URL"])
def test_an_address_that_nobody_answers_at_is_called_by_the_setting_that_holds_it(
    examine: Examine, setting: str
) -> None:
    says = examine(**{setting: "postgresql://warmline@127.0.0.1:1/warmline"})["roles"].says
    assert says.endswith(f"Start it, or check {setting}.")


@pytest.mark.own_database
@pytest.mark.parametrize(
    ("revision", "sentence"),
    [
        (None, "The database has no schema yet. Run `warmline migrate`."),
        ("9999", "The database's schema (9999) was made by a newer Warmline than this one."),
    ],
)
def test_a_schema_of_another_version_is_missing(
    examine: Examine, config: Config, revision: str | None, sentence: str
) -> None:
    engine = create_engine(config.need("database_admin_url"))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        if revision:
            connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})
    engine.dispose()
    steps = examine()
    assert steps["migrations"].says.startswith(sentence)
    assert steps["roles"].state == "unchecked"


def test_credentials_sealed_with_a_key_that_is_gone_are_found(examine: Examine, registered: Runtime) -> None:
    other = base64.b64encode(b"f" * 32).decode()
    assert "was sealed with another key" in examine(WARMLINE_SECRET_KEYS=f"other:{other}")["providers"].says


def test_a_connection_that_needs_a_person_is_told_in_its_own_words(
    examine: Examine, registered: Runtime, owner: Member
) -> None:
    with registered.db.tenant(owner.workspace_id) as session:
        row = Connection(
            workspace_id=owner.workspace_id, provider="hubspot", host="", kind="crm", account_id="1", handle="acme.example", name="Acme",
            status="needs_reauth", status_reason="HubSpot no longer accepts this consent: reconnect.",
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(Stream(workspace_id=owner.workspace_id, connection_id=row.id, name=RECHECK, reads={}, notes=[]))
    step = examine()["connections"]
    assert step.state == "missing"
    assert step.says == (
        "HubSpot acme.example: HubSpot no longer accepts this consent: reconnect. See Connections at http://127.0.0.1:1/connections."
    )


def test_an_account_that_nobody_reads_is_told(examine: Examine, registered: Runtime, owner: Member) -> None:
    ago = real_now() - timedelta(days=3)
    with registered.db.tenant(owner.workspace_id) as session:
        row = Connection(
            workspace_id=owner.workspace_id, provider="hubspot", host="", kind="crm", account_id="1", handle="acme.example", name="Acme",
            status="active", status_at=ago, ready_at=ago,
        )  # fmt: skip
        session.add(row)
        session.flush()
        session.add(
            Stream(
                workspace_id=owner.workspace_id,
                connection_id=row.id,
                name=RECHECK,
                reads={},
                notes=[],
                last_pulled_at=ago,
                next_pull_at=ago,
            )
        )
    step = examine()["connections"]
    assert step.state == "missing"
    assert "3 days ago: edits and deletions. See Connections" in step.says


def test_the_sandbox_is_missed_where_accounts_are_connected_to_it(examine: Examine, registered: Runtime) -> None:
    registrations.set_app(
        registered, "x", "client", "secret", {"api": "http://127.0.0.1:1/x", "web": "http://127.0.0.1:1/x"}
    )
    assert examine()["sandbox"].says == (
        "Accounts are connected to the sandbox at http://127.0.0.1:1, which does not answer. Start it with `warmline sandbox --port 1`."
    )


# --- following what runs in the data folder -------------------------------------------------------------------


def test_other_commands_follow_what_runs_in_the_folder_and_not_what_has_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "")  # so that what is read from the file is taken back at the end
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMLINE_HOME", str(tmp_path))
    (tmp_path / RUNNING).write_text(
        "RUNNING_DATABASE_URL='postgresql+psycopg://warmline_app@/warmline?host=/somewhere'\n"
    )

    assert configuration.load().database_url is None  # left behind by one that was killed
    with embedded.hold(tmp_path):
        assert configuration.load(follow=False).database_url is None
        assert "somewhere" in configuration.load().need("database_url")


def test_beside_one_that_was_started_with_the_owners_address_its_own_roles_are_used(
    monkeypatch: pytest.MonkeyPatch, config: Config, tmp_path: Path
) -> None:
    home = tmp_path / "it's \\ here"
    for name, value in launcher.environment(config).items():
        monkeypatch.setenv(name, value)  # so that what is read from the file is taken back at the end
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMLINE_HOME", str(home))
    monkeypatch.setenv("DATABASE_URL", config.need("database_admin_url"))
    with embedded.hold(home), launcher.announced(replace(config, home=home, port=8123)):
        found = configuration.load()
    assert [make_url(found.need(name)).username for name in ("database_url", "database_admin_url", "database_scheduler_url")] == [
        "warmline_app", "warmline_owner", "warmline_scheduler",
    ]  # fmt: skip
    assert (found.home, found.port, dict(found.secret_keys)) == (home, 8123, KEY)


def test_a_folder_says_who_holds_it(tmp_path: Path) -> None:
    assert embedded.holder(tmp_path) is None
    with embedded.hold(tmp_path):
        assert embedded.holder(tmp_path) == os.getpid()
    assert embedded.holder(tmp_path) is None


def test_keys_are_said_to_be_missing_before_the_first_start_of_a_server_of_ones_own(examine: Examine) -> None:
    step = examine(WARMLINE_SECRET_KEYS="")["keys"]
    assert (step.state, step.says) == (
        "missing", "WARMLINE_SECRET_KEYS is not set, so nothing can be sealed or opened. Set it to the keys that you have, or make the first with `warmline keys new`; `warmline up` keeps its own.",
    )  # fmt: skip
