"""Reading what has changed from a list of Pipedrive's, by `update_time`, with its own cursor inside a walk.

The cursor is a place in the order of the list (a stamp and an id), so that a bulk edit of many rows in one second is walked like any
other. Should Pipedrive not take one back, the walk goes on from the stamp of the last row. A change may show a little after its stamp: each walk
begins a while before the newest change that was seen, until that one is itself old enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from integrations.crm.pipedrive.api import API, Row, readable
from integrations.crm.pipedrive.fields import seconds
from integrations.errors import InvalidRequestError, UnexpectedResponseError
from integrations.walking import Position, behind, too_late

PASSED_OVER = "Pipedrive served a record that could not be read, so it was passed over."


def walk(
    api: API, path: str, start: Position, now: Callable[[], float], params: Mapping[str, Any]
) -> Iterator[tuple[list[Row], Position, list[str]]]:
    """Pages of rows, oldest change first, each with the position to go on from and notes for people; the last one's is at rest. A
    position's `id` is the stamp of the last row and Pipedrive's cursor."""
    here, first = start.started(now()), True
    while here.at is not None:
        last, cursor = _parted(here)
        try:
            rows, following = api.page(path, cursor, **{**params, **_since(here.at)})
        except InvalidRequestError:
            if cursor is None or last <= here.at:
                raise
            here = replace(here, at=last, id=None)
            continue
        late = behind(now(), api.clock())
        if first and too_late(start, late):
            here, first = start.started(now(), late), False
            continue
        here, first = here.heard(late), False
        found = readable(rows)
        stamps = [stamp for row in found if (stamp := seconds(row)) is not None]
        here = here.saw(max(stamps, default=0), now())
        if following is not None and following == cursor:  # else we would ask the same question for ever
            raise UnexpectedResponseError("Pipedrive's list does not move on")
        place = f"{max(stamps, default=last)}:{following}" if following else None
        here = replace(here, at=here.at if following else None, id=place)
        yield found, here, [PASSED_OVER] if len(found) < len(rows) else []


def _since(at: int) -> dict[str, Any]:
    order = {"sort_by": "update_time", "sort_direction": "asc"}
    if at <= 0:
        return order
    return {**order, "updated_since": datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}


def _parted(here: Position) -> tuple[int, str | None]:
    stamp, _, cursor = (here.id or "").partition(":")
    return (int(stamp), cursor) if stamp.isascii() and stamp.isdigit() and cursor else (0, None)
