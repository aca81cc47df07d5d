"""The receipt of an erasure, in sentences: what went, what stays where, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from integrations.registry import providers
from service import naming

Row = Mapping[str, Any]
WAITING = ("active", "leaving", "needs_reauth")  # connections that will be told, sooner or later

_WENT = (
    ("posts", "Erased here: {n} {posts} of theirs, with what was read from what they wrote."),
    ("answers", "Erased here: {n} {posts} of yours that answered them. On the network such answers stay: delete them there."),
    ("named", "Taken out of {n} {posts} by others: the id by which they were named. The words are these people's own, and stay."),
    ("below", "Left in {n} other {posts}: the address of a post of theirs that these answer, quote or stand below. On this network it holds their id, and by it a talk of others stays together."),
    ("authors", "Erased here: {n} {profiles}, with the keys made from what they show."),
    ("conversations", "Erased here: {n} {conversations} with them, with the reasons for each verdict."),
    ("relationships", "Erased here: how far you had come with them, with its history and score."),
    ("matches", "Erased here: {n} {matches} with contacts, with the evidence."),
    ("links", "Taken off them: {n} logged {activities}. The times stay, because they shield your colleagues' calendars."),
    ("contacts", "Erased here: the copy of {n} CRM {contacts}. In the CRM a contact is yours to delete: Warmline never deletes one."),
    ("written", "A handle that Warmline had written into the CRM contact stays there as part of it."),
)  # fmt: skip
_PERHAPS = (
    ("perhaps", "Left as they are: {n} {contacts} that may be the same person, which nobody has confirmed. Erase them too if they are."),
    ("perhaps_authors", "Left as they are: {n} {profiles} that may be the same person, which nobody has confirmed. Erase them too if they are."),
)  # fmt: skip
_TASKS = (
    ("withdrawn", "Taken out of the CRM: {n} open {tasks}."),
    ("gone", "Gone from the CRM before this: {n} closed {tasks}."),
    ("redacted", "Your history in the CRM keeps {n} closed {tasks}, and no word in it about them."),
    ("theirs", "People have written into {n} {tasks} in the CRM. What they wrote stays; read it, and delete what is not wanted: {where}"),
    ("refused", "The CRM refused to change {n} {tasks}, which say what they said. Delete by hand: {where}"),
    ("unreachable", "A CRM that is disconnected still has {n} {tasks} about them. Delete by hand: {where}"),
    ("waiting", "Still to be taken back: {n} {tasks} in {crm}. That goes on by itself as soon as {crm} can be reached."),
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
    found += _of_remains(tasks)
    found += [_say(words, counts[noun]) for noun, words in _PERHAPS if counts.get(noun)]
    found += [
        "What they wrote on the networks is theirs and the networks': it stays there.",
        "When they are read again they are left out, by hashes from which no name can be told.",
        "An address that contacts or profiles of other names carry as well counts beside their name only. Whoever comes later with one that was theirs alone is left out.",
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
            crm = naming.provider_name(some[0]["provider"])
            yield _say(words, fates[fate], where=f"{where}.", crm=crm)


def _of_remains(tasks: Sequence[Row]) -> Iterator[str]:
    """Where these CRMs go on holding words of tasks, whatever was done to them."""
    for key in dict.fromkeys(each["provider"] for each in tasks):
        provider = providers().get(key)
        yield from provider.remains if provider else ()


def _fate(task: Row) -> str:
    """What became of one task in its CRM."""
    if task["state"] == "withdrawn":
        return "gone" if task["wanted"] == "completed" else "withdrawn"
    if task["push_at"] is not None:
        return "waiting" if task["status"] in WAITING else "unreachable"
    if task["edited"]:
        return "theirs"
    if task["detail"] or task["state"] != "completed":
        return "refused"
    return "redacted"


def _say(words: str, n: int, **more: str) -> str:
    return words.format(n=f"{n:,}", **{name: one if n == 1 else many for name, (one, many) in _PLURALS.items()}, **more)
