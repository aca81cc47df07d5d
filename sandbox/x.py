"""X's API v2: the reading half that a connected account may use."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request

from sandbox import x_render, x_search
from sandbox.clock import DAY, iso
from sandbox.limits import Room
from sandbox.oauth import Grant, OAuthError
from sandbox.state import sandbox
from sandbox.x_errors import XError, forbidden, invalid, not_found, too_many, unauthorized
from sandbox.x_params import Place, id_of, ids_of, names, number, place_of, time_of, window

api = Blueprint("x", __name__, url_prefix="/x")

QUARTER = 15 * 60  # seconds: X counts every endpoint in windows of 15 minutes
NEWEST_MENTIONS, NEWEST_POSTS = 800, 3200  # docs.x.com: how far back the two timelines go
SEARCH_DAYS, MESSAGE_DAYS = 7, 30

READ = ("tweet.read", "users.read")
TWEET_EXPANSIONS = frozenset(
    [
        "author_id",
        "referenced_tweets.id",
        "in_reply_to_user_id",
        "entities.mentions.username",
        "referenced_tweets.id.author_id",
        "edit_history_tweet_ids",
    ]
)
SHAPE = ("tweet.fields", "user.fields", "expansions", "media.fields", "poll.fields", "place.fields")
RANGE = ("since_id", "until_id", "start_time", "end_time")


# -- what a call needs before it is served


def admit(endpoint: str, limit: int, parameters: Collection[str], scopes: Sequence[str] = READ) -> Grant:
    """Whose call this is, once token, scopes, window and parameter names are in order. Raises XError."""
    state = sandbox()
    try:
        grant = state.oauth.authenticate("x", request.headers.get("Authorization"))
    except OAuthError as error:
        raise unauthorized() from error
    room = state.windows.take(("x", grant.account_id, endpoint), limit, QUARTER)
    g.rate_headers = rate_headers(room)
    if not room.allowed:
        raise too_many(g.rate_headers)
    missing = [scope for scope in scopes if scope not in grant.scopes]
    if missing:
        raise forbidden(f"Your access token lacks the scope {' '.join(missing)}.")
    for name, value in request.args.items():
        if name not in parameters:
            raise invalid(name, value, f"The query parameter [{name}] is not one of [{','.join(sorted(parameters))}]")
    return grant


def rate_headers(room: Room) -> dict[str, str]:
    return {
        "x-rate-limit-limit": str(room.limit),
        "x-rate-limit-remaining": str(room.remaining),
        "x-rate-limit-reset": str(int(room.reset_at) + 1),
    }


@api.after_request
def _headers(response: Response) -> Response:
    response.headers.extend(g.pop("rate_headers", {}))
    return response


@api.errorhandler(XError)
def _error(error: XError) -> Response:
    return error.response


# -- answers


def answer(parts: Mapping[str, str]) -> Response:
    """JSON out of parts that are JSON; empty ones are left out, as X does."""
    body = ",".join(f'"{name}":{part}' for name, part in parts.items() if part)
    return Response("{" + body + "}", content_type="application/json; charset=utf-8")


def array(docs: Sequence[str]) -> str:
    return f"[{','.join(docs)}]" if docs else ""


def tweets(db: sqlite3.Connection, rows: Sequence[sqlite3.Row], parts: Mapping[str, str]) -> Response:
    """`rows` of posts (doc, author_id, in_reply_to, quotes, reposts, reply_author) with what they expand to."""
    fields = names("tweet.fields", x_render.TWEET_FIELDS, x_render.TWEET_DEFAULTS)
    expansions = names("expansions", TWEET_EXPANSIONS, frozenset())
    user_fields = names("user.fields", x_render.USER_FIELDS, x_render.USER_DEFAULTS)
    people: set[int] = set()
    referenced: list[sqlite3.Row] = []
    missing: list[str] = []
    if expansions & {"referenced_tweets.id", "referenced_tweets.id.author_id"}:
        wanted = {row[key] for row in rows for key in ("in_reply_to", "quotes", "reposts")} - {None}
        referenced = by_ids(db, wanted)
        missing = [str(one) for one in sorted(wanted - {row["id"] for row in referenced})]
    if "author_id" in expansions:
        people |= {row["author_id"] for row in rows}
    if "referenced_tweets.id.author_id" in expansions:
        people |= {row["author_id"] for row in referenced}
    if "in_reply_to_user_id" in expansions:
        people |= {row["reply_author"] for row in rows} - {None}
    if "entities.mentions.username" in expansions:
        people |= {
            int(one["id"]) for row in rows for one in json.loads(row["doc"]).get("entities", {}).get("mentions", ())
        }
    errors = [x_render.dumps(not_found("tweet", "referenced_tweets.id", one)) for one in missing]
    includes = {
        "users": array(users(db, people, user_fields)),
        "tweets": array([x_render.keep(row["doc"], fields, x_render.TWEET_FIELDS) for row in referenced]),
    }
    inner = ",".join(f'"{name}":{part}' for name, part in includes.items() if part)
    data = array([x_render.keep(row["doc"], fields, x_render.TWEET_FIELDS) for row in rows])
    given = json.loads(parts.get("errors") or "[]")
    return answer({
        "data": data, "includes": f"{{{inner}}}" if inner else "",
        "errors": array([*map(x_render.dumps, given), *errors]), "meta": parts.get("meta", ""),
    })  # fmt: skip


def users(db: sqlite3.Connection, ids: Collection[int], fields: frozenset[str]) -> list[str]:
    if not ids:
        return []
    rows = db.execute(
        "SELECT a.doc FROM json_each(?) e CROSS JOIN accounts a ON a.id = e.value", (json.dumps(list(ids)),)
    )
    return [x_render.keep(row[0], fields, x_render.USER_FIELDS) for row in rows]


POST_COLUMNS = "p.id, p.created_at, p.doc, p.author_id, p.in_reply_to, p.quotes, p.reposts, p.reply_author"


def by_ids(db: sqlite3.Connection, ids: Collection[int]) -> list[sqlite3.Row]:
    query = f"SELECT {POST_COLUMNS} FROM json_each(?) e CROSS JOIN posts p ON p.id = e.value WHERE p.deleted = 0"  # noqa: S608
    return db.execute(query, (json.dumps(list(ids)),)).fetchall() if ids else []


def page(rows: list[sqlite3.Row], size: int, place: Place) -> tuple[list[sqlite3.Row], str]:
    """The page itself out of up to `size` + 1 rows, and its `meta`."""
    rows, more = rows[:size], len(rows) > size
    meta: dict[str, Any] = {"result_count": len(rows)}
    if rows:
        meta |= {"newest_id": str(max(row["id"] for row in rows)), "oldest_id": str(min(row["id"] for row in rows))}
    if more:
        meta["next_token"] = Place(rows[-1]["created_at"], rows[-1]["id"], place.floor_at, place.floor_id).token()
    return rows, x_render.dumps(meta)


@dataclass(frozen=True)
class Feed:
    """A timeline: an index of (account, time, post), newest `depth` served."""

    index: str  # a sub-query of id, created_at for one account
    depth: int


MENTIONS = Feed("SELECT post_id AS id, created_at FROM mentions WHERE account_id = ?", NEWEST_MENTIONS)
POSTS = Feed("SELECT id, created_at FROM posts WHERE author_id = ? AND deleted = 0", NEWEST_POSTS)


def timeline(feed: Feed, account: str, more: str = "") -> Response:
    """One page of a feed. `more` is a further condition on posts `p`."""
    db = sandbox().store.read()
    id_, size, (condition, values), place = (
        id_of("id", account),
        number("max_results", 5, 100, 100),
        window(),
        place_of("pagination_token"),
    )
    if db.execute("SELECT 1 FROM accounts WHERE id = ?", (id_,)).fetchone() is None:
        return answer({"errors": array([x_render.dumps(not_found("user", "id", account))])})
    if place is None and sandbox().settings["whole_history"]:
        place = Place()
    elif place is None:
        newest = f"SELECT created_at, id FROM ({feed.index}) ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?"  # noqa: S608
        floor = db.execute(newest, (id_, feed.depth - 1)).fetchone()
        place = Place(floor_at=floor[0], floor_id=floor[1]) if floor else Place()
    rows = db.execute(
        f"SELECT {POST_COLUMNS} FROM ({feed.index}) f CROSS JOIN posts p ON p.id = f.id "  # noqa: S608
        f"WHERE (f.created_at, f.id) < (?, ?) AND (f.created_at, f.id) >= (?, ?){condition}{more} "
        "ORDER BY f.created_at DESC, f.id DESC LIMIT ?",
        (id_, place.at, place.id, place.floor_at, place.floor_id, *values, size + 1),
    ).fetchall()
    rows, meta = page(rows, size, place)
    return tweets(db, rows, {"meta": meta})


# -- endpoints


@api.get("/2/users/me")
def me() -> Response:
    grant = admit("me", 75, ("user.fields", "expansions", "tweet.fields"))
    fields = names("user.fields", x_render.USER_FIELDS, x_render.USER_DEFAULTS)
    found = users(sandbox().store.read(), [grant.account_id], fields)
    if not found:
        raise unauthorized()
    return answer({"data": found[0]})


@api.get("/2/users/<account>/mentions")
def mentions(account: str) -> Response:
    admit("mentions", 300, (*SHAPE, *RANGE, "max_results", "pagination_token"))
    return timeline(MENTIONS, account)


EXCLUDE = {"replies": " AND p.in_reply_to IS NULL", "retweets": " AND p.reposts IS NULL"}


@api.get("/2/users/<account>/tweets")
def own_posts(account: str) -> Response:
    admit("tweets", 900, (*SHAPE, *RANGE, "max_results", "pagination_token", "exclude"))
    return timeline(
        POSTS, account, "".join(EXCLUDE[name] for name in sorted(names("exclude", frozenset(EXCLUDE), frozenset())))
    )


@api.get("/2/tweets")
def by_id() -> Response:
    admit("lookup", 900, (*SHAPE, "ids"))
    db, ids = sandbox().store.read(), ids_of("ids")
    found = {row["id"]: row for row in by_ids(db, set(ids))}
    missing = [not_found("tweet", "ids", str(one)) for one in dict.fromkeys(ids) if one not in found]
    rows = [found[one] for one in dict.fromkeys(ids) if one in found]
    return tweets(db, rows, {"errors": x_render.dumps(missing)})


@api.get("/2/tweets/search/recent")
def search() -> Response:
    admit("search", 300, (*SHAPE, *RANGE, "query", "max_results", "next_token", "pagination_token", "sort_order"))
    query, size = request.args.get("query", ""), number("max_results", 10, 100, 10)
    try:
        sql, values = x_search.compile_query(query)
    except x_search.QueryError as error:
        raise invalid("query", query[:100], f"There was an error with the query: {error}") from error
    oldest = sandbox().clock.now() - SEARCH_DAYS * DAY
    for name in ("start_time", "end_time"):
        value = request.args.get(name)
        if value is not None and time_of(name, value) < oldest:
            message = f"Invalid '{name}':'{value}'. '{name}' must be on or after {iso(oldest)}. Please use a '{name}' that is after it."
            raise invalid(name, value, message)
    (condition, more), place = window(), place_of("next_token", "pagination_token") or Place()
    db = sandbox().store.read()
    rows = db.execute(
        f"SELECT {POST_COLUMNS} FROM posts p WHERE p.deleted = 0 AND p.created_at >= ? AND ({sql}) "  # noqa: S608
        f"AND (p.created_at, p.id) < (?, ?){condition.replace('f.', 'p.')} ORDER BY p.created_at DESC, p.id DESC LIMIT ?",
        (oldest, *values, place.at, place.id, *more, size + 1),
    ).fetchall()
    rows, meta = page(rows, size, place)
    return tweets(db, rows, {"meta": meta})


@api.get("/2/users")
def accounts() -> Response:
    admit("users", 900, ("ids", "user.fields", "expansions", "tweet.fields"))
    ids = ids_of("ids")
    found = users(sandbox().store.read(), ids, names("user.fields", x_render.USER_FIELDS, x_render.USER_DEFAULTS))
    known = {json.loads(doc)["id"] for doc in found}
    missing = [x_render.dumps(not_found("user", "ids", str(one))) for one in ids if str(one) not in known]
    return answer({"data": array(found), "errors": array(missing)})


@api.get("/2/users/by")
def accounts_by_name() -> Response:
    admit("users_by", 900, ("usernames", "user.fields", "expansions", "tweet.fields"))
    asked = [each.strip() for each in request.args.get("usernames", "").split(",") if each.strip()]
    if not 1 <= len(asked) <= 100:
        raise invalid(
            "usernames", request.args.get("usernames", ""), "The usernames query parameter takes 1 to 100 names"
        )
    rows = (
        sandbox()
        .store.read()
        .execute(
            "SELECT a.id FROM json_each(?) e CROSS JOIN accounts a ON a.handle_key = lower(e.value)",
            (json.dumps(asked),),
        )
    )
    ids = [row[0] for row in rows]
    found = users(sandbox().store.read(), ids, names("user.fields", x_render.USER_FIELDS, x_render.USER_DEFAULTS))
    known = {json.loads(doc)["username"].lower() for doc in found}
    missing = [x_render.dumps(not_found("user", "usernames", one)) for one in asked if one.lower() not in known]
    return answer({"data": array(found), "errors": array(missing)})


@api.get("/2/dm_events")
def messages() -> Response:
    grant = admit(
        "dm_events",
        15,
        (*SHAPE, "dm_event.fields", "event_types", "max_results", "pagination_token"),
        (*READ, "dm.read"),
    )
    fields = names("dm_event.fields", x_render.DM_FIELDS, x_render.DM_DEFAULTS)
    expansions = names("expansions", frozenset({"sender_id", "participant_ids", "referenced_tweets.id"}), frozenset())
    user_fields = names("user.fields", x_render.USER_FIELDS, x_render.USER_DEFAULTS)
    kinds = names("event_types", frozenset({"MessageCreate", "ParticipantsJoin", "ParticipantsLeave"}), frozenset())
    size, place = number("max_results", 1, 100, 100), place_of("pagination_token") or Place()
    db = sandbox().store.read()
    rows = [] if kinds and "MessageCreate" not in kinds else db.execute(
        "SELECT m.id, m.created_at, m.sender_id, m.recipient_id, m.doc FROM inboxes i CROSS JOIN messages m ON m.id = i.message_id "
        "WHERE i.account_id = ? AND i.created_at >= ? AND (i.created_at, i.message_id) < (?, ?) "
        "ORDER BY i.created_at DESC, i.message_id DESC LIMIT ?",
        (grant.account_id, sandbox().clock.now() - MESSAGE_DAYS * DAY, place.at, place.id, size + 1),
    ).fetchall()  # fmt: skip
    rows, meta = page(rows, size, place)
    kept = {name: value for name, value in json.loads(meta).items() if name not in ("newest_id", "oldest_id")}
    people = {row["sender_id"] for row in rows} if "sender_id" in expansions else set()
    if "participant_ids" in expansions:
        people |= {row[side] for row in rows for side in ("sender_id", "recipient_id")}
    found = array(users(db, people, user_fields))
    dm_fields = fields | ({"urls", "mentions"} if "entities" in fields else set())
    return answer({
        "data": array([x_render.keep(row["doc"], dm_fields, x_render.DM_FIELDS | {"urls", "mentions"}) for row in rows]),
        "includes": f'{{"users":{found}}}' if found else "", "meta": x_render.dumps(kept),
    })  # fmt: skip
