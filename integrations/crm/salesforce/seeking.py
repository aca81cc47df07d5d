"""Finding a task under our key, by what the organisation allows. Salesforce's queries show what is committed at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.crm.salesforce.api import API, Row, chunks, listed
from integrations.crm.salesforce.fields import by_age, task_fields
from integrations.crm.salesforce.org import Org
from integrations.crm.salesforce.soql import ask, forgiving, soql_time
from integrations.records import Task

SLACK = timedelta(days=1)  # further back than the lost create, since its clock and ours need not agree
KEYS = 100  # a query stands in an address, which may be 16,000 characters long


def seek(api: API, org: Org, tasks: Sequence[Task]) -> dict[str, Row]:
    """The tasks that stand in Salesforce under these keys, by key, deleted ones too. Where no field holds the key each task
    must say when its create was lost."""
    if org.key_field is None:
        return _by_marker(api, org, tasks)
    found: list[Row] = []
    for group in chunks([task.key for task in tasks], KEYS):
        found += ask(api, "Task", task_fields(org), f"{org.key_field} IN {listed(group)}", everything=True)
    return _standing_first(found, org)


def by_id(api: API, org: Org, ids: Sequence[str]) -> list[Row]:
    """The tasks with these ids, any number of them, in any order; what is not there is left out, or says that it is deleted."""
    return forgiving(lambda names: api.read("Task", ids, names), task_fields(org))


def _by_marker(api: API, org: Org, tasks: Sequence[Task]) -> dict[str, Row]:
    # A description cannot be searched by SOQL: look at every task that was made since, for the marker in it.
    sent = min(task.maybe_sent_at for task in tasks if task.maybe_sent_at)
    found = ask(api, "Task", task_fields(org), f"CreatedDate >= {soql_time(sent - SLACK)}", everything=True)
    wanted = {task.key for task in tasks}
    return {key: row for key, row in _standing_first(found, org).items() if key in wanted}


def _standing_first(found: Sequence[Row], org: Org) -> dict[str, Row]:
    """By key; one that a person deleted counts only where no other stands."""
    deleted = [row for row in found if row.get("IsDeleted") is True]
    standing = [row for row in found if row.get("IsDeleted") is not True]
    return by_age(deleted, org) | by_age(standing, org)
