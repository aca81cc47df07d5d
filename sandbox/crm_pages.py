"""The CRM as a salesperson sees it: tasks to do, contacts, what was logged with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from sandbox import crm
from sandbox.body_html import plain, render
from sandbox.clock import iso, parse_ms
from sandbox.crm import Record, Writer
from sandbox.hubspot_errors import HubSpotError
from sandbox.hubspot_properties import STANDARD
from sandbox.state import PORTAL_ID, sandbox

pages = Blueprint("crm", __name__)

SHOWN = 50  # rows on a page
OPEN = "coalesce(json_extract(r.props, '$.hs_task_status'), 'NOT_STARTED') <> 'COMPLETED'"
VIEWS = {"open": OPEN, "completed": f"NOT ({OPEN})", "all": "1"}
ORDERS = {
    "open": "json_extract(r.props, '$.hs_timestamp')",
    "completed": "r.updated_at DESC",
    "all": "r.updated_at DESC",
}
# HubSpot's call outcomes: developers.hubspot.com, "Calls", table of disposition GUIDs.
OUTCOMES = {
    "f240bbac-87c9-4f6e-bf70-924b57d47db7": ("Connected", "COMPLETED"),
    "b2cf5968-551e-4856-9783-52b3da59a7d0": ("Left voicemail", "COMPLETED"),
    "73a0d17f-1163-4015-bdd5-ec830791da20": ("No answer", "NO_ANSWER"),
    "9d9162e7-6cf3-4944-bf63-4dff82258764": ("Busy", "BUSY"),
}
ACTIVITIES = ("calls", "meetings", "emails", "communications", "notes")
TITLES = ("hs_call_title", "hs_meeting_title", "hs_email_subject", "hs_communication_channel_type")
BODIES = ("hs_call_body", "hs_meeting_body", "hs_email_text", "hs_email_html", "hs_communication_body", "hs_note_body")
KNOWN_FIRST = (
    "email",
    "phone",
    "mobilephone",
    "company",
    "jobtitle",
    "city",
    "website",
    "twitterhandle",
    "lifecyclestage",
)


def name_of(contact: Record) -> str:
    names = " ".join(filter(None, (contact.value("firstname"), contact.value("lastname"))))
    return names or contact.value("email") or contact.value("company") or f"Contact {contact.id}"


def owners(db: sqlite3.Connection) -> dict[str, str]:
    rows = db.execute("SELECT * FROM owners WHERE archived = 0 ORDER BY first_name, last_name")
    return {str(row["id"]): f"{row['first_name']} {row['last_name']}".strip() or row["email"] for row in rows}


def contacts_of(db: sqlite3.Connection, kind: str, records: list[Record]) -> dict[int, Record]:
    """The first contact of each record."""
    links = crm.associated(db, kind, [one.id for one in records], "contacts")
    found = crm.get_many(db, "contacts", {linked[0][0] for linked in links.values()})
    return {id_: found[linked[0][0]] for id_, linked in links.items()}


@pages.get("/crm")
def tasks() -> str:
    db, view = sandbox().store.read(), request.args.get("view", "open")
    view = view if view in VIEWS else "open"
    owner, start = request.args.get("owner", ""), request.args.get("start", "0")
    offset = int(start) if start.isdigit() and len(start) < 9 else 0
    rows = db.execute(
        f"SELECT r.* FROM records r WHERE r.type = 'tasks' AND r.archived_at IS NULL AND {VIEWS[view]} "  # noqa: S608
        f"AND (? = '' OR json_extract(r.props, '$.hubspot_owner_id') = ?) ORDER BY {ORDERS[view]}, r.id LIMIT ? OFFSET ?",
        (owner, owner, SHOWN + 1, offset),
    ).fetchall()
    records = [Record.of(row) for row in rows[:SHOWN]]
    count = "SELECT count(*) FROM records r WHERE type = 'tasks' AND archived_at IS NULL AND "
    totals = {name: db.execute(count + where).fetchone()[0] for name, where in VIEWS.items()}
    return render_template(
        "crm.html", tasks=records, contacts=contacts_of(db, "tasks", records), owners=owners(db), owner=owner, view=view,
        totals=totals, more=offset + SHOWN if len(rows) > SHOWN else None, name_of=name_of, plain=plain,
    )  # fmt: skip


@pages.get("/crm/contacts")
def contacts() -> str:
    db, sought, after = sandbox().store.read(), request.args.get("q", "").strip(), request.args.get("after", "0")
    escaped = sought.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    rows = db.execute(
        "SELECT * FROM records WHERE type = 'contacts' AND archived_at IS NULL AND id > ? AND (? = '' OR props LIKE ? ESCAPE '\\') "
        "ORDER BY id LIMIT ?",
        (int(after) if after.isdigit() and len(after) < 19 else 0, sought, f"%{escaped}%", SHOWN + 1),
    ).fetchall()
    found = [Record.of(row) for row in rows[:SHOWN]]
    return render_template(
        "contacts.html",
        contacts=found,
        owners=owners(db),
        q=sought,
        more=found[-1].id if len(rows) > SHOWN else None,
        name_of=name_of,
    )


def one(kind: str, id_: int) -> Record:
    record = crm.get(sandbox().store.read(), kind, min(id_, 2**63 - 1))
    if record is None:
        abort(404)
    return record


@pages.get("/crm/contacts/<int:contact_id>")
def contact(contact_id: int) -> str:
    db, record = sandbox().store.read(), one("contacts", contact_id)
    todo = list(
        crm.get_many(
            db, "tasks", [id_ for id_, _ in crm.associated(db, "contacts", [record.id], "tasks").get(record.id, ())]
        ).values()
    )
    logged = [
        item
        for kind in ACTIVITIES
        for item in crm.get_many(
            db, kind, [id_ for id_, _ in crm.associated(db, "contacts", [record.id], kind).get(record.id, ())]
        ).values()
    ]
    fields = [
        (STANDARD["contacts"][name].label if name in STANDARD["contacts"] else name, value)
        for name, value in _fields(record)
    ]
    return render_template(
        "contact.html", contact=record, name=name_of(record), fields=fields, owners=owners(db), outcomes=OUTCOMES, render=render,
        tasks=sorted(todo, key=lambda task: (task.value("hs_task_status") == "COMPLETED", task.value("hs_timestamp") or "")),
        logged=sorted(map(activity, logged), key=lambda item: item["at"], reverse=True), problem=request.args.get("problem", ""),
    )  # fmt: skip


def _fields(record: Record) -> list[tuple[str, str]]:
    hidden = {"firstname", "lastname", "hubspot_owner_id"}
    first = [(name, record.props[name]) for name in KNOWN_FIRST if name in record.props]
    return first + sorted(
        (name, value) for name, value in record.props.items() if name not in hidden and name not in KNOWN_FIRST
    )


def activity(record: Record) -> dict[str, Any]:
    """What was logged, in a person's words."""

    def first(names: tuple[str, ...]) -> str:
        return next((record.props[name] for name in names if name in record.props), "")

    outcome = record.props.get("hs_call_disposition", "")
    words = (
        OUTCOMES[outcome][0]
        if outcome in OUTCOMES
        else record.props.get("hs_meeting_outcome") or record.props.get("hs_call_status") or ""
    )
    kind = {"communications": "text"}.get(record.type, record.type.removesuffix("s"))
    return {
        "kind": kind, "at": record.value("hs_timestamp") or iso(record.created_at), "title": first(TITLES), "body": first(BODIES),
        "outcome": words.replace("_", " ").capitalize(), "owner": record.value("hubspot_owner_id"),
    }  # fmt: skip


