"""Words that are planted wherever somebody's words, names and addresses may stand are found nowhere once they should be gone: no table, no
log, not in Valkey, not in the CRM. The columns are taken from the models, so that a new one is planted and searched as well.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import ARRAY, Text
from sqlalchemy.dialects.postgresql import JSONB

from integrations.records import ActivityKind, Author, Contact, Engagement, Handle, Kind
from service import disconnecting, embedded
from service.models import Base
from service.store import erasing
from tests.workers.conftest import BRAND, World, edited

WORD = "kanarienvogel"
TEXT = f"@brand Where is my {WORD} of a bicycle? I wait since Monday, {WORD}!"
ANA = Author(
    f"{WORD}-id", f"{WORD}_h", f"Ana {WORD.title()}", bio=f"I am {WORD}, write to {WORD}@bio.test", url=f"https://social.example/{WORD}",
    website=f"https://{WORD}.test", location=f"{WORD} town",
)  # fmt: skip
# Whose rows are this person's, by table: where something is planted into each of them besides.
THEIRS = {
    "authors": "native_id LIKE '%{word}%'",
    "contacts": "native_id LIKE '%{word}%'",
    "engagements": "author_id IN (SELECT id FROM authors WHERE native_id LIKE '%{word}%')",
    "conversations": "author_id IN (SELECT id FROM authors WHERE native_id LIKE '%{word}%')",
    "relationships": "contact_id IN (SELECT id FROM contacts WHERE native_id LIKE '%{word}%') OR author_id IN (SELECT id FROM authors WHERE native_id LIKE '%{word}%')",
    "stage_changes": "relationship_id IN (SELECT id FROM relationships WHERE contact_id IN (SELECT id FROM contacts WHERE native_id LIKE '%{word}%'))",
    "matches": "author_id IN (SELECT id FROM authors WHERE native_id LIKE '%{word}%')",
    "tasks": "author_id IN (SELECT id FROM authors WHERE native_id LIKE '%{word}%')",
    "run_changes": "task_id IN (SELECT id FROM tasks WHERE author_id IN (SELECT id FROM authors WHERE native_id LIKE '%{word}%'))",
}  # fmt: skip
# Columns by which rows are found or understood: words of ours or of the provider's, in which nobody's can stand; ids of theirs are planted by
# what is read.
MEANT = {
    "authors": {"provider", "host", "native_id", "filed"},
    "contacts": {"native_id", "filed", "fields"},  # its JSON is planted by what is read, and has to be read again
    "engagements": {"kind", "native_id", "in_reply_to_author", "mentions"},
    "conversations": {"thread"},
    "relationships": {"person"},
    "matches": {"state", "handle_state"},
    "tasks": {
        "key",
        "kind",
        "person",
        "wanted",
        "state",
        "closed_by",
        "external_id",
        "external_url",
        "trial",
        "edited",
    },
    "stage_changes": {"stage"},
}
# A table with one of these columns says something of somebody. Those without texts of their own are searched, and not planted.
POINTING = {"author_id", "contact_id", "engagement_id", "conversation_id", "relationship_id", "task_id"}
WITHOUT_TEXT = {"author_keys", "contact_keys", "signals", "task_authors"}

Search = Callable[[], dict[str, str]]


@pytest.fixture
def planted(connected: World) -> World:
    """Ana waits, has been answered before, was called, and is a contact; a change of settings has remembered her task."""
    world = connected
    world.crm.add(
        Contact(
            id=f"{WORD}-contact", name=f"Ana {WORD.title()}", first_name="Ana", last_name=WORD.title(), emails=(f"ana@{WORD}.test",),
            phones=("+351 912 345 678",), company=f"{WORD} Lda", title=f"Head of {WORD}", website=f"https://{WORD}.test", city=WORD.title(),
            handles=(Handle("fakesocial", f"{WORD}_h"),), owner_id="o1", source=f"{WORD} fair", lifecycle="lead",
            url=f"https://crm.example/{WORD}",
        )
    )  # fmt: skip
    world.logs(
        ActivityKind.CALL, id="v1", at=world.now - timedelta(days=40), contact=f"{WORD}-contact", outcome="connected"
    )
    world.says(f"@brand Nice, {WORD}!", id=f"{WORD}-p0", who=ANA, ago=timedelta(days=2))
    world.answers(f"@{WORD}_h Thank you, Ana {WORD}!", id="a0", to=f"{WORD}-p0", ago=timedelta(days=1), whom=ANA)
    world.says(TEXT, id=f"{WORD}-p1", who=ANA)
    world.social.serve("messages", Engagement(
        id=f"{WORD}-d1", kind=Kind.DIRECT, author=ANA, text=f"Call me, {WORD}", created_at=world.now - timedelta(hours=2),
        url="https://social.example/d1", thread="d", mentions=(BRAND.id,),
    ))  # fmt: skip
    world.run()
    world.look()
    assert any(WORD in task.body for task in world.crm.tasks.values())
    for table, which in THEIRS.items():
        plant(world, table, which.format(word=WORD))
    return world


OBJECTS = {"sent"}  # columns that hold a list of objects, where others hold words


def plant(world: World, table: str, which: str) -> None:
    """Puts the word into every text of these rows, whatever it is for."""
    for column in Base.metadata.tables[table].columns:
        if column.name in MEANT.get(table, ()) or column.primary_key:
            continue
        value = None
        if isinstance(column.type, Text):
            value = f"'{WORD} in {table}.{column.name}'"
        elif isinstance(column.type, JSONB):
            one = f'{{"x": "{WORD}"}}' if column.name in OBJECTS else f'"{WORD}"'
            value = f"CASE jsonb_typeof({column.name}) WHEN 'array' THEN '[{one}]'::jsonb ELSE {column.name} || '{{\"x\": \"{WORD}\"}}'::jsonb END"
        elif isinstance(column.type, ARRAY) and isinstance(column.type.item_type, Text):
            value = f"ARRAY['{WORD} in {table}.{column.name}']"
        if value:
            world.sql(f"UPDATE {table} SET {column.name} = {value} WHERE {which}")


@pytest.fixture
def search(planted: World, template: embedded.Postgres, database: str, capfd: pytest.CaptureFixture[str]) -> Search:
    """Where the word stands: by table, and in Valkey, the CRM and what was logged."""
    told = ""

    def find() -> dict[str, str]:
        nonlocal told
        with template.connect(database=database) as superuser:
            found = {table: rows(superuser, table) for table in Base.metadata.tables}
        found["valkey"] = str([planted.runtime.redis.dump(key) for key in planted.runtime.redis.scan_iter()])
        found["crm"] = str([(task, planted.crm.contact_of[id_]) for id_, task in planted.crm.tasks.items()])
        out, error = capfd.readouterr()
        told += out + error
        found["log"] = told
        return {place: text for place, text in found.items() if WORD in text.lower()}

    return find


def rows(superuser: psycopg.Connection[object], table: str) -> str:
    """All of a table as text, bytes decoded as far as they can be."""
    found = superuser.execute(f'SELECT t::text FROM "{table}" t'.encode()).fetchall()
    binary = [
        each.name for each in Base.metadata.tables[table].columns if str(each.type) in ("BYTEA", "BLOB", "BLOB()")
    ]
    text = "\n".join(str(row[0]) for row in found)  # type: ignore[index]
    for name in binary:
        values = superuser.execute(f'SELECT encode("{name}", \'escape\') FROM "{table}"'.encode()).fetchall()
        text += "\n".join(str(row[0]) for row in values)  # type: ignore[index]
    return text


def erase(world: World) -> UUID:
    [(author,)] = world.sql("SELECT id FROM authors WHERE native_id = :id", id=ANA.id)
    with world.runtime.db.tenant(world.workspace_id) as session:
        row = erasing.begin(session, world.workspace_id, author, by=world.owner.caller.actor)
    assert row is not None
    return row.id


def test_every_table_that_says_something_of_somebody_is_planted() -> None:
    saying = {name for name, table in Base.metadata.tables.items() if POINTING & set(table.columns.keys())}
    assert saying - WITHOUT_TEXT <= THEIRS.keys()


def test_the_word_is_found_wherever_it_was_planted(planted: World, search: Search) -> None:
    """Without this, the tests below would hold for a search that finds nothing."""
    found = search()
    assert {
        "authors",
        "contacts",
        "engagements",
        "conversations",
        "relationships",
        "matches",
        "tasks",
        "crm",
    } <= found.keys()
    assert {"author_keys", "contact_keys", "key_counts", "activity_contacts"} <= found.keys()
    assert "log" not in found


def test_after_an_erasure_the_word_stands_nowhere(planted: World, search: Search) -> None:
    request = erase(planted)
    planted.run()
    planted.sql("UPDATE person_requests SET next_at = now() WHERE next_at IS NOT NULL")
    planted.run()
    assert planted.sql("SELECT state FROM person_requests WHERE id = :id", id=request) == [("done",)]
    assert search() == {}
    planted.sql("UPDATE streams SET cursor = NULL")  # everything is read again
    planted.look()
    assert search() == {}


def test_where_the_ids_of_posts_name_their_author_they_stay_in_others_threads_alone_and_the_receipt_says_so(
    planted: World, search: Search
) -> None:
    root, ben = f"at://{ANA.id}/post/1", Author("ben-id", "ben", "Ben Okafor")
    planted.says("@brand I like your bikes", id=root, thread=root, who=ANA, ago=timedelta(hours=5))
    planted.says(
        "@brand Me too, do you ship to Faro?", id="at://ben-id/post/2", to=root, in_reply_to_author=ANA.id, quotes=root, who=ben
    )  # fmt: skip
    planted.look()
    planted.sql(
        "INSERT INTO differences (workspace_id, id, connection_id, kind, subject, found_at, seen_at)"
        " VALUES (:w, gen_random_uuid(), :c, 'post_missing', :subject, now(), now())",
        c=planted.connection("social").id, subject=f"post:{root}",
    )  # fmt: skip
    request = erase(planted)
    planted.run()
    planted.sql("UPDATE person_requests SET next_at = now() WHERE next_at IS NOT NULL")
    planted.run()
    [(receipt,)] = planted.sql("SELECT receipt FROM person_requests WHERE id = :id", id=request)
    assert any(line.startswith("Left in 1 other post: the address of a post of theirs") for line in receipt)
    for _ in range(2):  # as they were left, and as they are read again
        assert search().keys() == {"engagements", "conversations"}
        planted.sql("UPDATE engagements SET thread = '', in_reply_to = NULL, quotes = NULL")
        planted.sql("UPDATE conversations SET thread = ''")
        assert search() == {}
        planted.sql("DELETE FROM conversations")
        planted.sql("UPDATE streams SET cursor = NULL")
        planted.look()


def test_a_post_that_is_deleted_at_its_source_stands_nowhere(
    connected: World, template: embedded.Postgres, database: str
) -> None:
    connected.says(TEXT, id="p1")
    gone = connected.says(f"@brand Or is it a {WORD} after all? Please tell me now.", id="p2", ago=timedelta(hours=2))
    connected.run()
    connected.set(lapse_days=89)  # a run remembers tasks as they were
    connected.run()
    connected.social.edit(edited(gone, "@brand Or is it something else after all? Please tell me now."))
    connected.social.delete("p1")
    connected.look(streams=("recheck",))
    with template.connect(database=database) as superuser:
        found = {table: WORD in rows(superuser, table).lower() for table in Base.metadata.tables}
    assert [table for table, there in found.items() if there] == []
    assert WORD not in str(connected.crm.tasks)


def test_leaving_a_crm_takes_the_word_out_of_it_and_the_receipt_names_where_it_stays(
    planted: World, search: Search
) -> None:
    assert disconnecting.purge(planted.runtime, planted.owner.caller, planted.connection("crm").id)
    planted.run()
    found = search()
    assert "crm" not in found
    assert {"log", "valkey", "credentials"}.isdisjoint(found)
    assert disconnecting.STAYS_OF_A_CRM in planted.connection("crm").receipt["lines"]
