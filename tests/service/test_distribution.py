"""The keys are fit to spread tenants' tables over several PostgreSQL servers (Citus) by `workspace_id`, should one not be enough.

What Citus asks of a distributed table: every primary key, unique constraint and unique index contains the distribution column; a foreign
key leads to a table that is distributed alike, with the column on both sides, or to a reference table (one that every server holds
whole); a reference table refers to reference tables alone.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import ForeignKeyConstraint, Table, UniqueConstraint

from service.models import Base, Tenant

KEY = "workspace_id"
DISTRIBUTED = {str(each.local_table) for each in Base.registry.mappers if issubclass(each.class_, Tenant)} | {
    "workspace_schedule"
}
REFERENCE = set(Base.metadata.tables) - DISTRIBUTED


def unfit(table: Table) -> Iterator[str]:
    """What of a distributed table's keys Citus would refuse."""
    keys = [("primary key", table.primary_key.columns.keys())]
    keys += [(str(each.name), each.columns.keys()) for each in table.constraints if isinstance(each, UniqueConstraint)]
    keys += [(str(each.name), each.columns.keys()) for each in table.indexes if each.unique]
    for name, columns in keys:
        if KEY not in columns:
            yield f"{name} ({', '.join(columns)}) holds no {KEY}"
    if table.primary_key.columns.keys()[:1] != [KEY]:
        yield f"the primary key does not begin with {KEY}"
    for each in foreign_keys(table):
        if each.referred_table.name in DISTRIBUTED and (KEY, KEY) not in pairs(each):
            yield f"{each.name} leads to {each.referred_table.name} of any workspace"


def foreign_keys(table: Table) -> list[ForeignKeyConstraint]:
    return [each for each in table.constraints if isinstance(each, ForeignKeyConstraint)]


def pairs(constraint: ForeignKeyConstraint) -> list[tuple[str, str]]:
    return [(each.parent.name, each.column.name) for each in constraint.elements]


@pytest.mark.parametrize("table", sorted(DISTRIBUTED))
def test_a_tenants_table_can_be_spread_by_its_workspace(table: str) -> None:
    assert list(unfit(Base.metadata.tables[table])) == []


@pytest.mark.parametrize("table", sorted(REFERENCE))
def test_what_is_on_every_server_refers_to_nothing_that_is_on_one(table: str) -> None:
    leads_to = {each.referred_table.name for each in foreign_keys(Base.metadata.tables[table])}
    assert leads_to <= REFERENCE


def test_a_table_that_is_not_fit_would_be_found() -> None:
    """`api_keys` is looked up by a key's hash alone, whatever the workspace: on a distributed table that would be refused."""
    assert any("holds no workspace_id" in each for each in unfit(Base.metadata.tables["api_keys"]))
