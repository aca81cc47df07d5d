"""The audit trail: nobody changes what is sealed, whatever is changed around it shows, and no name has a way in."""

from __future__ import annotations

import ast
import base64
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from service import accounts, embedded, freezes, operators, trail
from service.ids import new_id
from service.models import Audit, AuditHead, CalendarFeed, Connection, Workspace
from service.runtime import Runtime
from service.store import acting, paging
from service.store import trail as store
from tests.service.commands import Run, on_the_database
from tests.service.commands import run as run

ROOT = Path(__file__).parents[2]
WHO = f"user:{uuid4()}"
FEED = new_id()
__all__ = ["run"]  # a fixture


def write(held: Runtime, workspace_id: UUID, *actions: str) -> None:
    """One transaction that leaves these rows."""
    with held.db.tenant(workspace_id) as session:
        for action in actions:
            acting.audit(session, workspace_id, WHO, action, "connection", uuid4())


def rows(held: Runtime, workspace_id: UUID) -> list[Audit]:
    with held.db.tenant(workspace_id) as session:
        return store.since(session, workspace_id)


def verdict(held: Runtime, workspace_id: UUID, **kept: Any) -> store.Verdict:
    with held.db.tenant(workspace_id) as session:
        return store.verify(session, workspace_id, **kept)


@dataclass(frozen=True)
class Place:
    """A workspace whose trail is still empty: nobody has signed in."""

    workspace_id: UUID
    user_id: UUID


@pytest.fixture
def owner(held: Runtime) -> Place:
    return Place(*accounts.ensure_workspace(held.db, "Acme", "olga@acme.test"))


@pytest.fixture
def stranger(held: Runtime) -> Place:
    return Place(*accounts.ensure_workspace(held.db, "Rival", "rita@rival.test"))


@pytest.fixture
def written(held: Runtime, owner: Place) -> Place:
    """A workspace with a trail of five rows."""
    write(held, owner.workspace_id, "connection.connected", "connection.paused")
    for action in ("connection.resumed", "connection.disconnected", "brand.created"):
        write(held, owner.workspace_id, action)
    return owner


