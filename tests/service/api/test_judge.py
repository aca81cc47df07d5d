"""Judge: one talk is handed in, the verdicts of both rules come back, and nothing is kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from service.api.judge import EXAMPLE, LONGEST, MOST_POSTS
from service.models import Base, Tenant
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.api.checking import check
from tests.service.api.conftest import Client

NOW = "2026-03-12T12:00:00Z"
DAY_AND_NIGHT = {
    "hours": {day: ["00:00-24:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")}
}  # fmt: skip


def judged(client: Client, *posts: dict[str, Any], **rest: Any) -> Any:
    response = client.post("/judge", {"posts": list(posts), "now": NOW, "settings": DAY_AND_NIGHT, **rest})
    assert response.status_code == 200, response.get_data(as_text=True)
    return response.get_json()


def asks(at: str = "2026-03-12T06:00:00Z", **fields: Any) -> dict[str, Any]:
    return {"id": "q", "at": at, "author": "ana", "text": "Do you ship to Porto?", **fields}


def test_a_question_that_waits_is_found_with_the_words_of_its_task(reader: Client) -> None:
    found = judged(reader, asks(network="Forum"), contact={"name": "Ana Ferrer"})["unanswered"]

    assert found["finding"]["episode"] == "q"
    assert found["finding"]["kind"] == "unanswered"
    assert "Ana Ferrer" in found["finding"]["subject"]
    assert "Do you ship to Porto?" in found["finding"]["body"]
    assert found["waiting_since"] == "2026-03-12T06:00:00Z"
    assert all(reason.endswith(".") for reason in found["reasons"])
    assert found["finding"]["body"].startswith(found["reasons"][0])


def test_somebody_whom_nobody_names_is_spoken_of_in_whole_sentences(reader: Client) -> None:
    found = judged(reader, {"at": "2026-03-12T06:00:00Z", "text": "Do you ship to Porto?"})
    assert found["person"] == "them"
    assert found["unanswered"]["finding"]["subject"].startswith("Answer Somebody")
    assert found["unanswered"]["reasons"][0].startswith("Somebody asked")


def test_before_patience_ends_there_is_no_finding_and_a_time_to_look_again(reader: Client) -> None:
    found = judged(reader, asks("2026-03-12T11:30:00Z"))["unanswered"]

    assert found["finding"] is None
    assert found["look_again_at"] == "2026-03-12T13:30:00Z"


def test_settings_of_the_request_are_laid_over_those_that_stand(reader: Client) -> None:
    patient = {**DAY_AND_NIGHT, "patience": {"question": 20}}
    assert judged(reader, asks("2026-03-12T11:30:00Z"), settings=patient)["unanswered"]["finding"] is not None
    assert reader.get("/settings").get_json()["version"] == 1


@pytest.mark.parametrize("link", [{"in_reply_to": "q"}, {"mentions": ["ana"]}, {"kind": "direct"}, {}])
def test_an_answer_ends_the_wait_however_it_is_linked(reader: Client, link: dict[str, Any]) -> None:
    out = {"id": "a", "at": "2026-03-12T07:00:00Z", "direction": "out", "text": "We do.", **link}
    found = judged(reader, asks(), out)["unanswered"]
    assert (found["finding"], found["waiting_since"]) == (None, None)


def test_an_answer_to_somebody_else_ends_nothing(reader: Client) -> None:
    other = {"id": "o", "at": "2026-03-12T06:30:00Z", "author": "zed", "text": "And to Faro?"}
    out = {"id": "a", "at": "2026-03-12T07:00:00Z", "direction": "out", "text": "We do.", "in_reply_to": "o"}
    assert judged(reader, asks(), other, out, person="ana")["unanswered"]["finding"] is not None
    assert judged(reader, asks(), other, out)["person"] == "zed"


def test_the_order_of_the_posts_changes_nothing(reader: Client) -> None:
    posts = EXAMPLE["posts"]
    assert isinstance(posts, list)
    assert judged(reader, *posts) == judged(reader, *reversed(posts))


def test_a_wish_to_talk_is_ready_and_a_call_logged_since_ends_that(reader: Client) -> None:
    wish = {"id": "w", "at": "2026-03-11T10:00:00Z", "author": "ana", "text": "Can we have a call next week?"}
    out = {"id": "a", "at": "2026-03-11T11:00:00Z", "direction": "out", "text": "Sure.", "in_reply_to": "w"}
    ready = judged(reader, wish, out, contact={"name": "Ana Ferrer", "phone": "+351 555 0100"})["ready_for_call"]
    assert ready["stage"] == "ready to talk"
    assert "+351 555 0100" in ready["finding"]["body"]

    call = {"kind": "call", "at": "2026-03-12T09:00:00Z", "outcome": "connected"}
    talked = judged(reader, wish, out, activities=[call])["ready_for_call"]
    assert (talked["finding"], talked["stage"]) == (None, "talked")


def test_a_call_that_the_crm_has_logged_since_ends_the_wait(reader: Client) -> None:
    call = {"kind": "call", "at": "2026-03-12T09:00:00Z", "direction": "out", "outcome": "connected"}
    assert judged(reader, asks())["unanswered"]["finding"] is not None
    assert judged(reader, asks(), activities=[call])["unanswered"]["finding"] is None


def test_a_deal_under_way_makes_the_wait_more_urgent_and_a_bot_waits_for_nobody(reader: Client) -> None:
    plain = judged(reader, asks(), contact={"name": "Ana"})["unanswered"]["finding"]
    deal = judged(reader, asks(), contact={"name": "Ana", "lifecycle": "opportunity"})["unanswered"]["finding"]
    assert deal["urgency"] > plain["urgency"]
    assert judged(reader, asks(bot=True))["unanswered"]["finding"] is None


@pytest.mark.parametrize(
    "reason", [{"contact": {"do_not_call": True}}, {"meetings": [{"at": "2026-03-13T09:00:00Z"}]}]
)  # fmt: skip
def test_nobody_is_to_be_called_who_must_not_be_or_will_be_met_anyway(reader: Client, reason: dict[str, Any]) -> None:
    wish = {"id": "w", "at": "2026-03-11T10:00:00Z", "author": "ana", "text": "Can we have a call next week?"}
    assert judged(reader, wish, **reason)["ready_for_call"]["finding"] is None


def test_the_example_of_the_document_can_be_sent_as_it_is(reader: Client) -> None:
    response = reader.post("/judge", EXAMPLE)
    assert response.status_code == 200
    assert response.get_json()["unanswered"]["finding"]["episode"] == "3"


def test_nothing_is_stored(reader: Client, held: Runtime, owner: Member) -> None:
    tables = sorted(mapper.local_table.name for mapper in Base.registry.mappers if issubclass(mapper.class_, Tenant))

    def rows() -> dict[str, int]:
        with held.db.tenant(owner.workspace_id) as session:
            return {table: session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables}

    before = rows()
    judged(reader, asks())
    assert rows() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"posts": []}, "posts"),
        ({"posts": [asks()] * 2}, "posts"),
        ({"posts": [asks(), {"at": NOW, "direction": "out"}], "person": "zed"}, "person"),
        ({"posts": [{"at": NOW, "direction": "out"}]}, "posts"),
        ({"posts": [asks(id=str(number)) for number in range(MOST_POSTS + 1)]}, "posts"),
        ({"posts": [asks(text="a" * (LONGEST + 1))]}, "posts.0.text"),
        ({"posts": [asks("0001-01-01T00:00:00+14:00")]}, "posts.0.at"),
        ({"posts": [asks()], "settings": {"patience": {"question": -1}}}, "settings.patience.question"),
        ({"posts": [asks()], "settings": {"hours": {"monday": ["09:00-12:00", "11:00-13:00"]}}}, "settings.hours.monday"),
        ({"posts": [asks()], "meetings": [{"at": NOW, "ends_at": "2020-01-01T00:00:00Z"}]}, "meetings.0.ends_at"),
        ({"posts": [asks()], "activities": [{"kind": "call", "at": NOW, "ends_at": "2020-01-01T00:00:00Z"}]}, "activities.0.ends_at"),
        ({"posts": [asks()], "settings": {"colour": "red"}}, "settings.colour"),
    ],
)  # fmt: skip
def test_what_cannot_be_judged_is_refused_by_name(reader: Client, body: dict[str, Any], field: str) -> None:
    response = reader.post("/judge", body)
    check(response, 422)
    assert field in [error["field"] for error in response.get_json()["errors"]]


@pytest.mark.parametrize("odd", ["\ud800", "a\x00b", "\u200fשלום?", "👩‍👩‍👧‍👦" * 500, ""])
def test_no_text_is_too_odd(reader: Client, odd: str) -> None:
    assert judged(reader, asks(text=odd))["person"] == "ana"
