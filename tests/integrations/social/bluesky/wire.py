"""A Bluesky server (PDS) with the AppView and the chat behind it, in memory, for `responses`: what the provider's tests speak to.
Shaped from the published lexicons and from what the real servers answer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses
from joserfc import jws, jwt
from joserfc.jwk import ECKey

from integrations.provider import Access
from integrations.records import Author
from integrations.social.bluesky.client import BlueskyClient
from integrations.social.bluesky.dpop import b64url, new_key

PDS = "https://pds.example"
WEB = "https://bsky.app"
CHAT_SERVICE = "did:web:api.bsky.chat#bsky_chat"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
US = Author("did:plc:acmeacmeacmeacmeacmeacme", "acme.example", "Acme", url=f"{WEB}/profile/acme.example")
ADA = "did:plc:adaadaadaadaadaadaadaada"
BOB = "did:plc:bobbobbobbobbobbobbobbob"
TOKEN = "bluesky-access-token-for-tests"
KEY = new_key()
HOSTS = {
    "web": WEB,
    "appview": "https://appview.example",
    "plc": "https://plc.example",
    "chat": "https://api.bsky.chat",
}
Reply = tuple[int, dict[str, str], str]
Row = dict[str, Any]


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def uri(did: str, rkey: str) -> str:
    return f"at://{did}/app.bsky.feed.post/{rkey}"


def ref(address: str) -> dict[str, str]:
    return {"uri": address, "cid": f"bafy{address[-3:]}"}


def facet(text: str, part: str, **feature: str) -> Row:
    """A facet over the first occurrence of `part`; `link=` or `mention=` says what it is."""
    start = text.encode().index(part.encode())
    kind, value = next(iter(feature.items()))
    name = {"link": "uri", "mention": "did"}[kind]
    return {
        "index": {"byteStart": start, "byteEnd": start + len(part.encode())},
        "features": [{"$type": f"app.bsky.richtext.facet#{kind}", name: value}],
    }


@dataclass
class Wire:
    """`page` rows at most on a page. `nonce`: what proofs have to hold, if anything."""

    page: int = 100
    now: datetime = NOW
    ahead: timedelta = timedelta(0)  # how much our clock is ahead of the network's
    nonce: str = ""
    bearer: bool = False  # an app password's session instead of a consent's
    posts: dict[str, Row] = field(default_factory=dict)  # address -> view of the post
    hidden: set[str] = field(default_factory=set)  # there, but not indexed yet: lists do not serve them
    blocked: set[str] = field(default_factory=set)
    passed_over: set[str] = field(default_factory=set)  # there, but left out where many are asked for
    refused: dict[str, Reply] = field(default_factory=dict)  # answers to give to calls of a method, whatever is asked
    convos: dict[str, Row] = field(default_factory=dict)
    messages: dict[str, list[Row]] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)  # conversations that the account is no longer in
    replies: list[Reply] = field(default_factory=list)  # answers to give first, whatever is asked
    sent: list[requests.PreparedRequest] = field(default_factory=list)
    proofs: set[str] = field(default_factory=set)
    forgotten: bool = False  # the AppView no longer knows the cursors that it gave
    people: dict[str, Row] = field(
        default_factory=lambda: {
            US.id: {"did": US.id, "handle": US.handle, "displayName": "Acme"},
            ADA: {"did": ADA, "handle": "ada.example", "displayName": "Ada", "description": "rides"},
            BOB: {"did": BOB, "handle": "bob.example"},
        }
    )
    _serial: int = 0

    # --- what happens there ---------------------------------------------------------------------------------------

    def post(
        self,
        did: str = ADA,
        text: str = "hello",
        *,
        at: datetime | None = None,
        indexed: datetime | None = None,
        names: Iterable[str] = (),
        reply: tuple[str, str] | None = None,
        quotes: str | None = None,
        **record: Any,
    ) -> str:
        """Somebody posts. `reply` is (root, parent). Returns the post's address."""
        self._serial += 1
        at = at or NOW - timedelta(hours=1) + timedelta(seconds=self._serial)
        address = uri(did, f"3k{self._serial:06d}")
        body: Row = {"$type": "app.bsky.feed.post", "text": text, "createdAt": iso(at), "langs": ["en"]}
        named = [
            {
                "index": {"byteStart": 0, "byteEnd": 0},
                "features": [{"$type": "app.bsky.richtext.facet#mention", "did": each}],
            }
            for each in names
        ]
        if named:
            body["facets"] = named
        if reply:
            body["reply"] = {"root": ref(reply[0]), "parent": ref(reply[1])}
        if quotes:
            body["embed"] = {"$type": "app.bsky.embed.record", "record": ref(quotes)}
        row = {
            **ref(address),
            "author": self.people[did],
            "record": {**body, **record},
            "indexedAt": iso(indexed or at),
        }
        self.posts[address] = row
        return address

    def message(self, convo: str, sender: str, text: str, at: datetime, **more: Any) -> str:
        """Somebody writes a direct message. Returns its id."""
        self._serial += 1
        rev, found = f"22{self._serial:06d}", f"m{self._serial}"
        view = {
            "$type": "chat.bsky.convo.defs#messageView",
            "id": found,
            "rev": rev,
            "text": text,
            "sender": {"did": sender},
            "sentAt": iso(at),
            **more,
        }
        self.messages.setdefault(convo, []).append(view)
        members = [self.people[US.id], self.people[ADA]]
        held = self.convos.setdefault(convo, {"id": convo, "members": members, "muted": False, "unreadCount": 0})
        held["rev"] = rev
        return found

    # --- the client ---------------------------------------------------------------------------------------------------

    @property
    def credentials(self) -> Row:
        found = {"access_token": TOKEN, "did": US.id, "pds": PDS}
        return found if self.bearer else {**found, "dpop_key": KEY}

    def client(self, **more: Any) -> BlueskyClient:
        access: dict[str, Any] = {
            "hosts": HOSTS,
            "credentials": self.credentials,
            "account": US,
            "since": self.now - timedelta(days=30),
            "now": lambda: self.now + self.ahead,
        }
        return BlueskyClient(Access(**{**access, **more}))

    def queries(self, method: str) -> list[dict[str, list[str]]]:
        """The parameters of every call to a method, in order."""
        calls = [urlsplit(str(request.url)) for request in self.sent]
        return [parse_qs(call.query) for call in calls if call.path == f"/xrpc/{method}"]

    # --- the server ---------------------------------------------------------------------------------------------------

    def serve(self, mock: responses.RequestsMock) -> None:
        mock.add_callback(responses.GET, re.compile(re.escape(PDS) + "/xrpc/"), self._answer)

    def _answer(self, request: requests.PreparedRequest) -> Reply:
        self.sent.append(request)
        if self.replies:
            return self.replies.pop(0)
        if (method := urlsplit(str(request.url)).path.removeprefix("/xrpc/")) in self.refused:
            return self.refused[method]
        headers = {"Content-Type": "application/json", "Date": "Fri, 20 Mar 2026 12:00:00 GMT"}
        refused = self._refused(request)
        if refused is not None:
            return refused
        call = urlsplit(str(request.url))
        status, body = self._route(call.path.removeprefix("/xrpc/"), parse_qs(call.query), request)
        return status, headers, json.dumps(body)

    def _refused(self, request: requests.PreparedRequest) -> Reply | None:
        if self.bearer:
            return None if request.headers["Authorization"] == f"Bearer {TOKEN}" else (401, {}, "{}")
        claims = proof_of(request)
        assert claims["jti"] not in self.proofs, "a proof is good for one request"
        self.proofs.add(claims["jti"])
        assert request.headers["Authorization"] == f"DPoP {TOKEN}"
        assert claims["ath"] == b64url(hashlib.sha256(TOKEN.encode()).digest())
        if self.nonce and claims.get("nonce") != self.nonce:
            told = {"DPoP-Nonce": self.nonce, "WWW-Authenticate": 'DPoP error="use_dpop_nonce"'}
            return 401, told, json.dumps({"error": "use_dpop_nonce", "message": "Use this nonce"})
        return None

    def _route(self, method: str, query: dict[str, list[str]], request: requests.PreparedRequest) -> tuple[int, Row]:
        def one(name: str, default: str = "") -> str:
            return query.get(name, [default])[0]

        if method == "app.bsky.actor.getProfile":
            return 200, {**self.people[one("actor")], "followersCount": 12, "website": "https://acme.example"}
        if method == "app.bsky.feed.getPosts":
            assert len(query["uris"]) <= 25
            return 200, {
                "posts": [
                    self.posts[each] for each in query["uris"] if self._serves(each) and each not in self.passed_over
                ]
            }
        if method == "app.bsky.feed.getPostThread":
            thread = self._thread(one("uri"))
            if thread is None:
                return 400, {"error": "NotFound", "message": f"Post not found: {one('uri')}"}
            return 200, {"thread": thread}
        if method == "app.bsky.notification.listNotifications":
            return self._list("notifications", self._notifications(query["reasons"]), query)
        if method == "app.bsky.feed.getAuthorFeed":
            rows = [self._feed_row(row) for row in self.posts.values() if row["author"]["did"] == one("actor")]
            return self._list("feed", rows, query)
        if method.startswith("chat.bsky.convo."):
            assert request.headers["atproto-proxy"] == CHAT_SERVICE
            return self._chat(method, query)
        return 501, {"error": "MethodNotImplemented", "message": "Method Not Implemented"}

    def _chat(self, method: str, query: dict[str, list[str]]) -> tuple[int, Row]:
        if method.endswith("listConvos"):
            rows = sorted(self.convos.values(), key=lambda row: str(row["rev"]), reverse=True)
            return self._numbered("convos", rows, query)
        if query["convoId"][0] in self.left:
            return 400, {"error": "InvalidConvo", "message": "Not a member"}
        rows = list(reversed(self.messages[query["convoId"][0]]))
        return self._numbered("messages", rows, query)

    def _numbered(self, name: str, rows: list[Row], query: dict[str, list[str]]) -> tuple[int, Row]:
        start = int(query.get("cursor", ["0"])[0])
        size = min(self.page, int(query["limit"][0]))
        following = {"cursor": str(start + size)} if len(rows) > start + size else {}
        return 200, {name: rows[start : start + size], **following}

    def _serves(self, address: str) -> bool:
        return address in self.posts and address not in self.blocked

    def _notifications(self, reasons: list[str]) -> list[Row]:
        rows = []
        for address, row in self.posts.items():
            reason = self._reason(row["record"])
            if row["author"]["did"] != US.id and reason in reasons and self._serves(address):
                rows.append({**row, "reason": reason, "isRead": False, "indexedAt": _sorted_at(row)})
        return rows

    def _reason(self, record: Row) -> str | None:
        named = [each.get("did") for facet in record.get("facets", ()) for each in facet["features"]]
        reply, embed = record.get("reply", {}), record.get("embed", {})
        ours = [str(reply.get(end, {}).get("uri")).startswith(f"at://{US.id}/") for end in ("root", "parent")]
        if US.id in named:
            return "mention"
        if str(embed.get("record", {}).get("uri")).startswith(f"at://{US.id}/"):
            return "quote"
        return "reply" if any(ours) else None

    def _feed_row(self, row: Row) -> Row:
        reply = row["record"].get("reply")
        found = {"post": row, "indexedAt": row["indexedAt"], "uri": row["uri"], "record": row["record"]}
        if reply:
            ends = {end: self._end(reply[end]["uri"]) for end in ("root", "parent")}
            found["reply"] = ends
        return found

    def _end(self, address: str) -> Row:
        if address in self.posts:
            return {"$type": "app.bsky.feed.defs#postView", **self.posts[address]}
        return {"$type": "app.bsky.feed.defs#notFoundPost", "uri": address, "notFound": True}

    def _thread(self, address: str) -> Row | None:
        if address not in self.posts:
            return None
        if address in self.blocked:
            return {"$type": "app.bsky.feed.defs#blockedPost", "uri": address, "blocked": True, "author": {"did": BOB}}
        below = [
            each
            for each, row in self.posts.items()
            if row["record"].get("reply", {}).get("parent", {}).get("uri") == address
        ]
        replies = [self._thread(each) for each in below if each not in self.hidden]
        return {"$type": "app.bsky.feed.defs#threadViewPost", "post": self.posts[address], "replies": replies}

    def _list(self, name: str, rows: list[Row], query: dict[str, list[str]]) -> tuple[int, Row]:
        """Newest first, by the earlier of when a post says it was written and when it was indexed; a cursor is such an instant."""
        before = query.get("cursor", ["9999"])[0]
        if "cursor" in query and self.forgotten:
            return 502, {"error": "UpstreamFailure", "message": "Upstream Failure"}
        sort = {row["uri"]: _sorted_at(row) for row in rows}
        chosen = [row for row in rows if sort[row["uri"]] < before and row["uri"] not in self.hidden]
        chosen.sort(key=lambda row: sort[row["uri"]], reverse=True)
        size = min(self.page, int(query["limit"][0]))
        following = {"cursor": sort[chosen[size - 1]["uri"]]} if len(chosen) > size else {}
        return 200, {name: chosen[:size], **following}


def _sorted_at(row: Row) -> str:
    """The place of a post in lists. A notification tells no other time, so that nobody sees by it that a post came late."""
    return min(str(row["record"]["createdAt"]), str(row["indexedAt"]))


def proof_of(request: requests.PreparedRequest) -> Row:
    """The claims of a request's proof, once everything about it that needs no server has been checked."""
    token = str(request.headers["DPoP"])
    header = jws.extract_compact(token.encode()).headers()
    assert header["typ"] == "dpop+jwt"
    assert header["alg"] == "ES256"
    assert "d" not in header["jwk"], "the private half was sent along"
    claims = dict(jwt.decode(token, ECKey.import_key(header["jwk"]), algorithms=["ES256"]).claims)
    address = urlsplit(str(request.url))
    assert claims["htm"] == request.method
    assert claims["htu"] == f"{address.scheme}://{address.netloc}{address.path}"
    return claims