@pages.get("/crm/tasks/<int:task_id>")
def task(task_id: int) -> str:
    db, record = sandbox().store.read(), one("tasks", task_id)
    body = record.value("hs_task_body") or ""
    options = {name: STANDARD["tasks"][f"hs_task_{name}"].options for name in ("status", "priority", "type")}
    return render_template(
        "task.html", task=record, contact=contacts_of(db, "tasks", [record]).get(record.id), owners=owners(db), options=options,
        body=render(body), plain_body=plain(body), name_of=name_of, problem=request.args.get("problem", ""),
        due_field=(record.value("hs_timestamp") or "")[:16],
    )  # fmt: skip


# -- what the forms do


def change(task_id: int, values: Mapping[str, Any]) -> Response:
    state, record = sandbox(), one("tasks", task_id)
    try:
        with state.store.write() as db:
            Writer(db, "tasks", state.stamps.next(), delay=state.settings["search_delay_seconds"]).update(
                record, values
            )
    except HubSpotError as error:
        problems = error.body.get("errors") or [error.body]
        return redirect(url_for("crm.task", task_id=task_id, problem=problems[0]["message"]), 303)
    to_list = request.form.get("from") == "list"
    return redirect(
        url_for("crm.tasks", view=request.form.get("view")) if to_list else url_for("crm.task", task_id=task_id), 303
    )


