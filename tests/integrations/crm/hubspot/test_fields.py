"""HubSpot's properties and our records, both ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations import body
from integrations.crm.hubspot import fields
from integrations.crm.hubspot.fields import ACTIVITIES, Portal
from integrations.records import Activity, ActivityKind, Direction, Handle, TaskStatus

PORTAL = Portal(
    "1", "https://app.hubspot.com", "warmline_key", True, (("twitterhandle", "x"), ("social", None)), ("dnc",)
)
AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def row(**properties: str | None) -> dict[str, object]:
    return {"id": "5", "properties": properties, "archived": False}


@pytest.mark.parametrize(
    "value",
    [
        "1700000000000",
        1700000000000,
        "2023-11-14T22:13:20Z",
        "2023-11-14T22:13:20.000Z",
        "2023-11-15T00:13:20+02:00",
        "2023-11-14T22:13:20",
    ],
)
def test_instants_are_read_in_every_form(value: object) -> None:
    assert fields.instant(value) == AT


@pytest.mark.parametrize("value", ["", None, "soon", "99999999999999999999", "2023-13-01", "٣"])
def test_what_is_no_instant_is_none(value: object) -> None:
    assert fields.instant(value) is None


@given(st.integers(0, 4_000_000_000_000))
def test_milliseconds_survive_being_written_and_read(stamp: int) -> None:
    found = fields.instant(str(stamp))
    assert found is not None
    assert fields.milliseconds(fields.iso(found)) == stamp


def test_a_contact_has_all_that_matching_and_wording_need() -> None:
    found = fields.contact(
        row(
            firstname=" Ada ", lastname="Lovelace", email="ada@example.com", hs_additional_emails="a@example.org;ada@example.com",
            phone="+1 555 0100", company="Engines", jobtitle="Analyst", website="example.com", city="London", state="",
            country="UK", hubspot_owner_id="7", twitterhandle="@ada", social="https://example.social/@ada",
            hs_email_optout="true", dnc="Yes", lifecyclestage="lead", hs_object_source_label="IMPORT", lastmodifieddate="1700000000000",
        ),
        PORTAL,
    )  # fmt: skip

    assert (found.name, found.emails, found.phones) == (
        "Ada Lovelace",
        ("ada@example.com", "a@example.org"),
        ("+1 555 0100",),
    )
    assert (found.company, found.title, found.city, found.region, found.country) == (
        "Engines",
        "Analyst",
        "London",
        "",
        "UK",
    )
    assert found.handles == (Handle("x", "ada"), Handle(None, "https://example.social/@ada"))
    assert (found.owner_id, found.source, found.lifecycle) == ("7", "IMPORT", "lead")
    assert (found.unsubscribed, found.do_not_call, found.updated_at) == (True, True, AT)
    assert found.url == "https://app.hubspot.com/contacts/1/record/0-1/5"


@pytest.mark.parametrize(
    ("properties", "source"),
    [
        ({"hs_object_source_label": "CRM_UI", "hs_object_source_detail_1": "userId:1"}, "CRM_UI"),
        ({"hs_object_source_label": "IMPORT", "hs_object_source_detail_1": "leads 2024.csv"}, "IMPORT: leads 2024.csv"),
        ({"hs_object_source_label": "Integration", "hs_object_source_detail_1": "ZoomInfo"}, "Integration: ZoomInfo"),
        ({"hs_object_source": "FORM"}, "FORM"),
        ({"hs_analytics_source": "OFFLINE", "hs_analytics_source_data_1": "IMPORT"}, "IMPORT"),
        ({"hs_analytics_source": "ORGANIC_SEARCH", "hs_analytics_source_data_1": "x"}, "ORGANIC_SEARCH"),
        ({}, ""),
    ],
)
def test_how_a_contact_came_is_told_by_whatever_says_it(properties: dict[str, str], source: str) -> None:
    assert fields.contact(row(**properties), PORTAL).source == source


def test_a_contact_of_whom_nothing_is_known_is_a_contact() -> None:
    found = fields.contact({"id": 5}, PORTAL)

    assert (found.id, found.name, found.emails, found.handles, found.owner_id, found.updated_at) == (
        "5",
        "",
        (),
        (),
        None,
        None,
    )


@pytest.mark.parametrize(
    ("kind", "properties", "direction", "outcome"),
    [
        ("calls", {"hs_call_direction": "OUTBOUND", "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7"}, Direction.OUT, "connected"),
        ("calls", {"hs_call_direction": "INBOUND", "hs_call_status": "COMPLETED"}, Direction.IN, "connected"),
        ("calls", {"hs_call_disposition": "B2CF5968-551E-4856-9783-52B3DA59A7D0", "hs_call_status": "COMPLETED"}, Direction.NONE, "no_answer"),
        ("calls", {"hs_call_status": "NO_ANSWER"}, Direction.NONE, "no_answer"),
        ("calls", {"hs_call_status": "A_NEW_ONE"}, Direction.NONE, ""),
        ("meetings", {"hs_meeting_outcome": "SCHEDULED"}, Direction.NONE, "scheduled"),
        ("meetings", {"hs_meeting_outcome": "COMPLETED"}, Direction.NONE, "held"),
        ("meetings", {"hs_meeting_outcome": "NO_SHOW"}, Direction.NONE, "no_answer"),
        ("meetings", {"hs_meeting_outcome": "CANCELED"}, Direction.NONE, "cancelled"),
        ("emails", {"hs_email_direction": "INCOMING_EMAIL"}, Direction.IN, "replied"),
        ("emails", {"hs_email_direction": "EMAIL"}, Direction.OUT, "sent"),
        ("emails", {"hs_email_direction": "EMAIL", "hs_email_status": "BOUNCED"}, Direction.OUT, ""),
        ("emails", {"hs_email_direction": "FORWARDED_EMAIL"}, Direction.NONE, ""),
        ("communications", {}, Direction.NONE, ""),
        ("notes", {}, Direction.NONE, ""),
    ],
)  # fmt: skip
def test_an_activity_says_which_way_it_went_and_how_it_ended(
    kind: str, properties: dict[str, str], direction: Direction, outcome: str
) -> None:
    found = fields.activity(row(hs_timestamp="1700000000000", **properties), ACTIVITIES[kind], ["9"])

    assert isinstance(found, Activity)
    assert (found.direction, found.outcome, found.at, found.contact_ids) == (direction, outcome, AT, ("9",))


def test_a_meeting_starts_and_ends_when_it_says() -> None:
    values = {
        "hs_timestamp": "1",
        "hs_meeting_start_time": "2023-11-14T22:13:20Z",
        "hs_meeting_end_time": "1700003600000",
    }

    found = fields.activity(row(**values), ACTIVITIES["meetings"], [])

    assert found is not None
    assert (found.kind, found.at, found.ends_at) == (
        ActivityKind.MEETING,
        AT,
        datetime(2023, 11, 14, 23, 13, 20, tzinfo=UTC),
    )


@pytest.mark.parametrize("status", ["NOT_STARTED", "IN_PROGRESS", "WAITING", "DEFERRED", "A_NEW_ONE", None])
def test_only_a_completed_task_is_done(status: str | None) -> None:
    assert fields.task_state(row(hs_task_status=status), PORTAL).status is TaskStatus.OPEN
    assert fields.task_state(row(hs_task_status="COMPLETED"), PORTAL).status is TaskStatus.COMPLETED


def test_a_task_is_the_only_one_with_its_key_where_hubspot_keeps_it_unique() -> None:
    assert [fields.task_state(row(), replace(PORTAL, unique=each)).sole for each in (True, False)] == [True, False]


# --- a task's body ----------------------------------------------------------------------------------------------

_texts = st.text(
    st.one_of(st.characters(exclude_categories=("Cs",), exclude_characters="\r"), st.sampled_from("<>&\"'; \n#=/"))
)
_links = st.sampled_from(
    [
        "https://x.example/a?b=1&amp=2",
        "http://é.example/ü#f",
        "https://x.example/(a)",
        "https://",
        "&lt;",
        "&#10;",
        "<br>",
        "<!--",
        "]]>",
    ]
)


@given(st.lists(st.one_of(_texts, _links)).map("".join))
def test_a_body_that_nobody_touched_reads_back_as_it_was_written(text: str) -> None:
    assert body.to_text(body.to_html(text)) == text


@given(st.lists(st.one_of(_texts, _links)).map("".join))
def test_a_body_that_carries_our_key_reads_back_as_it_was_written(text: str) -> None:
    assert body.unmark(body.to_text(body.to_html(body.mark(text, "a:b/c-1")))) == (text, "a:b/c-1")


@given(_texts)
def test_nothing_that_somebody_wrote_becomes_markup(text: str) -> None:
    html = body.to_html(text)

    for ours in ("<br>", "</a>"):
        html = html.replace(ours, "")
    assert html.count("<") == html.count('<a href="')


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain\nlines &amp; all", "plain\nlines & all"),
        ("<p>One</p>\n<p>Two</p>", "One\nTwo"),
        ('<div style="" dir="auto"><p style="margin:0;">One</p><p>Two<br>Three</p></div>', "One\nTwo\nThree"),
        ("<ul><li>a</li><li>b</li></ul>end", "a\nb\nend"),
        ('see <a href="https://x.example/1">the post</a>', "see the post (https://x.example/1)"),
        ('<a href="https://x.example/1"></a>', "https://x.example/1"),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ("<script>alert(1)</script>Hi<style>p{}</style>", "Hi"),
        ("<b>unclosed <i>tags", "unclosed tags"),
        ("laid\n  out <b>source</b>", "laid out source"),
        ("</p></p>stray", "stray"),
    ],
)
def test_what_a_person_made_of_a_body_is_read_as_text(html: str, text: str) -> None:
    assert body.to_text(html) == text


def test_a_link_ends_where_the_sentence_goes_on() -> None:
    assert body.to_html("(see https://x.example/1).") == '(see <a href="https://x.example/1">https://x.example/1</a>).'


def test_line_ends_of_every_kind_are_line_breaks() -> None:
    assert body.to_html("a\r\nb\rc\nd") == "a<br>b<br>c<br>d"
