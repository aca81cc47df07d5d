"""The network as its people see it: threads, profiles, messages; and the vendor's own addresses that lead here."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox import actions
from sandbox.network import LoadError, find_account
from sandbox.state import sandbox

pages = Blueprint("network", __name__)

THREADS, LOOKED_AT = 20, 4_000  # threads on a page, and the posts that are looked through for them at most
DEEPEST = 6  # replies further down are not moved in any more

_WITH_AUTHOR = "SELECT p.*, a.handle, a.name, a.brand FROM posts p JOIN accounts a ON a.id = p.author_id"


def newest_threads(
    db: sqlite3.Connection, before: tuple[int, int]
) -> tuple[list[dict[str, Any]], tuple[int, int] | None]:
    """Threads by their newest post, and where the next page begins."""
    seen: set[int] = set()
    threads: list[dict[str, Any]] = []
    rows = db.execute(
        "SELECT id, root, created_at FROM posts WHERE deleted = 0 AND (created_at, id) < (?, ?) "
        "ORDER BY created_at DESC, id DESC LIMIT ?",
        (*before, LOOKED_AT),
    )
    for row in rows:
        if row["root"] in seen:
            continue
        seen.add(row["root"])
        newest = db.execute(
            "SELECT created_at, id FROM posts WHERE root = ? AND deleted = 0 ORDER BY created_at DESC, id DESC LIMIT 1",
            (row["root"],),
        ).fetchone()
        if newest["id"] != row["id"]:
            continue  # it stood on a page before
        threads.append(thread_card(db, row["root"]))
        if len(threads) == THREADS:
            return threads, (row["created_at"], row["id"])
    return threads, None


def thread_card(db: sqlite3.Connection, root: int) -> dict[str, Any]:
    """A thread in short: how it begins, how it ends, how long it is."""
    ends = [
        db.execute(
            f"{_WITH_AUTHOR} WHERE p.root = ? AND p.deleted = 0 ORDER BY p.created_at {way}, p.id {way} LIMIT 1",
            (root,),
        ).fetchone()
        for way in ("ASC", "DESC")
    ]
    size = db.execute("SELECT count(*) FROM posts WHERE root = ? AND deleted = 0", (root,)).fetchone()[0]
    return {"root": root, "first": ends[0], "last": ends[1] if size > 1 else None, "size": size}


def known_handles(db: sqlite3.Connection) -> list[sqlite3.Row]:
    """Who to offer in a form: the brands, and who wrote last."""
    return db.execute(
        "SELECT handle, name, brand FROM accounts WHERE brand = 1 UNION SELECT a.handle, a.name, a.brand FROM "
        "(SELECT author_id FROM posts WHERE deleted = 0 ORDER BY created_at DESC, id DESC LIMIT 60) p "
        "JOIN accounts a ON a.id = p.author_id ORDER BY brand DESC, handle LIMIT 100"
    ).fetchall()


def begins_at() -> tuple[int, int]:
    at, _, id_ = request.args.get("before", "").partition(".")
    return (int(at), int(id_)) if at.isdigit() and id_.isdigit() and len(at + id_) < 34 else (2**62, 2**62)


@pages.get("/network")
def threads() -> str:
    db = sandbox().store.read()
    found, more = newest_threads(db, begins_at())
    brand = db.execute("SELECT handle FROM accounts WHERE brand = 1 ORDER BY handle_key LIMIT 1").fetchone()
    return render_template(
        "network.html",
        threads=found,
        more=more,
        handles=known_handles(db),
        brand=brand,
        problem=request.args.get("problem", ""),
    )


@pages.get("/network/threads/<int:root>")
def thread(root: int) -> str | tuple[str, int]:
    db = sandbox().store.read()
    row = db.execute("SELECT root FROM posts WHERE id = ?", (min(root, 2**63 - 1),)).fetchone()
    root = row["root"] if row and row["root"] is not None else root
    rows = db.execute(
        f"{_WITH_AUTHOR} WHERE p.root = ? ORDER BY p.created_at, p.id LIMIT 500", (min(root, 2**63 - 1),)
    ).fetchall()
    if not rows:
        abort(404)
    return render_template(
        "thread.html", posts=in_order(rows), handles=known_handles(db), root=root, voices=suggested(db, rows),
        problem=request.args.get("problem", ""),
    )  # fmt: skip


def in_order(rows: list[sqlite3.Row]) -> list[tuple[int, sqlite3.Row]]:
    """(depth, post), every post below the one it answers. A deleted post shows only while something hangs below it."""
    below: dict[int | None, list[sqlite3.Row]] = {}
    here = {row["id"] for row in rows}
    for row in rows:
        below.setdefault(row["in_reply_to"] if row["in_reply_to"] in here else None, []).append(row)
    found: list[tuple[int, sqlite3.Row]] = []
    waiting = [(0, row) for row in reversed(below.get(None, []))]
    while waiting:
        depth, row = waiting.pop()
        children = below.pop(row["id"], [])
        if children or not row["deleted"]:
            found.append((min(depth, DEEPEST), row))
        waiting += [(depth + 1, child) for child in reversed(children)]
    return found


def suggested(db: sqlite3.Connection, rows: list[sqlite3.Row]) -> dict[str, str]:
    """Who would answer whom: the brand answers people, people answer the brand."""
    people = [row["handle"] for row in rows if not row["brand"]]
    brands = [row["handle"] for row in rows if row["brand"]]
    if not brands:
        mentioned = db.execute(
            "SELECT a.handle FROM mentions m JOIN accounts a ON a.id = m.account_id WHERE m.post_id = ? AND a.brand = 1 LIMIT 1",
            (rows[0]["id"],),
        ).fetchone()
        brands = [mentioned["handle"]] if mentioned else []
    return {"brand": brands[-1] if brands else "", "person": people[-1] if people else ""}


@pages.get("/network/accounts/<handle>")
def profile(handle: str) -> str:
    db = sandbox().store.read()
    account = find_account(db, handle)
    if account is None:
        abort(404)
    posts = db.execute(
        f"{_WITH_AUTHOR} WHERE p.author_id = ? AND p.deleted = 0 ORDER BY p.created_at DESC, p.id DESC LIMIT 50",
        (account["id"],),
    ).fetchall()
    return render_template("profile.html", account=account, posts=posts)


@pages.get("/network/messages")
def conversations() -> str:
    db = sandbox().store.read()
    brands = db.execute(
        "SELECT id, handle, name FROM accounts WHERE brand = 1 ORDER BY handle_key LIMIT 100"
    ).fetchall()
    rows = db.execute(
        "SELECT i.account_id, i.other_id, max(i.created_at) AS at, count(*) AS size, mine.handle AS mine, other.handle AS other, "
        "other.name AS name FROM accounts mine JOIN inboxes i ON i.account_id = mine.id JOIN accounts other ON other.id = i.other_id "
        "WHERE mine.brand = 1 GROUP BY i.account_id, i.other_id ORDER BY at DESC LIMIT 100"
    ).fetchall()
    return render_template(
        "messages.html",
        conversations=rows,
        brands=brands,
        handles=known_handles(db),
        problem=request.args.get("problem", ""),
    )


@pages.get("/network/messages/<int:one>-<int:other>")
def conversation(one: int, other: int) -> str:
    db = sandbox().store.read()
    people = {row["id"]: row for row in db.execute("SELECT * FROM accounts WHERE id IN (?, ?)", (one, other))}
    if len(people) != 2:
        abort(404)
    messages = db.execute(
        "SELECT m.* FROM inboxes i JOIN messages m ON m.id = i.message_id WHERE i.account_id = ? AND i.other_id = ? "
        "ORDER BY i.created_at DESC, i.message_id DESC LIMIT 200",
        (one, other),
    ).fetchall()[::-1]
    sides = sorted(people.values(), key=lambda row: not row["brand"])
    return render_template(
        "conversation.html", people=people, sides=sides, messages=messages, problem=request.args.get("problem", "")
    )


# -- what the forms do


def back_to(endpoint: str, problem: str = "", anchor: str | None = None, **values: Any) -> Response:
    if problem:
        values["problem"] = problem
    return redirect(url_for(endpoint, _anchor=anchor, **values), 303)


@pages.post("/network/posts")
def write_post() -> Response:
    form = request.form
    try:
        id_ = actions.post(sandbox(), form.get("as", ""), form.get("text", ""), form.get("in_reply_to") or None)
    except LoadError as error:
        parent = form.get("in_reply_to", "")
        return (
            back_to("network.thread", str(error), root=parent)
            if parent.isdigit()
            else back_to("network.threads", str(error))
        )
    return back_to("network.thread", anchor=f"p{id_}", root=id_)


@pages.post("/network/posts/<int:post_id>/delete")
def delete_post(post_id: int) -> Response:
    db = sandbox().store.read()
    row = db.execute("SELECT root FROM posts WHERE id = ? AND deleted = 0", (post_id,)).fetchone()
    if row is None or not actions.delete_post(sandbox(), post_id):
        return back_to("network.threads", "That post is gone already.")
    left = db.execute("SELECT 1 FROM posts WHERE root = ? AND deleted = 0 LIMIT 1", (row["root"],)).fetchone()
    return back_to("network.thread", root=row["root"]) if left else back_to("network.threads")


@pages.post("/network/messages")
def write_message() -> Response:
    form = request.form
    try:
        sender, recipient = actions.message(sandbox(), form.get("as", ""), form.get("to", ""), form.get("text", ""))
    except LoadError as error:
        return back_to("network.conversations", str(error))
    return back_to("network.conversation", one=min(sender, recipient), other=max(sender, recipient))


# -- the vendor's own addresses, as deep links have them


@pages.get("/x/<handle>/status/<int:post_id>")
@pages.get("/x/i/web/status/<int:post_id>")
def status(post_id: int, handle: str = "") -> Response:
    return redirect(url_for("network.thread", root=post_id, _anchor=f"p{post_id}"))


@pages.get("/x/<handle>")
def profile_address(handle: str) -> Response:
    return redirect(url_for("network.profile", handle=handle))


@pages.get("/x/i/user/<account_id>")
@pages.get("/x/intent/user")
def profile_by_id(account_id: str = "") -> Response:
    return redirect(url_for("network.profile", handle=account_id or request.args.get("user_id", "")))


@pages.get("/x/messages")
@pages.get("/x/messages/<int:one>-<int:other>")
@pages.get("/x/i/chat/<int:one>-<int:other>")
def message_address(one: int = 0, other: int = 0) -> Response:
    return redirect(url_for("network.conversation", one=one, other=other) if one else url_for("network.conversations"))
