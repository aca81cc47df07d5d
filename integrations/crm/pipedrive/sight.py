"""Whether persons who stand in no list any more are gone, or only out of sight of the user who connected.

Pipedrive lists nobody whom the visibility of persons, or of a user's group, hides from that user, and says so of none. So some of those who
were there are kept by id: those of them who are missing from the next list are asked for one by one. What is said of a deleted person
(for 30 days: "is_deleted") is in the published contract; what of one out of sight (403, or 404 as of one who never was) is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from integrations.crm.pipedrive.api import API, IDS, PERSON, PERSONS, Row
from integrations.errors import NotFoundError, PermissionDeniedError

KEPT = IDS  # as many as one call tells of
ASKED = 10  # of those who are missing, a call each
# Of whom no trace is left is believed to be gone where that is one alone, or no more than one in so many: a person can be erased at once.
FEW = 5
TOLD = 30 * 86_400.0  # seconds for which it is said of a deleted person that they are

NOBODY = "Pipedrive listed no person at all, so nobody was taken for deleted. See whether whoever connected it may still see persons there."
CUT_SHORT = "Pipedrive's list of persons ended before its end, so nobody after that was taken for deleted."
OUT_OF_SIGHT = (
    "Pipedrive no longer shows some of its persons to whoever connected it, so nobody is taken for deleted until it does. Connect Pipedrive"
    " again as somebody who sees everybody's persons, or let that user see them (in Pipedrive's settings, under Visibility groups)."
)
DOUBTS = (NOBODY, CUT_SHORT, OUT_OF_SIGHT)
_DELETED, _THERE, _HIDDEN, _UNKNOWN = "deleted", "there", "hidden", "unknown"


def known(value: object) -> list[int]:
    """The ids that `some` returned, out of a cursor; anything else is left out."""
    whole = (
        [each for each in value if isinstance(each, int) and not isinstance(each, bool)]
        if isinstance(value, list)
        else []
    )
    return [each for each in whole if 0 < each < 2**63][:KEPT]


def some(ids: Iterable[int], rows: Sequence[Row]) -> list[int]:
    """As many of these persons as are kept, spread over all of them, and the same ones whatever order they come in."""
    return sorted({*ids, *(row["id"] for row in rows)}, key=_shuffled)[:KEPT]


def _shuffled(person: int) -> int:
    return person * 2_654_435_761 % 2**32  # Knuth's multiplicative hash


def doubt(
    api: API, before: Sequence[int], listed: Sequence[Row], whole: bool, turn: int, since: float
) -> tuple[str | None, Sequence[int]]:
    """Why nobody is to be taken for gone, as a sentence for people (None: whoever is missing from the list is gone), and whom of `before`
    not to know any more, as they were deleted: while others stay out of sight, 30 days pass, and then no trace of these is left. `before` are
    some of those who were there, `listed` is the first page of the list, or all of it (`whole`), `turn` how often there was doubt already,
    so that others are asked for each time, and `since` how many seconds ago that list was looked at before: where that is longer than
    Pipedrive tells of whom it deleted, that it knows nothing of somebody says nothing, unless nobody is listed at all."""
    rows = listed if whole else api.by_id(PERSONS, [str(each) for each in before])
    there = {row["id"] for row in rows if row.get("is_deleted") is not True}
    missing = [each for each in before if each not in there]
    start = turn * ASKED % max(1, len(missing))
    asked = {each: _told(api, each) for each in [*missing[start:], *missing[:start]][:ASKED]}
    told, deleted = list(asked.values()), [each for each, said in asked.items() if said == _DELETED]
    without_trace = (
        len(missing) * told.count(_UNKNOWN) / max(1, len(told))
    )  # of all who are missing, as of those who were asked for
    told_of = since < TOLD or not listed
    many = told_of and without_trace * FEW > len(before) and without_trace > (1 if listed else 0)
    if not many and not {_THERE, _HIDDEN} & set(told):
        return None, deleted
    if not listed:
        return NOBODY, deleted
    return (CUT_SHORT if _THERE in told and _HIDDEN not in told else OUT_OF_SIGHT), deleted


def _told(api: API, person: int) -> str:
    try:
        row = api.call("GET", PERSON, id=person)["data"]
    except NotFoundError:
        return _UNKNOWN
    except PermissionDeniedError:
        return _HIDDEN
    if not isinstance(row, dict):
        return _UNKNOWN
    return _DELETED if row.get("is_deleted") is True else _THERE
