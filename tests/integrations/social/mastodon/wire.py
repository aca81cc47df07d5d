"""A server of Mastodon's client API in memory, for `responses`: what the provider's tests speak to. Shaped from the published contract.

Its ids are scrambled on purpose: they look like the ids of the server that is played, and their order says nothing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
import responses

from integrations.provider import Access
from integrations.records import Author
from integrations.social.mastodon.client import MastodonClient

WEB = "https://social.example"
DOMAIN = "social.example"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
TOKEN = "mastodon-access-token-for-tests"
US = Author("7000", f"acme@{DOMAIN}", "Acme Support", url=f"{WEB}/@acme")
ADA, BEA = "9", "11"
Reply = tuple[int, dict[str, str], str]
Row = dict[str, Any]

_IDS = {
    "mastodon": lambda digest: str(10**17 + int(digest[:14], 16)),
    "gotosocial": lambda digest: "01" + digest[:24].upper(),
    "akkoma": lambda digest: "A" + digest[:17],
}


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def html(text: str) -> str:
    """A text as servers mark it up."""
    if not text:
        return ""
    paragraphs = escape(text, quote=False).split("\n\n")
    return "".join(f"<p>{each.replace(chr(10), '<br />')}</p>" for each in paragraphs)


def account(account_id: str, acct: str, **more: Any) -> Row:
    username, _, domain = acct.partition("@")
    return {
        "id": account_id,
        "username": username,
        "acct": acct,
        "display_name": username.title(),
        "bot": False,
        "note": "",
        "url": f"https://{domain or DOMAIN}/@{username}",
        "followers_count": 12,
        "emojis": [],
        "fields": [],
        **more,
    }


@dataclass
class Wire:
    """`page` rows at most on a page; `left` is how many calls are taken before the window is empty (None: no limit)."""

    page: int = 40
    left: int | None = None
    now: datetime = NOW
    ahead: timedelta = timedelta(0)  # of our clock
    ids: str = "mastodon"
    options: dict[str, Any] = field(default_factory=dict)
    link: str = '<{url}>; rel="next", <{back}>; rel="prev"'  # how the server spells it; nothing: it sends none
    keeps_filters: bool = True  # in the addresses of its `Link`
    knows_since: bool = True
    many: bool = True  # knows the call for many posts
    missing: tuple[str, ...] = ()  # paths that the server does not know
    forgotten: set[str] = field(default_factory=set)  # ids that it no longer knows as a bound, and serves nothing for
    hidden: set[str] = field(default_factory=set)  # there, but not indexed yet: lists do not serve them
    whole_thread_above: bool = False  # as Pleroma does
    broken: set[str] = field(default_factory=set)  # posts over whose threads the server breaks, every time
    breaks_with: int = 500
    contexts: str | None = None  # what the server answers when it is asked for a thread, instead of the thread
    people: dict[str, Row] = field(
        default_factory=lambda: {
            US.id: account(US.id, "acme", display_name="Acme Support"),
            ADA: account(ADA, "ada@elsewhere.example"),
            BEA: account(BEA, "bea"),
        }
    )
    filtered: set[str] = field(default_factory=set)  # people whose notifications our filters hold back
    posts: dict[str, Row] = field(default_factory=dict)  # in the order in which they came to be
    notifications: list[Row] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)  # answers to give first, whatever is asked
    sent: list[requests.PreparedRequest] = field(default_factory=list)
    serial: int = 0

    # --- what happens there -----------------------------------------------------------------------------------

    def id(self) -> str:
        self.serial += 1
        return _IDS[self.ids](hashlib.sha256(str(self.serial).encode()).hexdigest())

    def say(
        self,
        author: str,
        text: str = "hello",
        *,
        to: str | None = None,
        names: Iterable[str] = (),
        at: datetime | None = None,
        tell: str | None = "",
        quotes: str | None = None,
        **more: Any,
    ) -> str:
        """A post. It is told to us as a mention where it names us, as a quote where it quotes us, or as `tell` says (None: not)."""
        post_id = self.id()
        at = at or self.now - timedelta(hours=1) + timedelta(seconds=self.serial)
        parent, named = self.posts.get(to or "", {}), [self.people[each] for each in names]
        row: Row = {
            "id": post_id,
            "created_at": iso(at),
            "in_reply_to_id": to,
            "in_reply_to_account_id": parent.get("account", {}).get("id"),
            "visibility": "public",
            "language": "en",
            "url": f"https://elsewhere.example/@x/{post_id}",
            "uri": f"https://elsewhere.example/posts/{post_id}",
            "edited_at": None,
            "content": html(text),
            "spoiler_text": "",
            "reblog": None,
            "account": self.people[author],
            "mentions": [{name: each[name] for name in ("id", "username", "url", "acct")} for each in named],
            "media_attachments": [],
            "emojis": [],
            "quote": {"state": "accepted", "quoted_status": self.posts[quotes]} if quotes else None,
            "poll": None,
            **more,
        }
        self.posts[post_id] = row
        quoted = bool(quotes) and self.posts[str(quotes)]["account"]["id"] == US.id
        kind = tell if tell != "" else "quote" if quoted else "mention" if US.id in names else None
        if kind and author != US.id:
            self.notify(kind, row, at)
        return post_id

    def notify(self, kind: str, row: Row | None, at: datetime) -> None:
        who = row["account"] if row else self.people[ADA]
        self.notifications.append({"id": self.id(), "type": kind, "created_at": iso(at), "account": who, "status": row})

    def delete(self, post_id: str) -> None:
        """As Mastodon does it: answers to it lose their parent."""
        del self.posts[post_id]
        self.notifications = [each for each in self.notifications if (each["status"] or {}).get("id") != post_id]
        for row in self.posts.values():
            if row["in_reply_to_id"] == post_id:
                row["in_reply_to_id"] = None

    # --- how it is asked --------------------------------------------------------------------------------------

    def client(self, **more: Any) -> MastodonClient:
        return MastodonClient(self.access(**more))

    def access(self, **more: Any) -> Access:
        """What our client needs to speak for us."""
        access: dict[str, Any] = {
            "hosts": {"web": WEB},
            "credentials": {"access_token": TOKEN},
            "account": US,
            "options": self.options,
            "since": self.now - timedelta(days=30),
            "now": lambda: self.now + self.ahead,
        }
        return Access(**{**access, **more})

    def serve(self, mock: responses.RequestsMock) -> None:
        for method in (responses.GET, responses.POST):
            mock.add_callback(method, re.compile(re.escape(WEB) + "/"), self._answer)

    def queries(self, path: str) -> list[dict[str, list[str]]]:
        """The query parameters of every call to a path, in order."""
        calls = [urlsplit(str(request.url)) for request in self.sent]
        return [parse_qs(call.query) for call in calls if call.path == path]

    def paths(self) -> list[str]:
        return [urlsplit(str(request.url)).path for request in self.sent]

    def _answer(self, request: requests.PreparedRequest) -> Reply:
        self.sent.append(request)
        if self.replies:
            return self.replies.pop(0)
        call = urlsplit(str(request.url))
        headers = {"Content-Type": "application/json; charset=utf-8", "Date": "Fri, 20 Mar 2026 12:00:00 GMT"}
        if self.left is not None:
            if self.left <= 0:
                return 429, {**headers, **self._window()}, '{"error": "Too many requests"}'
            self.left -= 1
            headers |= self._window()
        if call.path in self.missing:
            return 404, headers, '{"error": "Not found"}'
        if self.contexts is not None and call.path.endswith("/context"):
            return 200, headers, self.contexts
        status, body, more = self._route(call.path, parse_qs(call.query))
        return status, {**headers, **more}, json.dumps(body)

    def _window(self) -> dict[str, str]:
        return {
            "X-RateLimit-Remaining": str(max(0, self.left or 0)),
            "X-RateLimit-Reset": "2026-03-20T12:05:00.000000Z",
        }

    def _route(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any, dict[str, str]]:
        if path == "/api/v1/accounts/verify_credentials":
            return 200, self.people[US.id], {}
        if path == "/api/v2/instance":
            return 200, {"domain": DOMAIN, "version": "4.6.0", "source_url": "https://github.com/mastodon/mastodon"}, {}
        if path == "/api/v1/notifications":
            return self._list(path, self._notifications(query), query)
        if path == "/api/v1/notifications/requests":
            return self._list(path, self._requests(), query)
        if path == "/api/v1/conversations":
            return self._list(path, self._conversations(), query, anchor=lambda row: row["last_status"]["id"])
        if path == f"/api/v1/accounts/{US.id}/statuses":
            return self._list(path, self._visible(author=US.id), query)
        if path == "/api/v1/statuses" and self.many:
            asked = query.get("id[]", [])
            if len(asked) > 20:
                return 422, {"error": "Validation failed: too many"}, {}
            return 200, [self.posts[each] for each in asked if each in self.posts], {}
        return self._one(path)

    def _one(self, path: str) -> tuple[int, Any, dict[str, str]]:
        found = re.fullmatch(r"/api/v1/statuses/([^/]+)(/context)?", path)
        row = self.posts.get(unquote(found[1])) if found else None
        if found and found[2] and unquote(found[1]) in self.broken:
            return self.breaks_with, {"error": "This cannot be done"}, {}
        if found is None or row is None:
            return 404, {"error": "Record not found"}, {}
        return 200, self._context(row) if found[2] else row, {}

    def _context(self, row: Row) -> Row:
        above, at = [], row
        while at["in_reply_to_id"] in self.posts:
            at = self.posts[at["in_reply_to_id"]]
            above.insert(0, at)
        below: list[Row] = []
        reached = {row["id"]}
        for each in self.posts.values():
            if each["in_reply_to_id"] in reached:
                reached.add(each["id"])
                below.append(each)
        if self.whole_thread_above:
            thread = {at["id"]}
            for each in self.posts.values():
                thread |= {each["id"]} if each["in_reply_to_id"] in thread else set()
            mine = [each for each in self.posts.values() if each["id"] in thread]
            place = mine.index(row)
            above, below = mine[:place], mine[place + 1 :]
        return {"ancestors": above, "descendants": below}

    # --- lists ------------------------------------------------------------------------------------------------

    def _visible(self, author: str) -> list[Row]:
        return [row for row in self.posts.values() if row["account"]["id"] == author and row["id"] not in self.hidden]

    def _notifications(self, query: dict[str, list[str]]) -> list[Row]:
        found = []
        for row in self.notifications:
            excluded = row["type"] in query.get("exclude_types[]", ())
            held_back = row["account"]["id"] in self.filtered and query.get("include_filtered") != ["true"]
            if not excluded and not held_back and (row["status"] or {}).get("id") not in self.hidden:
                found.append(row)
        return found

    def _requests(self) -> list[Row]:
        newest = {row["account"]["id"]: row for row in self.notifications if row["account"]["id"] in self.filtered}
        return [
            {
                "id": f"r{who}",
                "created_at": row["created_at"],
                "updated_at": row["created_at"],
                "account": row["account"],
                "notifications_count": "1",
                "last_status": row["status"],
            }
            for who, row in newest.items()
        ]

    def _conversations(self) -> list[Row]:
        newest: dict[str, Row] = {}
        for row in self.posts.values():
            if row["visibility"] == "direct":
                at = row
                while at["in_reply_to_id"] in self.posts:
                    at = self.posts[at["in_reply_to_id"]]
                newest.pop(f"c{at['id']}", None)
                newest[f"c{at['id']}"] = row
        return [{"id": key, "unread": False, "accounts": [], "last_status": row} for key, row in newest.items()]

    def _list(
        self, path: str, rows: list[Row], query: dict[str, list[str]], anchor: Any = lambda row: row["id"]
    ) -> tuple[int, Any, dict[str, str]]:
        """Newest first, between the rows that `since_id` and `max_id` name."""
        chosen = rows[::-1]
        names = [anchor(row) for row in chosen]
        since, top = query.get("since_id", [None])[0], query.get("max_id", [None])[0]
        if since in self.forgotten or top in self.forgotten:
            return 200, [], {}
        if top in names:
            chosen = chosen[names.index(top) + 1 :]
        if since in names and self.knows_since:
            chosen = [row for row in chosen if names.index(anchor(row)) < names.index(since)]
        size = min(self.page, int(query.get("limit", ["20"])[0]))
        served, more = chosen[:size], len(chosen) > size
        return 200, served, self._links(path, query, served, more, anchor)

    def _links(
        self, path: str, query: dict[str, list[str]], served: list[Row], more: bool, anchor: Any
    ) -> dict[str, str]:
        if not self.link:
            return {}
        kept = (
            "".join(f"&{name}={each}" for name, values in query.items() for each in values)
            if self.keeps_filters
            else ""
        )
        back = f"{WEB}{path}?min_id={anchor(served[0])}" if served else WEB
        if not more:
            return {"Link": f'<{back}>; rel="prev"'}
        return {"Link": self.link.format(url=f"{WEB}{path}?max_id={anchor(served[-1])}{kept}", back=back)}
