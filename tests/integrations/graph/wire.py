"""The Graph API in memory, for `responses`: nodes, edges that list them, field expansion, cursors, batches and subscriptions."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
import responses

from integrations.provider import App

API = "https://graph.facebook.com"
NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
TOKEN = "page-access-token-for-tests"
USER_TOKEN = "user-access-token-for-tests"
SHORT_TOKEN = "short-lived-token-for-tests"
APP = App("424242", "app-secret-for-tests")
APP_TOKEN = f"{APP.client_id}|{APP.client_secret}"
Reply = tuple[int, dict[str, str], str]
Row = dict[str, Any]

_PAGE = 25  # rows on a page where nobody says how many
_VERSION = re.compile(r"^v\d+\.\d+/?")
_FIELD = re.compile(r"(?P<name>\w+)(?P<modifiers>(?:\.\w+\([^()]*\))*)(?P<brace>\{)?")


def iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def error(code: int, message: str, subcode: int | None = None, status: int = 400, **more: Any) -> tuple[int, Row]:
    body = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "A1b2", **more}
    return status, {"error": body | ({} if subcode is None else {"error_subcode": subcode})}


GONE = error(100, "Unsupported get request. Object with ID '1' does not exist", 33, type="GraphMethodException")


@dataclass
class Wire:
    """`page` rows at most on a page. `tokens`: whose node "me" is, by token."""

    page: int = 100
    bare: set[str] = field(default_factory=set)  # edges that have cursors and never a `next`
    nodes: dict[str, Row] = field(default_factory=dict)
    edges: dict[str, list[str]] = field(default_factory=dict)  # "123/feed" -> ids
    hidden: set[str] = field(default_factory=set)  # there, but not indexed yet: lists do not serve them
    foreign: set[str] = field(default_factory=set)  # served in lists, and to nobody who asks for them by id
    tokens: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)  # answers to give first, whatever is asked
    refused: dict[str, tuple[int, Row]] = field(default_factory=dict)  # by path: what is answered there
    sent: list[requests.PreparedRequest] = field(default_factory=list)
    forgotten: bool = False  # Meta no longer knows the cursors that it gave
    subscriptions: list[Row] = field(default_factory=list)
    reachable: bool = True  # our callback answers Meta's question
    asked: list[tuple[str, str]] = field(default_factory=list)  # edge or node, and the fields asked for

    def put(self, node_id: str, *edges: str, **row: Any) -> str:
        """A node, listed on these edges. Returns its id."""
        self.nodes[node_id] = {"id": node_id, **row}
        for edge in edges:
            self.edges.setdefault(edge, []).append(node_id)
        return node_id

    def drop(self, node_id: str) -> None:
        del self.nodes[node_id]
        for ids in self.edges.values():
            if node_id in ids:
                ids.remove(node_id)

    def serve(self, mock: responses.RequestsMock) -> None:
        for method in (responses.GET, responses.POST, responses.DELETE):
            mock.add_callback(method, re.compile(re.escape(API)), self._answer)

    def calls(self, method: str, path: str) -> list[dict[str, str]]:
        """The parameters of every call to a path, in order."""
        found = [request for request in self.sent if request.method == method and self._path(request) == path]
        return [_flat(str(each.body or "") if method == "POST" else urlsplit(str(each.url)).query) for each in found]

    # --- answering --------------------------------------------------------------------------------------------

    def _answer(self, request: requests.PreparedRequest) -> Reply:
        self.sent.append(request)
        if self.replies:
            return self.replies.pop(0)
        path, token = self._path(request), str(request.headers.get("Authorization", "")).removeprefix("Bearer ")
        query = _flat(str(request.body or "") if request.method == "POST" else urlsplit(str(request.url)).query)
        proof = hmac.new(APP.client_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if token and query.pop("appsecret_proof", proof) != proof:
            status, body = error(100, "Invalid appsecret_proof provided in the API argument")
        elif path == "":
            status, body = 200, self._batch(query, token)  # type: ignore[assignment]
        else:
            status, body = self._route(str(request.method), path, query, token)
        return status, {"Content-Type": "application/json", **self.headers}, json.dumps(body)

    def _path(self, request: requests.PreparedRequest) -> str:
        return _VERSION.sub("", urlsplit(str(request.url)).path.strip("/"))

    def _batch(self, query: dict[str, str], token: str) -> list[Row | None]:
        assert query["access_token"] == token
        answers: list[Row | None] = []
        for call in json.loads(query["batch"]):
            split = urlsplit(call["relative_url"])
            status, body = self._route(call["method"], split.path, _flat(split.query), token)
            answers.append({"code": status, "body": json.dumps(body)})
        assert len(answers) <= 50
        return answers

    def _route(self, method: str, path: str, query: dict[str, str], token: str) -> tuple[int, Row]:
        node, _, edge = path.partition("/")
        if node == "me":
            node = self.tokens[token]
        path = f"{node}/{edge}" if edge else node
        if path in self.refused:
            return self.refused[path]
        if method == "POST":
            return self._set(path, query)
        if method == "DELETE":
            assert path.endswith("/subscribed_apps")
            self.edges[path] = []
            return 200, {"success": True}
        if path == f"{APP.client_id}/subscriptions":
            return (200, {"data": self.subscriptions}) if token == APP_TOKEN else error(15, "App token needed")
        if edge and node not in self.nodes and path not in self.edges:
            return GONE
        if edge:
            return self._edge(path, query)
        if node == "debug_token":
            assert query["input_token"] in self.tokens
            return 200, self.nodes[node]
        self.asked.append((node, query.get("fields", "")))
        if node not in self.nodes or node in self.foreign:
            return GONE
        return 200, self._select(self.nodes[node], query.get("fields", "id"))

    def _set(self, path: str, query: dict[str, str]) -> tuple[int, Row]:
        if path == "oauth/access_token":
            long = query["grant_type"] == "fb_exchange_token"
            token = USER_TOKEN if long else SHORT_TOKEN
            return 200, {"access_token": token, "token_type": "bearer", "expires_in": 5183944 if long else 5400}
        if path == f"{APP.client_id}/subscriptions":
            if not self.reachable:
                return error(
                    2200, "(#2200) Callback verification failed with the following errors: HTTP Status Code = 502"
                )
            names = [{"name": name, "version": "v25.0"} for name in query["fields"].split(",")]
            row = {"object": query["object"], "callback_url": query["callback_url"], "fields": names, "active": True}
            self.subscriptions = [each for each in self.subscriptions if each["object"] != query["object"]] + [row]
            return 200, {"success": True}
        assert path.endswith("/subscribed_apps")
        app_id = self.put(APP.client_id, subscribed_fields=query["subscribed_fields"].split(","))
        self.edges[path] = [app_id]
        return 200, {"success": True}

    def _edge(self, path: str, query: Mapping[str, str]) -> tuple[int, Row]:
        if query.get("after") and self.forgotten:
            return error(100, "(#100) Invalid cursor")
        self.asked.append((path, query.get("fields", "")))
        fields = query.get("fields", "id")
        plain = path.endswith(("subscribed_apps", "permissions"))  # come with all their fields
        return 200, self._list(path, "*" if plain else fields, int(query.get("limit", _PAGE)), query.get("after"))

    def _list(self, path: str, fields: str, limit: int, after: str | None = None) -> Row:
        rows = [self.nodes[each] for each in self.edges.get(path, ()) if each not in self.hidden]
        rows.sort(key=_when, reverse=True)
        ids = [row["id"] for row in rows]
        begin = ids.index(after.removeprefix("after-")) + 1 if after else 0
        chosen = rows[begin : begin + min(limit, self.page)]
        body: Row = {"data": [self._select(row, fields) for row in chosen]}
        if chosen:
            body["paging"] = {"cursors": {"before": f"before-{chosen[0]['id']}", "after": f"after-{chosen[-1]['id']}"}}
            if begin + len(chosen) < len(rows) and path.rpartition("/")[2] not in self.bare:
                body["paging"]["next"] = f"{API}/v25.0/{path}?access_token={TOKEN}&after=after-{chosen[-1]['id']}"
        return body

    def _select(self, row: Row, fields: str) -> Row:
        if fields == "*":
            return row
        chosen: Row = {"id": row["id"]} if "id" in row else {}
        for name, modifiers, inner in expanded(fields):
            edge = f"{row.get('id')}/{name}"
            if edge in self.edges:
                chosen[name] = self._list(edge, inner or "id", int(modifiers.get("limit", _PAGE)))
            elif isinstance(row.get(name), dict) and inner:
                chosen[name] = self._select(row[name], inner)
            elif name in row:
                chosen[name] = row[name]
        return chosen


def expanded(fields: str) -> list[tuple[str, dict[str, str], str]]:
    """Field expansion taken apart: name, modifiers, what stands in the braces."""
    found, at = [], 0
    while at < len(fields):
        match = _FIELD.match(fields, at)
        assert match is not None, f"not a list of fields: {fields[at:]}"
        at, inner = match.end(), ""
        if match["brace"]:
            end = _closing(fields, at)
            inner, at = fields[at:end], end + 1
        found.append((match["name"], dict(re.findall(r"\.(\w+)\(([^()]*)\)", match["modifiers"])), inner))
        assert at == len(fields) or fields[at] == ",", fields
        at += 1
    return found


def _closing(text: str, at: int) -> int:
    depth = 1
    while True:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
        at += 1


def _when(row: Row) -> str:
    return str(row.get("created_time") or row.get("timestamp") or row.get("updated_time") or "")


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
