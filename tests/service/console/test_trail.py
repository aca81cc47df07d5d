"""The page of the trail; and every form of the console leaves a row in it, or says why not."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select, update

from service import access, byhand, trail
from service.byhand import Pasted
from service.clock import business_now, real_now
from service.models import Audit, Connection, Conversation, Task
from service.runtime import Runtime
from service.store import trail as store
from tests.conftest import Member
from tests.service.api.test_audit import ID
from tests.service.console.conftest import Browser, words_of
from tests.service.console.test_isolation import FORM, things

PART = re.compile(r"<(?:any\((\w+)[^)]*\)|uuid|string)?:?(\w+)>")
# What a form says besides, and what is done first so that it changes something. By endpoint, without "console.".
FORMS: Mapping[str, Mapping[str, Any]] = {
    "brands.change": {"name": "Another name"},
    "calendars.add": {"email": "ida@acme.test", "url": "https://cal.example/ida.ics"},
    "connections.responder": {"responder_email": "ida@acme.test", "email": "ida@acme.test"},
    "consent.accounts": {},
    "handle_fields.save": {"place": "x", "field.place": "x"},
    "keys.make": {"name": "Nightly", "scope": "read"},
    "matches.somebody_is": {},
    "departing.ask": {"name": "Acme"},
    "people.invite": {"email": "new@acme.test", "role": "viewer"},
    "people.change": {"role": "owner"},
    "sources.change": {"source": "Import: one.csv"},
}
FIRST = {
    "matches.undo": "matches.confirm",
    "matches.confirm": "matches.reject",
    "pausing.resume": "pausing.pause",
    "tasks.undo": "tasks.dismiss",
}
LAST = ("connections.disconnect", "people.end", "people.remove", "departing.ask", "departing.keep")
# Those that need a page of a provider's, a link, a password or a browser of their own, with what they leave: the tests of these see it.
ELSEWHERE = {
    "account.password": "password.set",
    "account.untie": "identity.unlinked",
    "account.forget": "device.forgotten",
    "factor.confirm": "factor.set_up",
    "factor.codes": "factor.codes_made",
    "factor.off": "factor.turned_off",
    "people.require": "workspace.factor_required",
    "secondstep.enter": "signin.by_password",
    "answered.dismiss": "task.dismissed",
    "consent.choose": "connection.connected",
    "joining.join": "member.joined",
    "operator.retry": "task.retried",
    "settings.save": "settings.changed",
    "signin.enter": "signin.by_password",
    "signin.spend": "signin.by_link",
}


def rows(held: Runtime, workspace_id: UUID, after: int = 0) -> list[Audit]:
    with held.db.tenant(workspace_id) as session:
        return store.since(session, workspace_id, after)


def forms(app: Flask) -> dict[str, str]:
    """Every endpoint that takes a form, without "console.", and its address."""
    found = {
        rule.endpoint.removeprefix("console."): rule.rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("console.") and "POST" in (rule.methods or set())
    }
    order = [each for each in found if each not in LAST]
    return {name: found[name] for name in [*order, *(each for each in LAST if each in found)]}


def park(held: Runtime, workspace_id: UUID) -> None:
    """A CRM has refused the tasks."""
    with held.db.tenant(workspace_id) as session:
        parked = {"state": "parked", "parked_at": real_now(), "external_id": None, "wanted": "open", "held_reason": ""}
        session.execute(update(Task).where(Task.workspace_id == workspace_id).values(**parked))


def test_every_form_leaves_a_row_or_says_why_not(
    app: Flask, held: Runtime, owner: Member, signed_in: Callable[[str], Browser]
) -> None:
    """A new form is sent as well."""
    known, olga = things(held, owner, "acme.test"), signed_in(owner.email)
    with held.db.tenant(owner.workspace_id) as session:
        row = session.get_one(Connection, (owner.workspace_id, known["crm"]))
        row.options = {"text_properties": [{"name": "place", "label": "Place"}]}
    addresses = forms(app)

    def send(name: str) -> int:
        own = {"account.end": "own_session"}.get(name)
        kind = {"handle_fields.save": "crm", "connections.approve": "crm"}.get(name)
        path = PART.sub(lambda found: str(found[1] or known[own or kind or found[2]]), addresses[name])
        return olga.post(path, {**FORM, "contact": str(known["contact"]), **FORMS.get(name, {})}).status_code

    traced, silent = 0, []
    for name in addresses:
        if f"console.{name}" in trail.UNTRACED or name in ELSEWHERE:
            continue
        if name == "tasks.retry":
            park(held, owner.workspace_id)
        if name in FIRST:
            send(FIRST[name])
        before = len(rows(held, owner.workspace_id))
        status = send(name)
        found = rows(held, owner.workspace_id, before)
        silent += [(name, status)] * (not found)
        traced += 1
        for each in found:
            assert re.fullmatch("user:" + ID.pattern, each.actor), (name, each.actor)
            assert ID.fullmatch(each.subject.partition(":")[2]), (name, each.subject)
            assert each.action in trail.SAYS, (name, each.action)
    assert not silent, f"{silent}: let these leave a row in the trail, or say in service/trail.py why not."
    assert traced > 20
    assert set(ELSEWHERE.values()) <= set(trail.SAYS)


def test_a_place_goes_by_its_name_and_has_no_handle(olga: Browser, held: Runtime, owner: Member) -> None:
    olga.post("/connect/new/capture", {"place": "Rider forum"})
    assert "olga@acme.test connected Rider forum." in words_of(olga.get("/trail"))
    posted = Pasted("https://riders.example/17", "Rider forum", "Ana Ferrer", "@ana", "Do you ship?", business_now())
    byhand.add(held, owner.caller, posted)
    with held.db.tenant(owner.workspace_id) as session:
        talk = session.scalars(select(Conversation.id)).one()
    words = words_of(olga.get(f"/conversations/{talk}"))
    assert "@ana on Rider forum" in words
    assert "@Rider forum" not in words + words_of(olga.get("/brands"))


def test_the_page_says_who_did_what_and_where_the_trail_stands(olga: Browser, held: Runtime, owner: Member) -> None:
    olga.post("/brands", {"name": "Second"})
    page = olga.get("/trail").text
    assert "olga@acme.test made the brand Second." in words_of(olga.get("/trail"))
    with held.db.tenant(owner.workspace_id) as session:
        assert store.head(session, owner.workspace_id).hash in page


def test_the_file_holds_every_row_and_that_it_was_taken(olga: Browser, held: Runtime, owner: Member) -> None:
    olga.post("/brands", {"name": "Second"})
    answer = olga.post("/trail/file")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    found = list(csv.DictReader(io.StringIO(answer.text)))
    kept = rows(held, owner.workspace_id)
    assert [(each["number"], each["hash"]) for each in found] == [
        (str(row.number), (row.hash or b"").hex()) for row in kept
    ]
    assert found[-1]["action"] == "trail.downloaded"
    assert "Second" not in answer.text


@pytest.mark.parametrize("role", ["member", "viewer"])
def test_nobody_but_owners_may_read_it(role: str) -> None:
    scope = access.needed("console.trail.show")
    assert scope is not None
    assert role not in access.roles_with(scope)
