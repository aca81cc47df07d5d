"""Settings, API keys, brands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from marshmallow import Schema, fields
from sqlalchemy import select, update

from service import accounts, settings
from service.clock import business_now
from service.console import settings as page
from service.models import Brand, Task
from service.runtime import Runtime
from service.settings import SCHEMA
from tests.service.console.conftest import Browser, read, words_of
from tests.service.console.scenes import busy_day


def leaves(schema: Schema = SCHEMA, prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, field in schema.fields.items():
        found |= leaves(field.schema, f"{name}.") if isinstance(field, fields.Nested) else {prefix + name}
    return found


def form_of(browser: Browser) -> dict[str, str]:
    """What the page would send as it stands."""
    reader = read(browser.get("/settings").text)
    form: dict[str, str] = {}
    for tag, attributes in reader.tags:
        name = attributes.get("name")
        if tag == "input" and name and (attributes.get("type") != "checkbox" or "checked" in attributes):
            form[name] = attributes.get("value") or ("on" if attributes.get("type") == "checkbox" else "")
    form["text_mode"] = "quote"
    form["holidays"] = ""
    return form


def test_every_setting_stands_on_the_page_with_a_label(olga: Browser) -> None:
    named = {attributes["for"] for tag, attributes in read(olga.get("/settings").text).tags if tag == "label"}
    assert leaves() <= named
    assert "Version 1 stands now." in words_of(olga.get("/settings"))


def test_what_the_page_shows_is_what_saving_it_stores(held: Runtime, owner: Any, olga: Browser) -> None:
    assert olga.post("/settings", form_of(olga)).location == "/settings?done=saved"
    with held.db.tenant(owner.workspace_id) as session:
        row = settings.current(session, owner.workspace_id)
    assert row.version == 2
    assert row.values == SCHEMA.dump(SCHEMA.load({}))


def test_values_survive_the_way_through_texts_and_back() -> None:
    values = SCHEMA.dump(SCHEMA.load({
        "timezone": "Europe/Paris", "hours": {"monday": ["09:00-12:30", "13:30-17:00"], "friday": []}, "holidays": ["2026-12-24", "2026-12-31"],
        "poll_seconds": 5, "daily_cap": None, "preview": False, "text_mode": "link",
        "people": [
            {"email": "olga@acme.test", "timezone": "America/New_York"},
            {"email": "tom@acme.test", "timezone": "Asia/Tokyo", "hours": ["08:00-12:00", "13:00-16:00"], "days_off": ["friday"], "holidays_country": "JP"},
        ],
    }))  # fmt: skip
    from werkzeug.datastructures import MultiDict

    assert SCHEMA.dump(SCHEMA.load(page.values_of(MultiDict(page.texts_of(values))))) == values


@pytest.mark.parametrize(
    ("name", "typed", "sentence"),
    [
        ("timezone", "Mars/Olympus", "Not a time zone's name. Use one such as Europe/Paris."),
        ("hours.monday", "9-5", "Write spans in order that do not overlap, such as 09:00-12:30, 13:30-17:00."),
        ("hours.monday", "13:00-17:00, 09:00-14:00", "Write spans in order that do not overlap"),
        ("holidays_country", "XX", "No holidays are known for that country."),
        ("holidays", "Christmas", "Write one day a line, such as 2026-12-24."),
        ("people", "olga@acme.test", "Write one person a line"),
        ("people", "olga@acme.test Mars/Olympus", "Write one person a line"),
        ("patience.direct", "soon", "Give a whole number."),
        ("lapse_days", "0", "Give a number from 1 to 730."),
        ("call.certainty", "", "This may not be empty."),
        ("text_mode", "novel", "Give one of these: quote, summary, link."),
    ],
)
def test_a_wrong_field_says_why_and_loses_nothing(olga: Browser, name: str, typed: str, sentence: str) -> None:
    response = olga.post("/settings", {**form_of(olga), "call.exchanges": "7", name: typed})
    assert response.status_code == 400
    assert "Nothing was saved." in words_of(response)
    reader = read(response.text)
    field = next(attributes for _, attributes in reader.tags if attributes.get("name") == name)
    assert field["aria-invalid"] == "true"
    assert f"e-{name}" in (field["aria-describedby"] or "")
    assert sentence in words_of(response)
    kept = next(attributes for _, attributes in reader.tags if attributes.get("name") == "call.exchanges")
    assert kept["value"] == "7"
    assert "Version 1 stands now." in words_of(olga.get("/settings"))


def test_two_people_who_change_settings_at_once_do_not_undo_each_other_unasked(olga: Browser) -> None:
    form = form_of(olga)
    olga.post("/settings", {**form, "daily_cap": "9"})
    late = olga.post("/settings", {**form, "lapse_days": "30"})
    assert late.status_code == 409
    assert "Somebody else changed the settings" in words_of(late)
    again = {
        each["name"]: each["value"] for _, each in read(late.text).tags if each.get("name") in ("version", "lapse_days")
    }
    assert again == {"version": "2", "lapse_days": "30"}


@pytest.mark.parametrize("version", ["", "nonsense", "-1", "99999999999999999999"])
def test_a_version_that_is_none_replaces_nothing(olga: Browser, version: str) -> None:
    assert olga.post("/settings", {**form_of(olga), "version": version}).status_code == 409


def test_a_type_of_field_that_no_page_shows_yet_is_noticed() -> None:
    from service.console.fields import input_for

    with pytest.raises(TypeError, match="colour: Dict has no input"):
        input_for("colour", fields.Dict())


def test_a_key_is_shown_once_works_and_is_revoked(held: Runtime, olga: Browser) -> None:
    made = olga.post("/settings/keys", {"name": "Nightly report", "scope": "read"})
    secret = next(word for word in words_of(made).split() if word.startswith("wl_") and len(word) > 20)
    caller = accounts.caller_of_key(held.db, secret)
    assert caller is not None
    assert caller.scopes == {"read"}
    page_after = olga.get("/settings/keys").text
    assert secret not in page_after
    assert secret[:9] in page_after
    revoke = next(attributes["action"] for tag, attributes in read(page_after).tags if tag == "form" and (attributes["action"] or "").endswith("/revoke"))  # fmt: skip
    assert revoke
    assert olga.post(revoke).location == "/settings/keys?done=revoked"
    assert accounts.caller_of_key(held.db, secret) is None
    assert olga.post(revoke).status_code == 404


def test_a_key_of_another_workspace_cannot_be_revoked(
    held: Runtime, olga: Browser, stranger: Any, signed_in: Callable[[str], Browser]
) -> None:
    made = olga.post("/settings/keys", {"name": "Ours", "scope": "read"})
    path = next(attributes["action"] for tag, attributes in read(made.text).tags if (attributes.get("action") or "").endswith("/revoke"))  # fmt: skip
    assert path
    assert signed_in(stranger.email).post(path).status_code == 404


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"name": "", "scope": "read"}, "Give the key a name"),
        ({"name": "x" * 101, "scope": "read"}, "Give the key a name of at most 100 characters."),
        ({"name": "x"}, "Choose what the key may do."),
        ({"name": "x", "scope": "everything"}, "Choose what the key may do."),
    ],
)
def test_a_key_needs_a_name_and_something_to_do(olga: Browser, data: dict[str, str], sentence: str) -> None:
    response = olga.post("/settings/keys", data)
    assert response.status_code == 400
    assert sentence in words_of(response)


def brand(held: Runtime, workspace_id: Any, name: str) -> Brand:
    with held.db.tenant(workspace_id) as session:
        return session.scalars(select(Brand).where(Brand.name == name)).one()


def test_a_brand_is_added_once(held: Runtime, owner: Any, olga: Browser) -> None:
    assert olga.post("/brands", {"name": "Second"}).location == "/brands?done=brand"
    again = olga.post("/brands", {"name": "Second"})
    assert again.status_code == 400
    assert "There is a brand named Second already." in words_of(again)
    assert olga.post("/brands", {"name": "  "}).status_code == 400


def test_colleagues_are_kept_as_network_and_handle(held: Runtime, owner: Any, olga: Browser) -> None:
    row = brand(held, owner.workspace_id, "Acme")
    olga.post(f"/brands/{row.id}", {"name": "Acme", "colleagues": "Chirp:@Olga\nchirp:rosa, chirp:olga"})
    assert brand(held, owner.workspace_id, "Acme").colleagues == ["chirp:olga", "chirp:rosa"]


def test_a_colleague_who_is_taken_off_the_list_is_known_by_no_id_any_more(
    held: Runtime, owner: Any, olga: Browser
) -> None:
    row = brand(held, owner.workspace_id, "Acme")
    with held.db.tenant(owner.workspace_id) as session:
        session.get_one(Brand, (row.workspace_id, row.id)).colleague_ids = {
            "chirp:olga": "1",
            "chirp:rosa|b.example": "2",
        }
    for typed, kept in (("chirp:Olga, chirp:rosa", 2), ("chirp:rosa", 1), ("chirp:olga, chirp:rosa", 1)):
        olga.post(f"/brands/{row.id}", {"name": "Acme", "colleagues": typed})
        assert len(brand(held, owner.workspace_id, "Acme").colleague_ids) == kept


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("olga", "Write olga with its network before it, such as "),
        ("nosuch:olga", "Write nosuch:olga with its network before it"),
        ("chirp:two words", "chirp:two words is not a handle."),
        ("rolodex:olga", "Write rolodex:olga with its network before it"),
    ],
)
def test_a_handle_that_is_none_is_refused_and_stays_in_the_form(
    held: Runtime, owner: Any, olga: Browser, typed: str, sentence: str
) -> None:
    row = brand(held, owner.workspace_id, "Acme")
    response = olga.post(f"/brands/{row.id}", {"name": "Acme", "colleagues": typed})
    assert response.status_code == 400
    assert sentence in words_of(response)
    assert f">{typed}</textarea>" in response.text


def test_a_brand_cannot_be_bound_to_a_crm_that_is_not_here(held: Runtime, owner: Any, olga: Browser) -> None:
    row = brand(held, owner.workspace_id, "Acme")
    response = olga.post(f"/brands/{row.id}", {"name": "Acme", "crm": str(row.id)})
    assert response.status_code == 400
    assert "Choose a CRM that is connected." in words_of(response)


# --- trying out, and what a change altered --------------------------------------------------------------------


def test_settings_are_tried_out_as_typed_and_nothing_is_saved(held: Runtime, owner: Any, olga: Browser) -> None:
    busy_day(held, owner.workspace_id)
    form = {**form_of(olga), "daily_cap": "9"}
    shown = olga.post("/settings/tryout", form)
    assert "What would change" in words_of(shown)
    assert "Nothing is saved yet." in words_of(shown)
    assert {"id": "daily_cap", "value": "9"}.items() <= next(
        attributes for tag, attributes in read(shown.text).tags if attributes.get("id") == "daily_cap"
    ).items()
    with held.db.tenant(owner.workspace_id) as session:
        assert settings.current(session, owner.workspace_id).version == 1


def test_what_cannot_be_tried_says_why_beside_its_field(olga: Browser) -> None:
    wrong = olga.post("/settings/tryout", {**form_of(olga), "timezone": "Nowhere"})
    assert wrong.status_code == 400
    assert "Not a time zone" in words_of(wrong)


def test_a_held_change_is_said_on_the_first_page_shown_and_approved(held: Runtime, owner: Any, olga: Browser) -> None:
    scene = busy_day(held, owner.workspace_id)
    path = f"/changes/{scene.run}"
    assert "A change is held." in words_of(olga.get("/"))
    assert "The last change is held." in words_of(olga.get("/settings"))
    shown = words_of(olga.get(path))
    assert "more than 50 tasks at once, so nothing of it is written until somebody approves" in shown
    assert "51 tasks would be made, 0 tasks would be withdrawn, 1 task would be changed" in shown

    assert olga.post(f"{path}/approve").location == f"{path}?done=run_approved"

    assert "It was approved" in words_of(olga.get(path))
    assert "A change is held." not in words_of(olga.get("/"))


def test_a_task_that_a_held_change_would_take_back_is_not_said_to_be_gone(
    held: Runtime, owner: Any, olga: Browser
) -> None:
    scene = busy_day(held, owner.workspace_id)
    with held.db.tenant(owner.workspace_id) as session:
        gone = {"wanted": "withdrawn", "closed_at": business_now(), "close_reason": "Ben Frost can wait."}
        session.execute(update(Task).where(Task.id == scene.task).values(state="open", run_id=scene.run, **gone))
    words = words_of(olga.get("/tasks?show=withdrawn"))
    assert "It is to be taken back, and stays in the CRM until somebody approves the change." in words
    assert "can wait" not in words
    with held.db.tenant(owner.workspace_id) as session:
        session.execute(update(Task).where(Task.id == scene.task).values(state="withdrawn", run_id=None))
    assert "Ben Frost can wait. Closed" in words_of(olga.get("/tasks?show=withdrawn"))


def test_a_change_is_undone_once_and_says_so(held: Runtime, owner: Any, olga: Browser) -> None:
    scene = busy_day(held, owner.workspace_id)
    for _ in range(2):
        assert olga.post(f"/changes/{scene.run}/undo").location == f"/changes/{scene.run}?done=run_undone"
    assert "It was undone" in words_of(olga.get(f"/changes/{scene.run}"))


def test_saving_leads_to_what_the_change_altered(olga: Browser) -> None:
    olga.post("/settings", form_of(olga))
    page = olga.get("/settings")
    assert "Everything is being judged again after the last change." in words_of(page)
    [link] = [
        attributes["href"]
        for tag, attributes in read(page.text).tags
        if (attributes.get("href") or "").startswith("/changes/")
    ]
    assert "A change of settings" in words_of(olga.get(link or ""))


def test_a_change_on_which_others_rest_is_not_undone(held: Runtime, owner: Any, olga: Browser) -> None:
    scene = busy_day(held, owner.workspace_id)
    olga.post("/settings", form_of(olga))
    refused = olga.post(f"/changes/{scene.run}/undo")
    assert refused.status_code == 409
    assert "Later changes rest on this one" in words_of(refused)