@pytest.fixture
def superuser(template: embedded.Postgres, database: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody who can switch off what keeps the trail."""
    with template.connect(database=database) as connection:
        connection.execute("SET session_replication_role = replica")
        yield connection


# --- sealed ---------------------------------------------------------------------------------------------------


def test_rows_are_numbered_without_a_gap_and_each_seals_the_one_before(held: Runtime, written: Place) -> None:
    found = rows(held, written.workspace_id)
    assert [row.number for row in found] == [1, 2, 3, 4, 5]
    assert [row.previous for row in found] == [b"", *(row.hash for row in found[:-1])]
    assert [row.hash for row in found] == [store.sealed(row, row.number or 0, row.previous or b"") for row in found]
    assert sorted(row.created_at for row in found) == [row.created_at for row in found]
    told = verdict(held, written.workspace_id)
    assert (told.whole, told.rows, told.head.number) == (True, 5, 5)
    assert told.head.hash == (found[-1].hash or b"").hex()


def test_what_is_rolled_back_leaves_neither_a_row_nor_a_gap(held: Runtime, written: Place) -> None:
    with held.db.tenant(written.workspace_id) as session:
        acting.audit(session, written.workspace_id, WHO, "brand.created", "brand", uuid4())
        session.flush()
        session.rollback()
    write(held, written.workspace_id, "brand.changed")
    assert [row.number for row in rows(held, written.workspace_id)] == [1, 2, 3, 4, 5, 6]
    assert verdict(held, written.workspace_id).whole


def test_many_who_write_at_once_make_one_unbroken_trail(held: Runtime, owner: Place) -> None:
    def writer() -> None:
        for _ in range(10):
            write(held, owner.workspace_id, "connection.paused", "connection.resumed")

    threads = [threading.Thread(target=writer) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    told = verdict(held, owner.workspace_id)
    assert (told.whole, told.rows) == (True, 80)


def test_a_workspace_whose_writer_dawdles_keeps_no_other_waiting(held: Runtime, owner: Place, stranger: Place) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        acting.audit(session, owner.workspace_id, WHO, "brand.created", "brand", uuid4())
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        session.flush()  # sealed before its time, and its lock held
        write(held, stranger.workspace_id, "brand.created")
    assert [row.number for row in rows(held, stranger.workspace_id)] == [1]


def test_a_writer_waits_for_another_of_its_workspace_only_as_that_one_commits(held: Runtime, owner: Place) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        acting.audit(session, owner.workspace_id, WHO, "brand.created", "brand", uuid4())
        session.flush()  # written, and not committed
        write(held, owner.workspace_id, "brand.changed")  # would wait for ever if sealing took its lock by now
    assert [row.action for row in rows(held, owner.workspace_id)] == ["brand.changed", "brand.created"]


# --- kept -----------------------------------------------------------------------------------------------------

STATEMENTS = (
    "UPDATE audit SET actor = 'system' WHERE workspace_id = %(w)s",
    "UPDATE audit SET created_at = now() WHERE workspace_id = %(w)s",
    "UPDATE audit SET number = number + 100 WHERE workspace_id = %(w)s",
    "UPDATE audit SET hash = '' WHERE workspace_id = %(w)s",
    "DELETE FROM audit WHERE workspace_id = %(w)s",
    "TRUNCATE audit",
    "UPDATE audit_heads SET number = 1 WHERE workspace_id = %(w)s",
    "UPDATE audit_heads SET workspace_id = gen_random_uuid() WHERE workspace_id = %(w)s",
    "DELETE FROM audit_heads WHERE workspace_id = %(w)s",
    "TRUNCATE audit_heads",
)


def test_no_role_changes_deletes_or_empties_what_is_sealed(
    held: Runtime, template: embedded.Postgres, database: str, written: Place
) -> None:
    for role in (embedded.APP, embedded.SCHEDULER, embedded.OWNER, "postgres"):
        with template.connect(role, database) as connection:
            connection.execute("SELECT set_config('app.workspace_id', %s, false)", [str(written.workspace_id)])
            for statement in STATEMENTS:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode(), {"w": written.workspace_id})
    told = verdict(held, written.workspace_id)
    assert (told.whole, told.rows) == (True, 5)


def test_the_application_says_nothing_of_how_a_row_is_sealed(held: Runtime, owner: Place) -> None:
    for column, value in (("number", "1"), ("previous", "''"), ("hash", "''")):
        statement = text(
            f"INSERT INTO audit (workspace_id, id, actor, action, subject, {column}) VALUES (:w, :id, 'system', 'a.b', 'c:1', {value})"
        )
        with pytest.raises(ProgrammingError, match="permission denied"), held.db.tenant(owner.workspace_id) as session:
            session.execute(statement, {"w": owner.workspace_id, "id": new_id()})


def test_no_temporary_table_draws_the_seal_to_itself(held: Runtime, written: Place) -> None:
    with held.db.tenant(written.workspace_id) as session:
        for table in ("audit", "audit_heads", "workspaces"):
            session.execute(text(f"CREATE TEMPORARY TABLE {table} (LIKE public.{table}) ON COMMIT DROP"))
        insert = "INSERT INTO public.audit (workspace_id, id, actor, action, subject) VALUES (:w, :id, 'system', 'a.b', 'c:1')"
        session.execute(text(insert), {"w": written.workspace_id, "id": new_id()})
    told = verdict(held, written.workspace_id)
    assert (told.whole, told.rows) == (True, 6)
    hang = text("CREATE TRIGGER t AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION audit_seal()")
    with held.db.tenant(written.workspace_id) as session:
        session.execute(text("CREATE TEMPORARY TABLE mine (LIKE audit) ON COMMIT DROP"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(hang)
        session.rollback()


def test_the_trail_goes_with_its_workspace_and_takes_nobody_elses_along(
    held: Runtime, written: Place, stranger: Place
) -> None:
    write(held, stranger.workspace_id, "brand.created")
    with held.db.globally() as session:
        session.execute(delete(Workspace).where(Workspace.id == written.workspace_id))
    assert rows(held, written.workspace_id) == []
    with held.db.tenant(written.workspace_id) as session:
        assert session.scalars(select(AuditHead)).all() == []
    assert verdict(held, stranger.workspace_id).rows == 1


# --- verified -------------------------------------------------------------------------------------------------

# What somebody who is above all of it could do, and the row at which it shows.
TAMPERED: dict[str, tuple[str, int | None, str]] = {
    "an actor": ("UPDATE audit SET actor = 'system' WHERE number = 3", 3, "was changed"),
    "an action": ("UPDATE audit SET action = 'brand.changed' WHERE number = 2", 2, "was changed"),
    "a subject": ("UPDATE audit SET subject = 'brand:1' WHERE number = 4", 4, "was changed"),
    "an instant": ("UPDATE audit SET created_at = created_at - interval '1 microsecond' WHERE number = 1", 1, "was changed"),
    "a hash": ("UPDATE audit SET hash = sha256('x') WHERE number = 5", 5, "was changed"),
    "what it follows": ("UPDATE audit SET previous = sha256('x') WHERE number = 4", 4, "does not follow"),
    "the first row": ("DELETE FROM audit WHERE number = 1", 1, "is missing"),
    "a row in the middle": ("DELETE FROM audit WHERE number = 3", 3, "is missing"),
    "the last row": ("DELETE FROM audit WHERE number = 5", 5, "ends at row 4"),
    "all rows": ("DELETE FROM audit", 1, "ends at row 0"),
    "all rows and the head": ("DELETE FROM audit WHERE number < 5; DELETE FROM audit_heads", None, "behind its back"),
    "the head": ("UPDATE audit_heads SET hash = sha256('x')", 6, "ends at row 5"),
    "the head itself": ("DELETE FROM audit_heads", None, "behind its back"),
    "two rows exchanged": ("UPDATE audit SET number = CASE number WHEN 2 THEN -3 ELSE 2 END WHERE number IN (2, 3)", 2, "does not follow"),
    "a row put in": ("INSERT INTO audit (workspace_id, id, actor, action, subject) SELECT workspace_id, gen_random_uuid(), actor, action, subject FROM audit WHERE number = 2", None, "behind its back"),
}  # fmt: skip


@pytest.mark.own_database
def test_whatever_is_changed_behind_its_back_shows_at_the_first_broken_row(
    held: Runtime, written: Place, superuser: psycopg.Connection[Any]
) -> None:
    for table in ("audit", "audit_heads"):
        superuser.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}".encode())
    for what, (statement, number, why) in TAMPERED.items():
        superuser.execute(statement.encode())
        told = verdict(held, written.workspace_id)
        assert (told.whole, told.broken_at) == (False, number), what
        assert why in told.why, (what, told.why)
        for table in ("audit", "audit_heads"):
            superuser.execute(f"DELETE FROM {table}".encode())
            superuser.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}".encode())
        assert verdict(held, written.workspace_id).whole, what


def forge(held: Runtime, superuser: psycopg.Connection[Any], workspace_id: UUID, keep: int) -> None:
    """The trail made anew after the first `keep` rows, every hash right."""
    [last] = [row for row in rows(held, workspace_id) if row.number == keep]
    superuser.execute("DELETE FROM audit WHERE number > %s", [keep])
    superuser.execute("UPDATE audit_heads SET number = %s, hash = %s", [keep, last.hash])
    superuser.execute("SET session_replication_role = origin")
    for _ in range(5 - keep):
        write(held, workspace_id, "connection.renewed")


def test_a_trail_that_was_made_anew_shows_beside_a_seal_that_was_kept_elsewhere(
    held: Runtime, written: Place, superuser: psycopg.Connection[Any]
) -> None:
    kept = {5: verdict(held, written.workspace_id).head.hash}
    assert verdict(held, written.workspace_id, kept=kept).whole
    forge(held, superuser, written.workspace_id, keep=2)
    assert verdict(held, written.workspace_id).whole  # it agrees with itself
    told = verdict(held, written.workspace_id, kept=kept)
    assert (told.broken_at, "made anew" in told.why) == (5, True)


def test_a_trail_that_is_shorter_than_what_was_kept_shows(
    held: Runtime, written: Place, superuser: psycopg.Connection[Any]
) -> None:
    kept = {5: verdict(held, written.workspace_id).head.hash}
    superuser.execute("DELETE FROM audit WHERE number > 3")
    superuser.execute("UPDATE audit_heads SET number = 3, hash = (SELECT hash FROM audit WHERE number = 3)")
    assert verdict(held, written.workspace_id).whole
    assert "A hash of row 5 was kept" in verdict(held, written.workspace_id, kept=kept).why


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_names_the_first_broken_row_and_ends_with_1(
    run: Run, config: Any, held: Runtime, written: Place, stranger: Place,
    superuser: psycopg.Connection[Any], tmp_path: Path,
) -> None:  # fmt: skip
    write(held, stranger.workspace_id, "brand.created")
    env = {"DATABASE_URL": config.database_url}
    code, out, _ = run("audit", "head", "--json", **env)
    heads = tmp_path / "heads.json"
    heads.write_text(out)
    assert (code, {each["number"] for each in json.loads(out)}) == (0, {5, 1})

    code, out, _ = run("audit", "verify", "--json", "--kept", str(heads), **env)
    assert (code, [each["whole"] for each in json.loads(out)["trails"]]) == (0, [True, True])

    superuser.execute("UPDATE audit SET actor = 'system' WHERE number = 3")
    code, out, _ = run("audit", "verify", "--json", **env)
    [broken] = [each for each in json.loads(out)["trails"] if not each["whole"]]
    assert (code, broken["workspace_id"], broken["broken_at"]) == (1, str(written.workspace_id), 3)
    code, out, _ = run("audit", "verify", "--workspace", str(stranger.workspace_id), **env)
    assert (code, out) == (0, f"{stranger.workspace_id}: whole, 1 rows.\n")
    code, _, err = run("audit", "verify", "--workspace", str(uuid4()), **env)
    assert (code, err) == (1, "warmline: There is no such workspace.\n")


# --- what is written ------------------------------------------------------------------------------------------


# What would betray somebody, in the column that it might get into.
TELLING = [
    *(("actor", each) for each in ("user:olga@acme.test", "user:Olga Olsen", "Olga", "user:a:b", "user:" + "x" * 37)),
    *(("action", each) for each in ("Olga", "match", "match.confirmed for Ana", "match.é")),
    *(("subject", each) for each in ("user:olga@acme.test", "note:Call her.", "Olga", "user:", "a:b:c", "é:1", "n:" + "x" * 37)),
]  # fmt: skip


def test_no_name_address_or_text_fits_into_a_row(held: Runtime, owner: Place) -> None:
    for column, value in TELLING:
        row = {"actor": "system", "action": "a.b", "subject": "c:1", column: value}
        with pytest.raises(IntegrityError, match="check constraint"), held.db.tenant(owner.workspace_id) as session:
            session.add(Audit(workspace_id=owner.workspace_id, **row))


def actions_in(path: Path) -> Iterator[str]:
    """What the code of this file writes into the trail: each action as a pattern, `.+` where it is put together."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield from (pattern for value in _WRITERS.get(name, _nothing)(node) for pattern in patterns(value))


def patterns(value: ast.expr) -> list[str]:
    if isinstance(value, ast.JoinedStr):
        parts = value.values
        found = ["".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in parts)]
    else:
        found = [re.escape(str(each.value)) for each in ast.walk(value) if isinstance(each, ast.Constant)]
    return [each for each in found if re.fullmatch(r"[a-z_]+\\\.[a-z_.+]+", each)]


