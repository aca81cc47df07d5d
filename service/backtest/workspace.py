"""`warmline backtest workspace`: both rules over what a workspace holds, under settings that can be tried out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import click
from marshmallow import ValidationError

from integrations.records import TaskKind
from service import config as configuration
from service import settings, tryout
from service.api.tryout import dump
from service.clock import business_now
from service.errors import PlainError
from service.models import Settings, Workspace
from service.runtime import Runtime
from service.sentences import plainly
from service.store.runs import LIMIT
from service.tryout import Diff

_KINDS = {TaskKind.UNANSWERED.value: "unanswered", TaskKind.READY_FOR_CALL.value: "ready for a call"}
_STEPS = {tryout.CREATE: "would be made", tryout.WITHDRAW: "would be withdrawn", tryout.CHANGE: "would change"}


@click.command()
@click.option("--workspace", "workspace_id", required=True, type=click.UUID, help="The workspace's id.")
@click.option("--set", "pairs", multiple=True, metavar="KEY=VALUE", help="A setting to try, such as patience.question=60. Repeat it for more.")  # fmt: skip
@click.option("--seconds", default=60.0, show_default=True, type=click.FloatRange(1, 3600), help="How long to look; the newest come first.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(workspace_id: UUID, pairs: tuple[str, ...], seconds: float, as_json: bool) -> None:
    """Say which tasks the rules want now, and how they would differ under other settings. Nothing is stored, no CRM is
    touched."""
    runtime = Runtime(configuration.load())
    try:
        diff = _diff(runtime, workspace_id, changes(pairs), seconds)
    finally:
        runtime.db.engine.dispose()
    if as_json:
        click.echo(json.dumps(dump(diff), default=str))
        return
    for line in lines(diff, tried_out=bool(pairs)):
        click.echo(line)


def _diff(runtime: Runtime, workspace_id: UUID, values: dict[str, Any], seconds: float) -> Diff:
    with runtime.db.globally() as session:
        if session.get(Workspace, workspace_id) is None:
            raise PlainError(f"There is no workspace {workspace_id}.")
    with runtime.db.tenant(workspace_id) as session:
        standing = settings.current(session, workspace_id)
    tried = _tried(standing, values)
    return tryout.tryout(runtime, workspace_id, tried, now=business_now(), budget=seconds, progress=_tell)


def changes(pairs: Iterable[str]) -> dict[str, Any]:
    """`a=1` and `a.b=1` as settings in their JSON form. A value that is no JSON is taken for text. Raises PlainError."""
    found: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        group, dot, last = name.strip().rpartition(".")
        if not equals or not last:
            raise PlainError(f"{pair!r} sets nothing. Write it like patience.question=60.")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        holder = found.setdefault(group, {}) if dot else found
        holder[last] = value
    return found


def _tried(standing: Settings, values: dict[str, Any]) -> Settings:
    try:
        return settings.tried(standing, values)
    except ValidationError as error:
        raise PlainError("; ".join(_sentences(error.messages))) from None


def _sentences(messages: Any, name: str = "") -> Iterator[str]:
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _sentences(inner, f"{name}.{key}" if name else str(key))
    else:
        yield from (f"{name}: {plainly(each)}" for each in messages)


def _tell(diff: Diff) -> None:
    click.echo(f"{diff.looked:,} of {diff.total:,} looked at", err=True)


def lines(diff: Diff, *, tried_out: bool) -> Iterator[str]:
    """What came of it, for people."""
    seen = "all" if diff.complete else f"the newest {diff.looked:,} of {diff.total:,}"
    yield f"Looked at {seen} conversations and relationships."
    for kind, label in _KINDS.items():
        then = f", {diff.after[kind]:,} under the settings that are tried" if tried_out else ""
        yield f"Tasks, {label}: {diff.before[kind]:,} are wanted now{then}."
    if not tried_out:
        return
    for step, label in _STEPS.items():
        yield f"{diff.counts[step].total():,} {label}."
    for crm in diff.held_back:
        yield f"In the CRM {crm} {diff.in_crm[crm]:,} would change at once. More than {LIMIT} wait for approval."
    for each in diff.examples:
        yield f"  {_STEPS[each.step]}: {each.subject}"
        yield from (f"    {reason}" for reason in each.reasons)
