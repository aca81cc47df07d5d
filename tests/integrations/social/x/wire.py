"""X's API in memory, for `responses`: what the provider's tests speak to. Shaped from the published contract."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from integrations.provider import Access
from integrations.records import Author
from integrations.social.x.client import XClient

API = "https://api.x.com"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
US = Author("7000", "acme", "Acme Support", url="https://x.com/acme")
TOKEN = "x-access-token-for-tests"
_EPOCH_MS = 1288834974657
_PROBLEMS = "https://api.twitter.com/2/problems/"
Reply = tuple[int, dict[str, str], str]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def snowflake(at: datetime, serial: int = 0) -> str:
    """The id of something written then, as X would number it."""
    return str(((int(at.timestamp() * 1000) - _EPOCH_MS) << 22) + serial)


def tweet(
    post_id: str, author: str = "9", text: str = "@acme hello", at: datetime = NOW, **more: Any
) -> dict[str, Any]:
    """A post as X writes it. `reply_to=(post id, author id)` and `quotes=post id` become references."""
    reply_to, quotes = more.pop("reply_to", None), more.pop("quotes", None)
    references = [{"type": "replied_to", "id": reply_to[0]}] if reply_to else []
    references += [{"type": "quoted", "id": quotes}] if quotes else []
    row: dict[str, Any] = {
        "id": post_id,
        "author_id": author,
        "text": text,
        "created_at": iso(at),
        "conversation_id": post_id,
        "edit_history_tweet_ids": [post_id],
        "lang": "en",
    }
    if reply_to:
        row["in_reply_to_user_id"] = reply_to[1]
    if references:
        row["referenced_tweets"] = references
    if "@acme" in text:
        row["entities"] = {"mentions": [{"start": 0, "end": 5, "username": "acme", "id": US.id}]}
    return {**row, **more}


def dm(event_id: str, sender: str, at: datetime, text: str = "hello", conversation: str = "9-7000") -> dict[str, Any]:
    return {
        "id": event_id,
        "event_type": "MessageCreate",
        "sender_id": sender,
        "dm_conversation_id": conversation,
        "text": text,
        "created_at": iso(at),
    }


def user(user_id: str, handle: str, **more: Any) -> dict[str, Any]:
    return {"id": user_id, "username": handle, "name": handle.title(), **more}


@dataclass
class Wire:
    """`page` rows at most on a page. `left` is how many calls X takes before its window is empty (None: no limit)."""

    page: int = 100
    left: int | None = None
    newest_mentions: int = 800
    now: datetime = NOW
    posts: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)  # there, but not indexed yet: lists do not serve them
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {"7000": user("7000", "acme"), "9": user("9", "ada")}
    )
    replies: list[Reply] = field(default_factory=list)  # answers to give first, whatever is asked
    refused: dict[str, Reply] = field(default_factory=dict)  # what X answers at a path, whenever it is asked there
    sent: list[requests.PreparedRequest] = field(default_factory=list)
    forgotten: bool = False  # X no longer knows the tokens that it gave

    def add(self, *rows: dict[str, Any]) -> None:
        self.posts.update((row["id"], row) for row in rows)

    def write(self, *rows: dict[str, Any]) -> None:
        """New direct messages."""
        self.messages.update((row["id"], row) for row in rows)

    def client(self, **more: Any) -> XClient:
        access: dict[str, Any] = {
            "hosts": {"api": API, "web": "https://x.com"},
            "credentials": {"access_token": TOKEN},
            "account": US,
            "since": self.now - timedelta(days=30),
            "now": lambda: self.now,
        }
        return XClient(Access(**{**access, **more}))

    def serve(self, mock: responses.RequestsMock) -> None:
        mock.add_callback(responses.GET, re.compile(re.escape(API) + "/2/"), self._answer)

    def queries(self, path: str) -> list[dict[str, str]]:
        """The query parameters of every call to a path, in order."""
        calls = [urlsplit(str(request.url)) for request in self.sent]
        return [{name: value[0] for name, value in parse_qs(call.query).items()} for call in calls if call.path == path]

    def _answer(self, request: requests.PreparedRequest) -> Reply:
        self.sent.append(request)
        if self.replies:
            return self.replies.pop(0)
        call = urlsplit(str(request.url))
        if call.path in self.refused:
            return self.refused[call.path]
        query = {name: value[0] for name, value in parse_qs(call.query).items()}
        status, body = self._route(call.path, query)
        headers = {"Content-Type": "application/json", "Date": format_datetime(self.now, usegmt=True)}
        if self.left is not None:
            self.left -= 1
            headers |= {"x-rate-limit-remaining": str(max(0, self.left)), "x-rate-limit-reset": "1774008900"}
        return status, headers, json.dumps(body)

    def _route(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path == "/2/users/me":
            return 200, {"data": self.users[US.id]}
        if path == "/2/users":
            found = [self.users[each] for each in query["ids"].split(",") if each in self.users]
            return 200, {"data": found} if found else {"errors": [_no_user(each) for each in query["ids"].split(",")]}
        if path == "/2/users/by":
            names = query["usernames"].lower().split(",")
            found = [each for each in self.users.values() if each["username"].lower() in names]
            return 200, {"data": found} if found else {"errors": [_no_user(each) for each in names]}
        if path == "/2/tweets":
            return self._lookup(query["ids"].split(","), query)
        if path == "/2/dm_events":
            return self._list(self.messages.values(), query)
        visible = [row for row in self.posts.values() if row["id"] not in self.hidden]
        if path.endswith("/mentions"):
            named = [row for row in visible if _names(row, US.id) and row["author_id"] != US.id]
            return self._list(sorted(named, key=_time, reverse=True)[: self.newest_mentions], query)
        if path.endswith("/tweets"):
            return self._list([row for row in visible if row["author_id"] == US.id], query)
        if path == "/2/tweets/search/recent":
            if instant(query["start_time"]) < self.now - timedelta(days=7):
                return 400, {
                    "title": "Invalid Request",
                    "type": _PROBLEMS + "invalid-request",
                    "detail": "start_time is too early",
                }
            return self._list([row for row in visible if self._matches(row, query["query"])], query)
        return 404, {"title": "Not Found", "type": "about:blank", "status": 404, "detail": "Not Found"}

    def _matches(self, row: dict[str, Any], text: str) -> bool:
        quoted = [
            self.posts.get(each["id"], {}) for each in row.get("referenced_tweets", ()) if each["type"] == "quoted"
        ]
        if text.startswith("(url:"):
            return any(each.get("author_id") == US.id for each in quoted)
        return f"conversation_id:{row['conversation_id']}" in text.split(" OR ")

    def _lookup(self, ids: list[str], query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        rows = [self.posts[each] for each in ids if each in self.posts]
        missing = [
            {
                "type": _PROBLEMS + "resource-not-found",
                "title": "Not Found Error",
                "detail": f"Could not find tweet with ids: [{each}].",
                "parameter": "ids",
                "value": each,
                "resource_id": each,
                "resource_type": "tweet",
            }
            for each in ids
            if each not in self.posts
        ]
        return 200, {**self._envelope(rows, query), **({"errors": missing} if missing else {})}

    def _list(self, rows: Iterable[dict[str, Any]], query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        token = query.get("pagination_token") or query.get("next_token")
        garbage = [
            each for each in ((token or "0").removeprefix("token"), query.get("until_id", "0")) if not each.isdecimal()
        ]
        if garbage or (token and self.forgotten):
            return 400, {
                "title": "Invalid Request",
                "type": _PROBLEMS + "invalid-request",
                "detail": "Invalid pagination token",
            }
        below = int((token or "").removeprefix("token") or query.get("until_id") or 1 << 63)
        start = instant(query["start_time"]) if "start_time" in query else datetime(2000, 1, 1, tzinfo=UTC)
        chosen = [row for row in rows if int(row["id"]) < below and _time(row) >= start]
        chosen.sort(key=lambda row: int(row["id"]), reverse=True)
        size = min(self.page, int(query["max_results"]))
        meta: dict[str, Any] = {"result_count": len(chosen[:size])}
        if len(chosen) > size:
            meta["next_token"] = f"token{chosen[size - 1]['id']}"
        return 200, {**self._envelope(chosen[:size], query), "meta": meta}

    def _envelope(self, rows: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
        if "expansions" not in query:
            return {"data": rows} if rows else {}
        ids = {each["id"] for row in rows for each in row.get("referenced_tweets", ())}
        others = [self.posts[each] for each in sorted(ids) if each in self.posts]
        people = {row.get("author_id") or row.get("sender_id") for row in [*rows, *others]}
        includes: dict[str, Any] = {"users": [self.users[each] for each in sorted(people) if each in self.users]}
        if others:
            includes["tweets"] = others
        return {
            **({"data": rows} if rows else {}),
            "includes": {name: value for name, value in includes.items() if value},
        }


def _no_user(user_id: str) -> dict[str, Any]:
    return {
        "type": _PROBLEMS + "resource-not-found",
        "title": "Not Found Error",
        "detail": f"Could not find user with ids: [{user_id}].",
        "parameter": "ids",
        "value": user_id,
        "resource_id": user_id,
        "resource_type": "user",
    }


def _time(row: dict[str, Any]) -> datetime:
    return instant(row["created_at"])


def _names(row: dict[str, Any], user_id: str) -> bool:
    named = [each.get("id") for each in row.get("entities", {}).get("mentions", ())]
    return user_id in named or row.get("in_reply_to_user_id") == user_id
