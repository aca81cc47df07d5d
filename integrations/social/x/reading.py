"""What all calls of one connection share: the account, its clock, and which author wrote which post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import requests

from integrations.errors import UnexpectedResponseError
from integrations.provider import Access
from integrations.records import Author, Engagement, Kind
from integrations.social.x import parse
from integrations.social.x.calls import TWEETS, USER_FIELDS, Answer, Calls, answer


class Reader:
    """Reads X's answers as one connected account."""

    def __init__(self, access: Access) -> None:
        self.calls = Calls(access.hosts["api"], str(access.credentials.get("access_token") or ""))
        self.since = access.since
        self.now = access.now or (lambda: datetime.now(UTC))
        self.writers: dict[str, str] = {}  # post id -> author id, of all that was seen
        self.web = access.hosts["web"].rstrip("/")
        self._account = access.account

    @property
    def me(self) -> Author:
        """Who we are there."""
        if self._account is None:
            self._account = self.whoami()
        return self._account

    def whoami(self) -> Author:
        """The account that the token belongs to, asked of X."""
        found = answer(typed(self.calls.get_me(user_auth=False, user_fields=USER_FIELDS)))
        try:
            return parse.author(found.rows[0], self.web)
        except (IndexError, AttributeError, KeyError, TypeError, ValueError):
            raise UnexpectedResponseError("X answered without saying whose token this is") from None

    def lookup(self, ids: Sequence[str]) -> Answer:
        """Up to a hundred posts by id."""
        return answer(typed(self.calls.get_tweets(list(ids), **TWEETS)))

    def view(self, found: Answer, floor: Kind = Kind.CONTEXT) -> parse.View:
        """How to read an answer, after learning from it who wrote what."""
        for row in (*dicts(found.rows), *found.posts.values()):
            if row.get("id") and row.get("author_id"):
                self.writers[str(row["id"])] = str(row["author_id"])
        return parse.View(self.me, self.web, found.users, found.posts, self.writers, floor)

    def included(self, found: Answer, view: parse.View) -> tuple[Engagement, ...]:
        """The posts that the rows answer: they come along without a further call, and a thread is read by them."""
        rows = dicts(found.rows)
        parents = {str(each.get("id")) for row in rows for each in _references(row) if each.get("type") == "replied_to"}
        served = {str(row.get("id")) for row in rows}
        wanted = [found.posts[each] for each in sorted(parents - served) if each in found.posts]
        try:
            return parse.posts(wanted, replace(view, floor=Kind.CONTEXT)).items
        except UnexpectedResponseError:
            return ()  # only the extras cannot be read; they are asked for by id when they are missed


def typed(response: Any) -> requests.Response:
    """tweepy has no types; this is where its answers get one."""
    assert isinstance(response, requests.Response)
    return response


def dicts(rows: Sequence[Any]) -> list[Mapping[str, Any]]:
    """The rows that are objects at all."""
    return [row for row in rows if isinstance(row, dict)]


def day(at: datetime) -> str:
    """A day as a person reads it, in UTC: "5 March 2026"."""
    return f"{at.day} {at:%B %Y}"


def _references(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = row.get("referenced_tweets") or row.get("referenced_posts")
    return dicts(found) if isinstance(found, list) else []
