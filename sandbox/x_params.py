"""What stands in the query of a call to X: read, checked, and named in the refusal where it is wrong."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from typing import Any

from flask import request

from sandbox.clock import parse_ms
from sandbox.x_errors import invalid

# Names that the contract has and we keep nothing for; asking for them is no error.
IDLE = {
    "tweet.fields": frozenset(
        [
            "article",
            "attachments",
            "card_uri",
            "community_id",
            "context_annotations",
            "display_text_range",
            "edit_controls",
            "geo",
            "media_metadata",
            "non_public_metrics",
            "organic_metrics",
            "paid_partnership",
            "possibly_sensitive",
            "promoted_metrics",
            "public_metrics",
            "reply_settings",
            "scopes",
            "source",
            "withheld",
        ]
    ),
    "user.fields": frozenset(
        [
            "affiliation",
            "connection_status",
            "is_identity_verified",
            "most_recent_tweet_id",
            "parody",
            "pinned_tweet_id",
            "profile_banner_url",
            "profile_image_url",
            "receives_your_dm",
            "subscription",
            "subscription_type",
            "verified_followers_count",
            "withheld",
        ]
    ),
    "dm_event.fields": frozenset({"attachments", "referenced_tweets"}),
    "expansions": frozenset(
        [
            "attachments.media_keys",
            "attachments.media_source_tweet",
            "attachments.poll_ids",
            "geo.place_id",
            "article.cover_media",
            "article.media_entities",
            "entities.note.mentions.username",
            "referenced_tweets.id.attachments.media_keys",
        ]
    ),
}


def names(parameter: str, known: frozenset[str], default: frozenset[str]) -> frozenset[str]:
    """A list of names out of the query, with the defaults that are always there. Raises XError."""
    value = request.args.get(parameter, "")
    asked = frozenset(value.split(",")) if value else frozenset()
    allowed = known | IDLE.get(parameter, frozenset())
    for name in asked - allowed:
        message = f"The `{parameter}` query parameter value [{name}] is not one of [{','.join(sorted(allowed))}]"
        raise invalid(parameter, name, message)
    return (asked & known) | default


def number(parameter: str, low: int, high: int, default: int) -> int:
    value = request.args.get(parameter)
    if value is None:
        return default
    if not value.isdigit() or not low <= int(value) <= high:
        raise invalid(
            parameter, value, f"The `{parameter}` query parameter value [{value}] is not between {low} and {high}"
        )
    return int(value)


def id_of(parameter: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", value):
        raise invalid(parameter, value, f"The `{parameter}` query parameter value [{value}] is not valid")
    return min(int(value), 2**63 - 1)


def ids_of(parameter: str) -> list[int]:
    value = request.args.get(parameter, "")
    ids = value.split(",")
    if not value or len(ids) > 100:
        raise invalid(
            parameter,
            value[:100],
            f"The number of values in the `{parameter}` query parameter is not between 1 and 100",
        )
    return [id_of(parameter, one) for one in ids]


def window() -> tuple[str, list[Any]]:
    """The condition that since_id, until_id, start_time and end_time make on `f.id` and `f.created_at`."""
    conditions, values = [], []
    for parameter, condition in (("since_id", "f.id > ?"), ("until_id", "f.id < ?")):
        if (value := request.args.get(parameter)) is not None:
            conditions.append(condition)
            values.append(id_of(parameter, value))
    for parameter, condition in (("start_time", "f.created_at >= ?"), ("end_time", "f.created_at < ?")):
        if (value := request.args.get(parameter)) is not None:
            conditions.append(condition)
            values.append(time_of(parameter, value))
    return "".join(f" AND {condition}" for condition in conditions), values


def time_of(parameter: str, value: str) -> int:
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
        try:
            return parse_ms(value)
        except ValueError:
            pass
    raise invalid(parameter, value, f"The `{parameter}` query parameter value [{value}] is not YYYY-MM-DDTHH:mm:ssZ")


@dataclass(frozen=True)
class Place:
    """Where a page begins: after (at, id), never past the floor, which the first page fixed."""

    at: int = 2**62
    id: int = 2**62
    floor_at: int = -(2**62)
    floor_id: int = 0

    def token(self) -> str:
        return (
            base64.urlsafe_b64encode(json.dumps([self.at, self.id, self.floor_at, self.floor_id]).encode())
            .decode()
            .rstrip("=")
        )


def place_of(*parameters: str) -> Place | None:
    """The place that a page token names, or None for the first page. Raises XError."""
    for parameter in parameters:
        if (token := request.args.get(parameter)) is not None:
            try:
                at, id_, floor_at, floor_id = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
                return Place(int(at), int(id_), int(floor_at), int(floor_id))
            except (ValueError, TypeError) as error:
                message = f"The `{parameter}` query parameter value [{token[:80]}] is not valid"
                raise invalid(parameter, token[:80], message) from error
    return None