@pages.post("/crm/tasks/<int:task_id>/complete")
def complete(task_id: int) -> Response:
    return change(task_id, {"hs_task_status": "COMPLETED"})


@pages.post("/crm/tasks/<int:task_id>/reopen")
def reopen(task_id: int) -> Response:
    return change(task_id, {"hs_task_status": "NOT_STARTED"})


@pages.post("/crm/tasks/<int:task_id>")
def edit(task_id: int) -> Response:
    """Takes the form's fields; only what differs is written, so that an untouched rich body stays as it is."""
    record, form = one("tasks", task_id), request.form
    fields = ("hs_task_subject", "hs_task_status", "hs_task_priority", "hs_task_type", "hubspot_owner_id")
    values = {name: form[name] for name in fields if name in form and form[name] != (record.value(name) or "")}
    body = form.get("hs_task_body", "").replace("\r\n", "\n")
    if "hs_task_body" in form and body != plain(record.value("hs_task_body") or ""):
        values["hs_task_body"] = body
    if (due := form.get("due", "")) != (record.value("hs_timestamp") or "")[:16]:
        values["hs_timestamp"] = due
    return change(task_id, values) if values else redirect(url_for("crm.task", task_id=task_id), 303)


@pages.post("/crm/tasks/<int:task_id>/delete")
def delete(task_id: int) -> Response:
    state = sandbox()
    with state.store.write() as db:
        Writer(db, "tasks", state.stamps.next(), delay=state.settings["search_delay_seconds"]).archive(task_id)
    return redirect(url_for("crm.tasks"), 303)


@pages.post("/crm/contacts/<int:contact_id>/calls")
def log_call(contact_id: int) -> Response:
    """Logs a call: outcome, minutes, note; `at` (UTC) is now where it is empty."""
    state, record, form = sandbox(), one("contacts", contact_id), request.form
    disposition = form.get("outcome", "")
    if disposition not in OUTCOMES:
        return redirect(url_for("crm.contact", contact_id=contact_id, problem="Choose how the call went."), 303)
    try:
        at = parse_ms(form["at"]) if form.get("at") else state.clock.now()
        minutes = int(form.get("minutes") or 0)
    except ValueError:
        return redirect(
            url_for("crm.contact", contact_id=contact_id, problem="Give the time as a date and an hour."), 303
        )
    values = {
        "hs_timestamp": iso(at), "hs_call_title": f"Call with {name_of(record)}", "hs_call_body": form.get("note", ""),
        "hs_call_disposition": disposition, "hs_call_status": OUTCOMES[disposition][1], "hs_call_direction": "OUTBOUND",
        "hs_call_duration": str(max(0, minutes) * 60_000), "hubspot_owner_id": record.value("hubspot_owner_id") or "",
    }  # fmt: skip
    to_contact = {
        "to": {"id": str(contact_id)},
        "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 194}],
    }
    with state.store.write() as db:
        Writer(db, "calls", state.stamps.next(), delay=state.settings["search_delay_seconds"]).create(
            values, [to_contact]
        )
    return redirect(url_for("crm.contact", contact_id=contact_id), 303)


# -- the vendor's own addresses, as links to records have them


@pages.get(f"/hubspot/contacts/{PORTAL_ID}")
@pages.get(f"/hubspot/contacts/{PORTAL_ID}/")
@pages.get(f"/contacts/{PORTAL_ID}")
def account_address() -> Response:
    return redirect(url_for("crm.tasks"))


@pages.get(f"/hubspot/contacts/{PORTAL_ID}/record/<kind>/<int:id_>")
@pages.get(f"/hubspot/contacts/{PORTAL_ID}/record/<kind>/<int:id_>/")
@pages.get(f"/contacts/{PORTAL_ID}/record/<kind>/<int:id_>")
def record_address(kind: str, id_: int) -> Response:
    targets = {"0-1": ("crm.contact", "contact_id"), "0-27": ("crm.task", "task_id")}
    if kind not in targets:
        abort(404)
    endpoint, name = targets[kind]
    values: dict[str, Any] = {name: id_}
    return redirect(url_for(endpoint, **values))


@pages.get(f"/hubspot/tasks/{PORTAL_ID}/view/all/task/<int:id_>")
@pages.get(f"/tasks/{PORTAL_ID}/view/all/task/<int:id_>")
def task_address(id_: int) -> Response:
    return redirect(url_for("crm.task", task_id=id_))
