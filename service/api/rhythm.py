"""Rhythm: how regular each account is, and how much of what it writes is talk."""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from service import settings
from service.api.answers import Id, Instant, Number, Text, about, answer
from service.api.auth import caller
from service.api.noun import Noun
from service.clock import business_now
from service.runtime import runtime
from service.store.paging import Row
from service.store.rhythm import Rhythm, rhythms

rhythm = Noun(
    "rhythm", "How regular each account is, and which share of its own posts are broadcasts rather than conversation."
)


class AccountRhythmSchema(Schema):
    """One connected account. Only posts that its network has served are counted."""

    connection_id = Id()
    provider = Text()
    handle = Text()
    posts = Number(metadata=about("Own posts: answers and private messages among them."))
    broadcasts = Number(metadata=about("Those that speak to nobody in particular."))
    broadcast_share = fields.Float(
        required=True, allow_none=True, metadata=about("broadcasts of posts, 0 to 1; null: there are no posts.")
    )
    days = Number(metadata=about("Days on which it wrote, in the workspace's time zone."))
    weeks = Number(metadata=about("Of the weeks looked at, those in which it wrote."))
    longest_pause_days = fields.Float(required=True)


class RhythmSchema(Schema):
    since = Instant()
    until = Instant()
    weeks = Number(metadata=about("How many weeks are looked at, the last one begun or not."))
    accounts = fields.List(fields.Nested(AccountRhythmSchema), required=True)


class RhythmQuery(Schema):
    days = fields.Integer(
        load_default=90, validate=validate.Range(7, 366), metadata=about("How many days are looked at.")
    )


@rhythm.get("", query=RhythmQuery, returns=RhythmSchema)
def show(query: dict[str, Any]) -> Response:
    """How regularly each account writes, and to whom"""
    who, until = caller(), business_now()
    since = until - timedelta(days=query["days"])
    with runtime().db.tenant(who.workspace_id) as session:
        zone = settings.policy(settings.current(session, who.workspace_id)).timezone
        found = rhythms(session, who.workspace_id, since=since, until=until, timezone=zone)
    accounts = [_account(each) for each in found]
    return answer({"since": since, "until": until, "weeks": ceil(query["days"] / 7), "accounts": accounts})


def _account(each: Rhythm) -> Row:
    return {
        "connection_id": each.connection_id,
        "provider": each.provider,
        "handle": each.handle,
        "posts": each.posts,
        "broadcasts": each.broadcasts,
        "broadcast_share": round(each.broadcasts / each.posts, 4) if each.posts else None,
        "days": each.days,
        "weeks": each.weeks,
        "longest_pause_days": round(each.longest_pause / timedelta(days=1), 2),
    }
