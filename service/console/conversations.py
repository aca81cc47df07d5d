"""One conversation: what was said, who is who, why it is or is not a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from service.console.guard import caller
from service.console.page import page
from service.runtime import runtime
from service.store import listing, pages, paging, persons

blueprint = Blueprint("conversations", __name__)


@blueprint.get("/conversations")
def show() -> ResponseReturnValue:
    """Every conversation, the one that moved last first."""
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        found, more = listing.conversations(session, workspace_id, after=request.args.get("after"))
        connections, _ = listing.connections(session, workspace_id, limit=1000)
    return page("conversations.html", conversations=found, more=more, accounts={row["id"]: row for row in connections})


@blueprint.get("/conversations/<uuid:conversation_id>")
def one(conversation_id: UUID) -> ResponseReturnValue:
    workspace_id = caller().workspace_id
    with runtime().db.tenant(workspace_id) as session:
        row = paging.one(session, workspace_id, listing.CONVERSATIONS, conversation_id)
        if row is None:
            abort(404)
        posts = _once(listing.posts_of(session, workspace_id, row["brand_id"], row["thread"]))
        matches, _ = listing.matches(session, workspace_id, filters={"author_id": row["author_id"]})
        tasks, _ = listing.tasks(session, workspace_id, filters={"conversation_id": conversation_id})
        details = pages.tasks(session, workspace_id, [task["id"] for task in tasks])
        connection = listing.connection(session, workspace_id, row["connection_id"])
        objects = bool(persons.objecting(session, workspace_id, [row["author_id"]], [row["contact_id"]]))
        brand = paging.one(session, workspace_id, listing.BRANDS, row["brand_id"])
    return page(
        "conversation.html",
        row=row,
        posts=posts,
        matches=sorted(matches, key=lambda each: (_RANK[each["state"]], -each["score"])),
        tasks=tasks,
        details=details,
        connection=connection,
        brand=brand,
        objects=objects,
        here=request.path,
    )


_RANK = {"confirmed": 0, "suggested": 1, "rejected": 2}


def _once(posts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Two accounts of one brand may both hold a post; people read it once. Theirs before context, since it says more."""
    chosen: dict[str, dict[str, Any]] = {}
    for post in posts:
        standing = chosen.get(post["native_id"])
        if standing is None or standing["kind"] == "context":
            chosen[post["native_id"]] = post
    return sorted(chosen.values(), key=lambda post: (post["posted_at"], post["id"]))
