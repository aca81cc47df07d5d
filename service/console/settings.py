"""Every setting of the workspace, as the schema has it: read, explained, changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError, fields
from werkzeug.datastructures import MultiDict

from service import settings, tryout
from service.clock import business_now
from service.console.fields import Input, input_for
from service.console.guard import caller
from service.console.page import done, page
from service.runtime import runtime
from service.sentences import plainly
from service.settings import SCHEMA
from service.settings_parts import timezones
from service.store import keeping, ruling, runs
from service.store.keeping import Preview
from service.tryout import Diff

blueprint = Blueprint("settings", __name__)

# The order on the page. A setting that is in no section here comes at the end.
SECTIONS = (
    ("Working time", ("timezone", "hours", "holidays_country", "holidays", "people")),
    ("Patience", ("patience", "patience_by_stage", "lapse_days")),
    ("Ready for a call", ("call", "call_holdout")),
    ("Tasks", ("text_mode", "daily_cap", "meeting_shield", "preview")),
    ("Matching", ("confirm_only_by_handle", "write_handles")),
    ("How long texts are kept", ("retention_days", "retention_by_network")),
    ("Reading", ("first_pull_days", "poll_seconds", "monthly_ceiling")),
)
REST = "More"
STALE = "Somebody else changed the settings while you had this page open. What you typed is still here: save again to replace theirs."
WRONG = "Nothing was saved. Some fields need another look; each says why."


@blueprint.get("/settings")
def show() -> ResponseReturnValue:
    with runtime().db.tenant(caller().workspace_id) as session:
        row = settings.current(session, caller().workspace_id)
    return _page(row.version, texts_of(row.values))


@blueprint.post("/settings")
def save() -> ResponseReturnValue:
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            ruling.change_settings(
                session, who.workspace_id, values_of(request.form), by=who.actor, expected=_version(request.form)
            )
    except ValidationError as error:
        errors = flat(error.messages_dict)
        return _page(_version(request.form), _typed(request.form), errors=errors, sentence=WRONG), 400
    except ruling.StaleVersionError as error:
        return _page(error.current, _typed(request.form), sentence=STALE), 409
    return done(url_for(".show"), "saved")


@blueprint.post("/settings/tryout")
def try_out() -> ResponseReturnValue:
    """The page as it was typed, with how the tasks would differ. Nothing is saved."""
    who = caller()
    try:
        with runtime().db.tenant(who.workspace_id) as session:
            tried = settings.tried(settings.current(session, who.workspace_id), values_of(request.form))
            erased = keeping.preview(session, who.workspace_id, tried.values)
    except ValidationError as error:
        errors = flat(error.messages_dict)
        return _page(_version(request.form), _typed(request.form), errors=errors, sentence=WRONG), 400
    diff = tryout.tryout(runtime(), who.workspace_id, tried, now=business_now())
    return _page(_version(request.form), _typed(request.form), diff=diff, erased=erased)


def inputs(schema: Schema = SCHEMA, prefix: str = "") -> Iterator[Input]:
    """One input per setting; those of a group are named "group.setting"."""
    for name, field in schema.fields.items():
        if isinstance(field, fields.Nested):
            yield from inputs(field.schema, f"{name}.")
        else:
            yield input_for(prefix + name, field)


def texts_of(values: Mapping[str, Any]) -> dict[str, str]:
    """Stored values as the inputs show them."""
    return {each.name: each.show(_dig(values, each.name)) for each in inputs()}


def values_of(form: MultiDict[str, str]) -> dict[str, Any]:
    """What a form sends, in the schema's JSON form. Nothing is judged here."""
    values: dict[str, Any] = {}
    for each in inputs():
        group, dot, name = each.name.rpartition(".")
        holder = values.setdefault(group, {}) if dot else values
        holder[name or each.name] = each.read(form.get(each.name, ""))
    return values


def flat(messages: Mapping[Any, Any], prefix: str = "") -> dict[str, str]:
    """marshmallow's nested messages by the inputs' names; what concerns no input comes under ""."""
    names = {each.name for each in inputs()}
    found: dict[str, str] = {}
    for key, value in messages.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and name not in names:
            found |= flat(value, f"{name}.")
        else:
            found[name if name in names else ""] = " ".join(dict.fromkeys(_sentences(value)))
    return found


def _sentences(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _sentences(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _sentences(each)
    else:
        yield plainly(str(value))


def _dig(values: Mapping[str, Any], name: str) -> Any:
    group, _, last = name.rpartition(".")
    return (values[group] if group else values)[last]


def _typed(form: MultiDict[str, str]) -> dict[str, str]:
    return {each.name: form.get(each.name, "") for each in inputs()}


def _version(form: MultiDict[str, str]) -> int:
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _page(
    version: int, texts: Mapping[str, str], errors: Mapping[str, str] | None = None, sentence: str = "", diff: Diff | None = None,
    erased: Preview | None = None,
) -> str:  # fmt: skip
    every = list(inputs())
    placed = [(title, [each for each in every if each.name.split(".")[0] in names]) for title, names in SECTIONS]
    seen = {each.name for _, group in placed for each in group}
    rest = [each for each in every if each.name not in seen]
    with runtime().db.tenant(caller().workspace_id) as session:
        run = runs.latest(session, caller().workspace_id)
    return page(
        "settings.html",
        version=version,
        diff=diff,
        erased=erased,
        run=run,
        limit=runs.LIMIT,
        sections=[*placed, *([(REST, rest)] if rest else [])],
        texts=texts,
        errors=errors or {},
        sentence=sentence,
        zones=sorted(timezones()),
    )
