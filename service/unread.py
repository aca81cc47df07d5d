"""Which streams of a connection are not read though they should be: behind limits without an end, or with nobody who reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from integrations.provider import RECHECK, Stream
from integrations.registry import AnyProvider, providers
from service.rules import polling

Row = Mapping[str, Any]

MISSED = 4  # of the longest intervals that a stream may be left alone for, without a look: no quiet account is
OURS: Mapping[str, str] = {RECHECK: "edits and deletions"}  # streams that no manifest lists


@dataclass(frozen=True)
class Unread:
    """A stream that was not read for much longer than it may be left alone."""

    label: str
    since: datetime  # its last sign of life, real time
    limited: bool  # its provider asks us to wait
    lasting: bool  # for longer than any limit that we wait for

    @property
    def is_trouble(self) -> bool:
        """Whether this is no limit that passes."""
        return self.lasting or not self.limited


def manifest(provider: AnyProvider | None, name: str) -> Stream | None:
    """What the provider says of this stream; None where it lists no such stream, or this version has no such provider."""
    return next((each for each in provider.streams if each.name == name), None) if provider else None


def label(provider: AnyProvider | None, name: str) -> str:
    """How people call a stream."""
    found = manifest(provider, name)
    return found.label if found else OURS.get(name, name)


def late(connection: Row, now: datetime) -> list[Unread]:
    """Those of a connection, a row of `store.listing.connections`. What is frozen rests; what fails, is stopped, or waits for a ceiling
    says so itself."""
    if connection["status"] != "active" or connection.get("frozen"):
        return []
    provider = providers().get(connection["provider"])
    found = []
    for stream in connection["streams"]:
        since = _alive_at(connection, stream)
        most = MISSED * _longest(connection, manifest(provider, stream["name"]))
        if since is not None and now - since > most and _due(stream, now):
            lasting = now - since > most + polling.LONGEST_WAIT
            found.append(Unread(label(provider, stream["name"]), since, _limited(stream), lasting))
    return found


def in_trouble(connection: Row, now: datetime) -> bool:
    """Whether one of them is, for another reason than a limit that passes."""
    return any(each.is_trouble for each in late(connection, now))


def _due(stream: Row, now: datetime) -> bool:
    """Whether it is to be read now: not what has its next look before it, unless a limit has put that off."""
    if stream["status"] != "active" or stream["failures"] or stream.get("waits_for") == "ceiling":
        return False
    planned = stream["next_pull_at"] is not None and stream["next_pull_at"] > now
    return _limited(stream) or not planned


def _limited(stream: Row) -> bool:
    return stream.get("waits_for") == "rate_limit"


def _alive_at(connection: Row, stream: Row) -> datetime | None:
    """When it was last read or served anything (a long first pull stores pages before it ends), or when the connection was made or
    brought back: before that, nothing was to be read."""
    signs = (stream["last_pulled_at"], stream["last_item_at"], stream.get("served_at"), connection["status_at"])
    return max(filter(None, signs), default=None)


def _longest(connection: Row, found: Stream | None) -> timedelta:
    """The longest that a stream may be left alone: by its provider's pace, or the workspace's."""
    pace = polling.cap(found.every) if found else timedelta(0)
    return max(polling.LONGEST, pace, timedelta(seconds=connection.get("poll_seconds") or 0))
