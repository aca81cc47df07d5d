"""Finding a task under our key, by what the account allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from integrations.crm.hubspot import fields
from integrations.crm.hubspot.api import API, SEARCH, Row, chunks
from integrations.crm.hubspot.changes import Position, newest, walk
from integrations.crm.hubspot.fields import Portal
from integrations.records import Task

SLACK = 10 * 60 * 1000  # milliseconds further back than the lost create: calls take time, and so does noting them


def by_property(api: API, portal: Portal, keys: Sequence[str], *, archived: bool = False) -> dict[str, str]:
    """The ids of the tasks with these keys, by key, where the key is unique. True at once. `archived`: deleted ones."""
    names = fields.task_properties(portal)
    return keyed(portal, api.read("tasks", keys, names, by=portal.key_property, archived=archived))


def among_contacts(api: API, portal: Portal, tasks: Sequence[Task]) -> dict[str, str]:
    """The ids of the tasks that their contacts have, by key. True at once, but blind to tasks without a contact."""
    contact_ids = [task.contact_id for task in tasks if task.contact_id]
    linked = api.associated("contacts", contact_ids, "tasks") if contact_ids else {}
    ids = [task_id for each in linked.values() for task_id in each]
    return keyed(portal, api.read("tasks", ids, fields.task_properties(portal)))


def by_search(api: API, portal: Portal, tasks: Sequence[Task], now: Callable[[], float]) -> dict[str, str]:
    """The ids of the tasks that search shows, by key. Search lags behind: ask it only after a wait."""
    key = portal.key_property
    if key is None:
        return _by_marker(api, portal, min(sent_at(task) for task in tasks), now)
    found: list[Row] = []
    # IN compares text that it has put in lower case with what we send as it is.
    keys = list(dict.fromkeys(each for task in tasks for each in (task.key, task.key.lower())))
    for group in chunks(keys):
        wanted = {"propertyName": key, "operator": "IN", "values": group}
        names = list(fields.task_properties(portal))
        page, _ = api.search("tasks", {"filterGroups": [{"filters": [wanted]}], "properties": names, "limit": SEARCH})
        found += page
    return keyed(portal, found)


def sent_at(task: Task) -> datetime:
    """When a create of this task went out without an answer."""
    assert task.maybe_sent_at is not None
    return task.maybe_sent_at


def _by_marker(api: API, portal: Portal, since: datetime, now: Callable[[], float]) -> dict[str, str]:
    # No property carries our key: look at every task made since, for the marker in its body. "Since" is counted back from
    # the newest one, because HubSpot's clock dates them and ours does not.
    ago = round((now() - since.timestamp()) * 1000) + SLACK
    start = Position(at=max(0, newest(api, "tasks", "hs_createdate") - ago))
    pages = walk(api, "tasks", "hs_createdate", fields.task_properties(portal), start, now)
    return keyed(portal, [row for page, _ in pages for row in page])


def keyed(portal: Portal, found: Sequence[Row]) -> dict[str, str]:
    """The ids of these rows by our key."""
    keys = [(str(row["id"]), fields.task_key(row, portal)) for row in found]
    # Were there two after all, the older one is ours: the other was made by a repeat.
    return {key: task_id for task_id, key in sorted(keys, key=_age, reverse=True) if key}


def _age(keyed: tuple[str, str | None]) -> int:
    return int(keyed[0]) if keyed[0].isdigit() else 0
