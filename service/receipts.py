"""The receipt of an erasure, in sentences: what went, what stays where, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from service import health

Row = Mapping[str, Any]
WAITING = ("active", "leaving", "needs_reauth")  # connections that will be told, sooner or later

_WENT = (
    ("posts", "{n} {posts} of theirs were erased here, and what was read from them."),
    ("answers", "{n} {posts} of yours that answered them were erased here. On the network they stay: delete them there."),
    ("named", "{n} {posts} by others name them by an id no more. The words are these people's own, and stay."),
    ("authors", "{n} {profiles} and the keys made from them were erased."),
    ("conversations", "{n} {conversations} with them went, with the reasons that were found."),
    ("relationships", "How far you had come with them went, with its history and score."),
    ("matches", "{n} {matches} with contacts went, with the evidence."),
    ("links", "{n} logged {activities} are no longer tied to them. The times stay: they shield your colleagues' calendars."),
    ("contacts", "The copy of {n} CRM {contacts} was erased here. In the CRM the contact is yours to delete: Warmline never deletes one."),
    ("written", "A handle that Warmline had written into the CRM contact stays there as part of it."),
)  # fmt: skip
_TASKS = (
    ("withdrawn", "{n} open {tasks} were taken out of the CRM."),
    ("redacted", "{n} closed {tasks} in the CRM stay as your history and say nothing of them any more."),
    ("theirs", "{n} {tasks} in the CRM were changed by people. What they wrote stays; read these and delete what is not wanted: {where}"),
    ("refused", "{n} {tasks} stand in the CRM as they were, because it refused the change. Delete by hand: {where}"),
    ("unreachable", "{n} {tasks} stand in a CRM that is disconnected. Delete by hand: {where}"),
    ("waiting", "{n} {tasks} in {crm} are still to be taken back. That goes on by itself as soon as {crm} can be reached."),
)  # fmt: skip
_PLURALS = {
    "posts": ("post", "posts"), "profiles": ("profile", "profiles"), "conversations": ("conversation", "conversations"),
    "matches": ("match", "matches"), "activities": ("activity", "activities"), "contacts": ("contact", "contacts"),
    "tasks": ("task", "tasks"),
}  # fmt: skip


def lines(counts: Row, tasks: Sequence[Row], *, asked_at: datetime, backup_days: int | None) -> list[str]:
    """The receipt. `counts` is what went by table, `tasks` are those that stand in a CRM (`erasing_tasks.standing`), `backup_days` is
    how long backups are kept (None: nobody has said)."""
    found = [_say(words, counts[noun]) for noun, words in _WENT if counts.get(noun)]
    found += _of_tasks(tasks)
    if counts.get("perhaps"):
        found.append(
            _say("{n} {contacts} had been suggested as the same person and never confirmed. They stay; erase them too if they are.", counts["perhaps"])
        )  # fmt: skip
    found += [
        "What they wrote on the networks is theirs and the networks': it stays there.",
        "When they are read again they are left out, by hashes from which no name can be told.",
        _of_backups(asked_at, backup_days),
    ]
    return found


def _of_backups(asked_at: datetime, days: int | None) -> str:
    until = "until these are removed" if days is None else f"until these are removed, {days} days after they were made"
    return f"Backups made before {asked_at:%-d %B %Y} hold them {until}. Restoring one brings nobody back who is on the list of people to leave out."


def waits(tasks: Sequence[Row]) -> bool:
    """Whether a CRM has still to be told something, and can be."""
    return any(_fate(each) == "waiting" for each in tasks)


def _of_tasks(tasks: Sequence[Row]) -> Iterator[str]:
    fates = Counter(_fate(each) for each in tasks)
    for fate, words in _TASKS:
        if fates[fate]:
            some = [each for each in tasks if _fate(each) == fate]
            where = ", ".join(each["external_url"] or str(each["external_id"]) for each in some)
            crm = health.provider_name(some[0]["provider"])
            yield _say(words, fates[fate], where=f"{where}.", crm=crm)


def _fate(task: Row) -> str:
    """What became of one task in its CRM."""
    if task["state"] == "withdrawn":
        return "withdrawn"
    if task["push_at"] is not None:
        return "waiting" if task["status"] in WAITING else "unreachable"
    if task["edited"]:
        return "theirs"
    if task["detail"] or task["state"] != "completed":
        return "refused"
    return "redacted"


def _say(words: str, n: int, **more: str) -> str:
    said = words.format(n=f"{n:,}", **{name: one if n == 1 else many for name, (one, many) in _PLURALS.items()}, **more)
    return said.replace(" were ", " was ", 1) if n == 1 else said
