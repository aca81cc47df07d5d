"""What all calls of one connection share: the account, its clock, and which author wrote which post."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import requests

from integrations.errors import (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    SpendingLimitError,
    TemporaryError,
    UnexpectedResponseError,
    UnreachableError,
)
from integrations.provider import Access
from integrations.records import Author, Engagement, Kind
from integrations.social.x import parse
from integrations.social.x.calls import BATCH, DIRECT, TWEETS, USER_FIELDS, Answer, Calls, alone, answer

POST, MESSAGE, PROFILE = "post", "dm_event", "user"  # names of the prices
# X answered and refused, or was not even reached, so nothing was returned, and nothing is billed. (Of a lost answer nobody knows.)
_REFUSED = (
    AuthenticationError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    UnreachableError,
)


class Reader:
    """Reads X's answers as one connected account."""

    def __init__(self, access: Access) -> None:
        self.calls = Calls(access.hosts["api"], str(access.credentials.get("access_token") or ""))
        self.since = access.since
        self.now = access.now or (lambda: datetime.now(UTC))
        self.writers: dict[str, str] = {}  # post id -> author id, of all that was seen
        self.web = access.hosts["web"].rstrip("/")
        self._account = access.account
        self._meter = access.meter
        self._wanted = access.wanted
        self._listed = list(access.listed)
        self._met: dict[str, Mapping[str, Any]] = {}  # profiles that were bought
        # Where somebody says which profiles are worth their price, nothing else comes along with the rows.
        self.posts = TWEETS if access.wanted is None else alone(TWEETS)
        self.direct = DIRECT if access.wanted is None else alone(DIRECT)

    @property
    def pays(self) -> bool:
        """Whether somebody counts what is bought."""
        return self._meter is not None

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
        return self.bought(POST, lambda _: typed(self.calls.get_tweets(list(ids), **self.posts)), len(ids), len(ids))

    def bought(
        self, price: str, call: Callable[[int], requests.Response], most: int = BATCH, least: int = 1, prefix: str = ""
    ) -> Answer:
        """A call that brings at most as many rows as it is told, and what that costs. Rows are billed under their ids, with
        `prefix` before. Raises SpendingLimitError."""
        if self._meter is None:
            return answer(call(most))
        count = self._meter.ask(price, most, least)
        try:
            found = answer(call(count))
        except (*_REFUSED, TemporaryError) as error:
            if isinstance(error, _REFUSED) or error.refused:
                self._meter.void(price)
            raise
        # A row that cannot be read is billed all the same.
        self._meter.tell(price, [prefix + str(_id(row) or f"row {index}") for index, row in enumerate(found.rows)])
        return found

    def counted(self, price: str, reads: int) -> Mapping[str, int]:
        """What a page says that it cost: nothing where a meter knows it better."""
        return {price: reads} if self._meter is None else {}

    def read(
        self, found: Answer, rows: Callable[[Sequence[Any], parse.View], parse.Read], floor: Kind = Kind.CONTEXT
    ) -> tuple[Answer, parse.View, parse.Read]:
        """What an answer's rows say, read by `rows`: once more where profiles of their authors were worth buying, so that the posts have
        them. With the answer and the view that it was read by."""
        view = self.view(found, floor)
        read = rows(found.rows, view)
        known = self.introduced(found, read.items)
        if known is found:
            return found, view, read
        view = self.view(known, floor)
        return known, view, rows(known.rows, view)

    def introduced(self, found: Answer, items: Sequence[Engagement]) -> Answer:
        """The answer with the profiles of those authors who are worth the price, by what their posts say."""
        if self._wanted is None:
            return found
        known = {self.me.id, *self._met, *found.users}
        new = [item for item in items if item.author.id not in known]
        ids = sorted(set(self._wanted(new)) - known) if new else []
        self._met |= self._colleagues(items)
        for start in range(0, len(ids), BATCH):
            self._met |= self._profiles(ids[start : start + BATCH])
        return replace(found, users={**self._met, **found.users}) if self._met else found

    def _colleagues(self, items: Sequence[Engagement]) -> dict[str, Mapping[str, Any]]:
        """Profiles of colleagues who are known by their handles alone, once somebody else's post is there that may be theirs."""
        if not self._listed or all(item.author.id == self.me.id for item in items):
            return {}
        named, self._listed = self._listed[:BATCH], self._listed[BATCH:]
        return dict(self._profiles(named, by="usernames"))

    def _profiles(self, names: Sequence[str], by: str = "ids") -> Mapping[str, Mapping[str, Any]]:
        def call(_: int) -> requests.Response:
            return typed(self.calls.get_users(**{by: list(names)}, user_auth=False, user_fields=USER_FIELDS))

        try:
            rows = dicts(self.bought(PROFILE, call, len(names), len(names)).rows)
        except (SpendingLimitError, PermissionDeniedError):
            # The posts are paid for, and kept under bare ids: the next call says that the limit is reached, and whoever is gone, or
            # not for us, comes as an error alone.
            return {}
        return {str(row["id"]): row for row in rows if row.get("id")}

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


def _id(row: Any) -> Any:
    return row.get("id") if isinstance(row, dict) else None


def dicts(rows: Sequence[Any]) -> list[Mapping[str, Any]]:
    """The rows that are objects at all."""
    return [row for row in rows if isinstance(row, dict)]


def day(at: datetime) -> str:
    """A day as a person reads it, in UTC: "5 March 2026"."""
    return f"{at.day} {at:%B %Y}"


def _references(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = row.get("referenced_tweets") or row.get("referenced_posts")
    return dicts(found) if isinstance(found, list) else []