def _nothing(call: ast.Call) -> list[ast.expr]:
    return []


# Where each of the functions that write has the action.
_WRITERS: dict[str, Callable[[ast.Call], list[ast.expr]]] = {
    "audit": lambda call: call.args[3:4],
    "note": lambda call: call.args[3:4],
    "everywhere": lambda call: call.args[2:3],
    "Audit": lambda call: [each.value for each in call.keywords if each.arg == "action"],
}


def test_everything_that_the_code_writes_has_a_sentence() -> None:
    found = {
        each for folder in ("service", "workers") for path in (ROOT / folder).rglob("*.py") for each in actions_in(path)
    }
    assert len(found) > 25
    unsaid = {each for each in found if not any(re.fullmatch(each, action) for action in trail.SAYS)}
    assert unsaid == set(), "Say in service/trail.py what these are."


def test_names_are_looked_up_as_somebody_reads_and_whoever_left_is_called_nothing(held: Runtime, owner: Place) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        acting.audit(session, owner.workspace_id, f"user:{owner.user_id}", "member.removed", "user", uuid4())
        acting.audit(session, owner.workspace_id, "system", "connection.needs_reauth", "connection", uuid4())
        acting.audit(session, owner.workspace_id, f"key:{uuid4()}", "newer.thing", "brand", "x")
    with held.db.tenant(owner.workspace_id) as session:
        page, _ = paging.page(session, owner.workspace_id, store.TRAIL, filters={}, after=None, limit=10)
        told = [each.sentence for each in trail.lines(session, owner.workspace_id, page)]
    assert told == [
        "Somebody who is no longer here did newer.thing.",
        "Warmline noticed that an account that is gone no longer accepts the consent.",
        "olga@acme.test removed somebody who is no longer here.",
    ]


