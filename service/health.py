"""Is a connection working? One truthful sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from integrations.provider import RECHECK
from integrations.registry import handed_in
from service import unread
from service.naming import is_place, provider_name
from service.store import keeping
from service.when import ago, ahead, day, on

Row = Mapping[str, Any]


QUIET = timedelta(days=1)  # after this long without anything new, the line says since when
ITEM = {"social": "post", "crm": "change"}
_NEVER = datetime.min.replace(tzinfo=UTC)
ITEMS = {"social": "posts", "crm": "records"}
PROOF = timedelta(days=8)  # a week, after which every post is asked for again, and a day
BUDGET_HOLDS = timedelta(days=1)
LONG = timedelta(minutes=15)  # a limit that lasts longer is worth a sentence


class Light(StrEnum):
    """One word for how a connection is."""

    WELL = "well"  # something arrived, or was served again: reading works
    WAITING = "waiting"  # nothing is wrong, and nothing proves that all is well
    TROUBLE = "trouble"  # something is not read or written that should be
    OFF = "off"  # ended, paused or frozen


@dataclass(frozen=True)
class Health:
    """How a connection is. Instants are aware, in real time."""

    light: Light
    line: str
    advice: str  # what to do, in one sentence; "" where there is nothing to do
    proven_at: datetime | None  # when it was last proven that reading works: something arrived, new or known
    lag: timedelta | None  # what is younger than this may not have been read yet; None: nothing was read to its end yet
    next_pull_at: datetime | None
    budget: str  # how much the provider still serves, in one sentence; "" where it does not say


def line(connection: Row, now: datetime) -> str:
    """How a connection is, in one or two sentences. `connection` is a row of `store.listing.connections`, streams
    included; `now` is real time, in the zone in which dates are to be written."""
    name = provider_name(connection["provider"])
    resting = _resting(connection, name, now)
    sentences = [resting] if resting else _at_work(connection, name, now)
    return " ".join([*sentences, *_overdue(connection, name), *_preview(connection, resting)])


def _resting(connection: Row, name: str, now: datetime) -> str:
    """Why nothing is read there, where nothing is; else empty."""
    if connection["status"] == "disconnected":
        stays = f" {reason}" if (reason := connection["status_reason"]) else ""  # at the provider
        kept = f" for {keeping.CONTACTS_KEPT.days} days" if connection["kind"] == "crm" else ""
        return f"Disconnected{on(connection['status_at'], now)}. What was read is kept{kept}.{stays}"
    if connection["status"] == "leaving":
        trouble = connection.get("push_error") or ""
        return "Our open tasks there are being withdrawn; then it is disconnected." + (f" {trouble}" if trouble else "")
    if connection["status"] == "needs_reauth":
        return connection["status_reason"] or f"{name} no longer accepts this consent: reconnect."
    return str(connection.get("frozen") or "")


def _at_work(connection: Row, name: str, now: datetime) -> list[str]:
    """How reading and writing go."""
    streams = _read(connection)
    said = [_reading(connection, streams, name, now), *_waiting(streams, name, now), *_stopped(streams)]
    said += _unread(connection, name, now)
    return said + _following(connection, streams, now) + _writing(connection, name, now)


def _preview(connection: Row, resting: str) -> list[str]:
    if resting or not connection["preview"]:
        return []
    return ["It is in preview: nothing is written there until somebody approves."]


def of(connection: Row, now: datetime, cap: str = "") -> Health:
    """How a connection is, for a light and for programs. Arguments as for `line`; `cap` is what is left of what its provider caps for all
    of this installation, in a sentence."""
    active = [stream for stream in _read(connection) if stream["status"] == "active"]
    proven = max(filter(None, map(_served_at, connection["streams"])), default=None)
    looked = [stream["last_pulled_at"] for stream in active]
    behind = max(now - min(looked), timedelta(0)) if looked and all(looked) else None
    light, advice = _judged(connection, active, proven, now)
    following = min((stream["next_pull_at"] for stream in active if stream["next_pull_at"]), default=None)
    off = light is Light.OFF
    return Health(
        light,
        line(connection, now),
        advice,
        proven,
        None if off else behind,
        None if off else following,
        "" if off else " ".join(filter(None, (_budget(connection, now), cap))),
    )


def _budget(connection: Row, now: datetime) -> str:
    """What the provider said last that it still serves, unless it counts anew by now; of several things that it counts, the one of which
    least is left."""
    told = [each for stream in connection["streams"] if (each := stream.get("budget"))]
    newest = {each["what"]: each for each in sorted(told, key=lambda each: datetime.fromisoformat(each["at"]))}
    holding = [each for each in newest.values() if now < _counted_anew(each)]
    found = min(holding, key=_share_left, default=None)
    if found is None:
        return ""
    note = f" {found['note']}" if found.get("note") else ""
    if found["left"] is None:
        return f"No more than {found['most']:,} {found['what']} are served.{note}"
    return f"{found['left']:,} of {found['most']:,} {found['what']} are left.{note}"


def _counted_anew(budget: Row) -> datetime:
    told = budget.get("resets_at")
    return datetime.fromisoformat(told) if told else datetime.fromisoformat(budget["at"]) + BUDGET_HOLDS


def _share_left(budget: Row) -> float:
    return 1.0 if budget["left"] is None else budget["left"] / budget["most"]


def _judged(connection: Row, active: Sequence[Row], proven: datetime | None, now: datetime) -> tuple[Light, str]:
    """The first of these that holds, worst first."""
    name, steps = provider_name(connection["provider"]), connection.get("missing_steps") or ()
    handed = connection["provider"] in handed_in()
    stopped = [stream for stream in connection["streams"] if stream["status"] == "stopped"]
    failing = [stream for stream in connection["streams"] if stream["status"] == "active" and stream["failures"]]
    late = unread.late(connection, now)
    ceiling = [stream for stream in active if stream.get("waits_for") == "ceiling"]
    table = (
        (connection["status"] == "disconnected", Light.OFF, "Reconnect the account to go on."),
        (connection["status"] == "needs_reauth", Light.TROUBLE, "Reconnect the account."),
        (connection["status"] == "leaving", Light.OFF, ""),
        (bool(connection.get("frozen")), Light.OFF, _thaw(connection)),
        (handed, Light.WELL if proven else Light.WAITING, "" if proven else "Hand a first post in, through the API or by hand."),
        (bool(stopped), Light.TROUBLE, f"Mend at {name} what is named above, then reconnect the account."),
        (any(stream["failures"] > A_FEW for stream in failing), Light.TROUBLE,
         f"It is tried again by itself; if it stays like this, see whether {name} is up, and reconnect the account."),
        (unwritten(connection) and connection["push_failures"] > A_FEW, Light.TROUBLE,
         f"Tasks go on by themselves once {name} takes them. See whether it is up and lets us write there, and reconnect the account."),
        (any(not each.limited for each in late), Light.TROUBLE, "Whoever runs Warmline sees with `warmline doctor` what keeps it from reading."),
        (bool(late), Light.TROUBLE if any(each.is_trouble for each in late) else Light.WAITING,
         f"It is tried again by itself; see at {name} how much the app and its plan may still read."),
        (bool(steps), Light.WAITING, _sentence(str(steps[0])) if steps else ""),
        (bool(ceiling), Light.WAITING, "Raise the ceiling, or wait for the next month."),
        (bool(connection.get("overdue")), Light.WAITING, "Close the tasks that rest on them, or give reading more money."),
        (bool(failing) or unwritten(connection) or _held_up(connection, now) or connection["ready_at"] is None, Light.WAITING, ""),
        (proven is None or now - proven > PROOF, Light.WAITING, _PROVE[connection["kind"]]),
    )  # fmt: skip
    return next(((light, advice) for holds, light, advice in table if holds), (Light.WELL, ""))


A_FEW = 3  # failures in a row that may pass by themselves, within about a minute
_PROVE = {
    "social": "Nothing shows that reading works: mention the account from another one, and see whether that arrives.",
    "crm": "Nothing shows that reading works: change a contact in the CRM, and see whether that arrives.",
}


def _thaw(connection: Row) -> str:
    if connection.get("paused_at"):
        return "Resume it when it should go on."
    return f"Whoever runs Warmline brings it back with `warmline providers unfreeze {connection['provider']}`."


def _read(connection: Row) -> list[Row]:
    return [stream for stream in connection["streams"] if stream["name"] != RECHECK]


def _served_at(stream: Row) -> datetime | None:
    """When the provider last served anything of this stream: a sweep that brings known posts again proves as much as news."""
    return max(filter(None, (stream["last_item_at"], stream.get("served_at"))), default=None)


def _reading(connection: Row, streams: Sequence[Row], name: str, now: datetime) -> str:
    active = [stream for stream in streams if stream["status"] == "active"]
    if is_place(connection["provider"]):
        return "Its posts are handed in through the API; nothing is read here."
    if not active:
        return "Nothing is read from this account."
    looked = max((stream["last_pulled_at"] for stream in active if stream["last_pulled_at"]), default=None)
    if failing := [stream for stream in active if stream["failures"]]:
        return _failing(failing, looked, name, now)
    if connection["ready_at"] is None:
        total = sum(stream["items"] for stream in streams)
        return f"The first pull is under way: {total:,} {ITEMS[connection['kind']]} so far."
    arrived = max((stream["last_item_at"] for stream in streams if stream["last_item_at"]), default=None)
    item = ITEM[connection["kind"]]
    if arrived is not None and now - arrived < QUIET:
        return f"Last {item} arrived {ago(arrived, now)}."
    since = f"since {day(arrived, now)}" if arrived is not None else "yet"
    if not looked:
        return f"Nothing has arrived {since}."
    again = max(filter(None, (stream.get("served_at") for stream in connection["streams"])), default=None)
    proof = (
        f" What is known was served again {ago(again, now)}, so reading works."
        if again is not None and now - again < PROOF and (arrived is None or again > arrived)
        else ""
    )
    return f"Nothing has arrived {since}; last looked {ago(looked, now)}.{proof}"


def _failing(failing: Sequence[Row], looked: datetime | None, name: str, now: datetime) -> str:
    newest = max(failing, key=lambda stream: stream["error_at"] or _NEVER)
    since = f"last answer {ago(looked, now)}" if looked else "no answer yet"
    again = min((stream["next_pull_at"] for stream in failing if stream["next_pull_at"]), default=None)
    when = f" Trying again {ahead(again, now)}." if again else " Trying again."
    return f"{_sentence(newest['error'] or f'{name} is not answering')[:-1]} ({since}).{when}"


def unwritten(connection: Row) -> bool:
    """Whether a CRM that is in use took nothing when something was last written there, and something is due there still."""
    due = connection.get("next_push_at") is not None or connection.get("pushing")
    off = connection["status"] != "active" or connection.get("frozen")
    return bool(connection.get("push_failures") and due and not off)


def _held_up(connection: Row, now: datetime) -> bool:
    """Whether writing waits for a limit that lasts, and nothing is wrong."""
    due, off = connection.get("next_push_at"), connection["status"] != "active" or connection.get("frozen")
    waits = bool(connection.get("push_error")) and not connection.get("push_failures")
    return waits and not off and due is not None and due - now > LONG


def _writing(connection: Row, name: str, now: datetime) -> list[str]:
    """That writing fails, or has to wait for long, and why."""
    if _held_up(connection, now):
        why = _sentence(connection["push_error"])
        return [f"Writing to {name} waits and goes on {ahead(connection['next_push_at'], now)}. {why}"]
    if not unwritten(connection):
        return []
    why = f": {error.strip().rstrip('.')}" if (error := str(connection.get("push_error") or "")) else ""
    again = connection.get("next_push_at")
    when = f" Trying again {ahead(again, now)}." if again else " Trying again."
    return [f"Writing to {name} fails{why}. What is due there waits here.{when}"]


def _waiting(streams: Sequence[Row], name: str, now: datetime) -> list[str]:
    """What is waited for, each reason once: the ceiling's own sentence, and a limit that lasts."""
    active = [stream for stream in streams if stream["status"] == "active"]
    said = [_sentence(stream["error"]) for stream in active if stream.get("waits_for") == "ceiling" and stream["error"]]
    limited = [
        stream["next_pull_at"]
        for stream in active
        if stream.get("waits_for") == "rate_limit" and stream["next_pull_at"]
    ]
    if limited and max(limited) - now > LONG:
        said.append(f"{name} has us wait; reading goes on {ahead(max(limited), now)}.")
    return list(dict.fromkeys(said))


