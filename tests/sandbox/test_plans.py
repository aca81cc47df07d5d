"""What a page of an answer reads stays a page, however much there is.

The planner knows no row counts (nothing here runs ANALYZE), so its plans for these few thousand rows are its plans for a
hundred thousand.
"""

from __future__ import annotations

import sqlite3

import pytest

from sandbox import load
from sandbox.app import create_app
from tests.sandbox.helpers import NOW, World

MANY = 2_000
FIELDS = "id,text,author_id,conversation_id,created_at,referenced_tweets"


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    app = create_app(tmp_path_factory.mktemp("big"), now=NOW)
    world = World(app)
    accounts = [{"id": str(n), "handle": f"u{n}", "brand": n <= 10} for n in range(1, 201)]
    posts = [
        {
            "id": str(10_000 + n), "author_id": str(11 + n % 190), "text": f"@u{1 + n % 10} number {n}",
            "created_at": f"2026-06-{1 + n % 29:02d}T{n % 24:02d}:{n % 60:02d}:00Z", "in_reply_to": str(10_000 + n - 7) if n % 3 and n > 7 else None,
        }
        for n in range(MANY)
    ]  # fmt: skip
    contacts = [{"id": str(n), "email": f"c{n}@mail.example", "firstname": f"F{n}"} for n in range(1, MANY + 1)]
    totals = load.load(world.state, {"accounts": accounts, "posts": posts, "contacts": contacts})
    assert (totals["posts"], totals["contacts"]) == (MANY, MANY)
    world.settings(rate_limits=False)
    yield world
    world.state.close()


def plans(world, call):
    """Each statement that `call` runs, with its plan."""
    db, seen = world.state.store.read(), []
    db.set_trace_callback(seen.append)
    try:
        answer = call()
    finally:
        db.set_trace_callback(None)
    assert answer.status_code < 300, answer.text
    found = {}
    for statement in seen:
        if statement.lstrip().upper().startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")):
            try:
                found[statement] = [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
            except sqlite3.OperationalError:  # a statement about a temporary table that is gone again
                continue
    assert found
    return found


LARGE = ("posts", "p ", "mentions", "m ", "records", "r ", "search_index", "s ", "unique_values", "u ", "tokens")


def scans(found):
    """Steps that read a large table from end to end."""
    return [
        (step, statement)
        for statement, steps in found.items()
        for step in steps
        if step.startswith("SCAN") and f"{step.removeprefix('SCAN ').split(' USING')[0]} " .startswith(LARGE)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (
            "/2/users/1/mentions",
            {"max_results": "100", "tweet.fields": FIELDS, "expansions": "author_id,referenced_tweets.id"},
        ),
        ("/2/users/1/mentions", {"since_id": "11000"}),
        ("/2/users/50/tweets", {"start_time": "2026-06-20T00:00:00Z"}),
        ("/2/tweets", {"ids": "10000,10001,11999"}),
        ("/2/tweets/search/recent", {"query": " OR ".join(f"conversation_id:{10_000 + 3 * n}" for n in range(15))}),
        ("/2/tweets/search/recent", {"query": "quotes_of_tweet_id:10001"}),
        ("/2/tweets/search/recent", {"query": 'url:"https://x.com/u1/status/10001"'}),
        ("/2/dm_events", {}),
        ("/2/users/me", {}),
    ],
)
def test_x_reads_by_index(big, path, query):
    caller = big.x("u1")
    assert scans(plans(big, lambda: caller.get(path, **query))) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.search("contacts", {"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"},
                           sorts=[{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}], limit=200),
        lambda c: c.search("contacts", {"propertyName": "hs_object_id", "operator": "GT", "value": "500"},
                           sorts=[{"propertyName": "hs_object_id", "direction": "ASCENDING"}], limit=200),
        lambda c: c.search("contacts", {"propertyName": "email", "operator": "EQ", "value": "c9@mail.example"}),
        lambda c: c.get("/crm/objects/2026-09/contacts", limit="100", after="500", associations="tasks"),
        lambda c: c.post("/crm/objects/2026-09/contacts/batch/read", {"inputs": [{"id": str(n)} for n in range(1, 101)]}),
        lambda c: c.post("/crm/objects/2026-09/contacts/batch/read", {"idProperty": "email", "inputs": [{"id": "c9@mail.example"}]}),
        lambda c: c.tasks({"associations": [{"to": {"id": "9"}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 204}]}]}),
        lambda c: c.post("/crm/associations/2026-03/contacts/tasks/batch/read", {"inputs": [{"id": str(n)} for n in range(1, 101)]}),
        lambda c: c.patch("/crm/objects/2026-09/contacts/77", {"properties": {"city": "Lyon"}}),
    ],
)  # fmt: skip
def test_hubspot_reads_by_index(big, call):
    caller = big.hubspot()
    assert scans(plans(big, lambda: call(caller))) == []


def test_a_sorted_page_needs_no_sorting(big):
    caller = big.hubspot()
    body = {"filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"}]}],
            "sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]}  # fmt: skip
    for call in (
        lambda: caller.post("/crm/objects/2026-09/contacts/search", body),
        lambda: big.x("u1").get("/2/users/50/tweets"),
        lambda: big.client.get("/network"),
    ):
        sorts = [step for steps in plans(big, call).values() for step in steps if "TEMP B-TREE FOR ORDER BY" in step]
        assert len(sorts) <= 1, sorts  # the list of handles to offer is sorted, a hundred at most


def test_a_new_post_touches_its_own_thread_alone(big):
    assert (
        scans(
            plans(
                big,
                lambda: big.client.post("/control/posts", json={"as": "u20", "text": "@u1 hi", "in_reply_to": "10100"}),
            )
        )
        == []
    )


def test_the_check_would_notice(big):
    db = big.state.store.read()
    for statement in ("SELECT * FROM posts WHERE text = 'x'", "SELECT s.* FROM search_index s WHERE s.props = 'x'"):
        assert scans({statement: [row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]})