def test_what_concerns_everybody_stands_in_every_trail(held: Runtime, owner: Place, stranger: Place) -> None:
    trail.everywhere(held.db, "operator", "keys.rotated", "keys", "k2")
    for workspace_id in (owner.workspace_id, stranger.workspace_id):
        assert [(row.actor, row.action) for row in rows(held, workspace_id)] == [("operator", "keys.rotated")]


def test_a_page_of_the_trail_pages_through_all_of_it(held: Runtime, written: Place) -> None:
    found: list[int] = []
    after = None
    for _ in range(9):
        with held.db.tenant(written.workspace_id) as session:
            page, after = paging.page(session, written.workspace_id, store.TRAIL, filters={}, after=after, limit=2)
        found += [row["number"] for row in page]
        if after is None:
            break
    assert found == [5, 4, 3, 2, 1]


def test_what_whoever_runs_it_does_to_everybody_stands_in_the_trail(
    run: Run, config: Any, held: Runtime, owner: Place
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        session.add(Connection(workspace_id=owner.workspace_id, provider="x", kind="social", account_id="1"))
    freezes.freeze(held, "x", "It is gone")
    freezes.unfreeze(held, "x")
    for _ in range(2):  # done again it stands there once
        operators.mark(held.db, "olga@acme.test", True)
    with held.db.tenant(owner.workspace_id) as session:
        session.add(CalendarFeed(workspace_id=owner.workspace_id, email="ida@acme.test", host="cal.example", address_hash=b"1", added_by="system", sealed=held.vault.seal({"address": "https://cal.example/a"}, "calendar_feeds", "sealed", owner.workspace_id, FEED), id=FEED))  # fmt: skip
    both = f"k2:{base64.b64encode(b'f' * 32).decode()},test:{base64.b64encode(config.secret_keys['test']).decode()}"
    code, _, err = run("keys", "rotate", **{**on_the_database(config), "WARMLINE_SECRET_KEYS": both})
    assert code == 0, err
    assert [(row.actor, row.action, row.subject) for row in rows(held, owner.workspace_id)] == [
        ("operator", "provider.frozen", "provider:x"),
        ("operator", "provider.unfrozen", "provider:x"),
        ("operator", "operator.added", f"user:{owner.user_id}"),
        ("operator", "keys.rotated", "keys:k2"),
    ]