def _overdue(connection: Row, name: str) -> list[str]:
    """Texts that are kept for the sake of something open, and could not be checked in time."""
    number = connection.get("overdue") or 0
    if not number:
        return []
    texts = "1 text has" if number == 1 else f"{number:,} texts have"
    return [f"{texts} not been checked for edits and deletions as soon as {name} asks; open tasks rest on that."]


def _stopped(streams: Sequence[Row]) -> list[str]:
    """Why some streams are not read, each reason once."""
    return list(
        dict.fromkeys(
            _sentence(stream["error"]) for stream in streams if stream["status"] == "stopped" and stream["error"]
        )
    )


def _unread(connection: Row, name: str, now: datetime) -> list[str]:
    """Since when streams are not read that should be, those together of which the same is said."""
    found: dict[str, list[str]] = {}
    for each in unread.late(connection, now):
        why = f", as {name} has us wait" if each.limited else ""
        found.setdefault(f"Not read since {day(each.since, now)}, {ago(each.since, now)}{why}", []).append(each.label)
    return [f"{words}: {', '.join(labels)}." for words, labels in found.items()]


def _following(connection: Row, streams: Sequence[Row], now: datetime) -> list[str]:
    """That posts and tasks which were read are not asked for again, and why; unless the same is said of reading."""
    said = {stream["error"] for stream in streams if stream["failures"] or stream["status"] == "stopped"}
    return [
        _unfollowed(sweep, now)
        for sweep in connection["streams"]
        if sweep["name"] == RECHECK
        and (sweep["failures"] or sweep["status"] == "stopped")
        and not (sweep["error"] and sweep["error"] in said)
    ]


def _unfollowed(sweep: Row, now: datetime) -> str:
    why = f": {_sentence(sweep['error'])[:-1]}" if sweep["error"] else ""
    again = f" Trying again {ahead(sweep['next_pull_at'], now)}." if sweep["next_pull_at"] else ""
    return f"Edits and deletions are not followed{why}.{again}"


def _sentence(words: str) -> str:
    clean = words.strip().rstrip(".")
    return f"{clean[:1].upper()}{clean[1:]}."
