"""The story: from an account that is connected to a task that closes by itself, with everything that happens between."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.sandbox_server import CRMTask
from tests.service.console.conftest import words_of
from tests.story.conftest import THURSDAY, Story

pytestmark = pytest.mark.story

OLGA, SALEH = "71", "72"  # owners in the CRM; Olga is the one who connects the accounts
ANA, GRETA = 501, 502  # contacts there
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
ACCOUNTS = (
    {"id": 11, "handle": "acme", "name": "Acme Cargo", "brand": True},
    {"id": 12, "handle": "bolt", "name": "Bolt", "brand": True},
    {"id": 21, "handle": "ana", "name": "Ana Ferrer"},
    {"id": 22, "handle": "greta", "name": "Greta Schulz", "website": "https://kiezkurier.example"},
    {"id": 23, "handle": "zed", "name": "Zed"},
)
CONTACTS = (
    {"id": ANA, "firstname": "Ana", "lastname": "Ferrer", "email": "ana@ferrer.example", "twitterhandle": "ana",
     "hubspot_owner_id": SALEH},
    {"id": GRETA, "firstname": "Greta", "lastname": "Schulz", "email": "greta@kiezkurier.example", "company": "Kiez Kurier",
     "website": "https://kiezkurier.example", "phone": "+49 30 555 0108", "hubspot_owner_id": SALEH},
)  # fmt: skip
OWNERS = (
    {"id": OLGA, "email": "olga@acme.test", "first_name": "Olga", "last_name": "Owner"},
    {"id": SALEH, "email": "saleh@acme.test", "first_name": "Saleh", "last_name": "Seller"},
)


# What Greta and Acme said to each other, every five days.
TALK = (
    (
        "We send 40 parcels a day from Berlin and our carrier keeps losing them. Do you pick up daily?",
        "We do, six days a week.",
    ),
    (
        "Good. Two of ours went missing again last week. How do you track each box?",
        "Each is scanned at every stop; you see it live.",
    ),
    (
        "That would save us hours. Could you take 60 a day when we open our second shop in May?",
        "Yes, with a van of your own.",
    ),
    ("My colleague wants to know what a month of that would cost us.", "About 900 euros; it depends on the streets."),
    (
        "We compared it with what we pay now, and it looks good. How long is your notice period?",
        "One month, at any time.",
    ),
    ("One month suits us. We want to decide by the end of next week.", "Take the time you need, Greta."),
)


def test_the_whole_story(story: Story) -> None:
    people_have_talked_for_weeks(story)
    both_accounts_are_connected_through_their_consent_pages(story)
    posts_are_pulled_and_it_is_known_who_is_who(story)
    nothing_is_written_before_somebody_has_looked(story)
    a_wait_is_a_task_with_its_reasons(story)
    the_signed_link_asks_before_it_does_anything(story)
    a_call_is_suggested_after_weeks_of_talk_and_logging_one_takes_it_back(story)
    an_answer_on_the_network_completes_the_task(story)
    a_nudge_keeps_the_task_and_a_new_message_is_a_new_one(story)
    what_a_person_completes_stays_closed(story)
    whoever_asks_to_talk_gets_a_call_task_at_once(story)
    a_token_that_runs_out_is_renewed_once_however_many_want_it(story)
    a_withdrawn_consent_asks_for_a_person_and_a_new_one_heals_it(story)
    an_account_of_another_brand_of_ours_ends_nothing(story)
    nothing_was_ever_made_twice(story)


def people_have_talked_for_weeks(story: Story) -> None:
    posts = [_post("100", 21, THURSDAY - 19 * HOUR, "@acme Do you ship to Porto?")]
    for number, (question, answer) in enumerate(TALK):
        asked = THURSDAY - 28 * DAY + number * 5 * DAY
        before = f"3{number - 1}" if number else None
        posts += [
            _post(f"2{number}", 22, asked, f"@acme {question}", before),
            _post(f"3{number}", 11, asked + HOUR, f"@greta {answer}", f"2{number}"),
        ]
    story.outside.load(accounts=list(ACCOUNTS), posts=posts, contacts=list(CONTACTS), owners=list(OWNERS))


def both_accounts_are_connected_through_their_consent_pages(story: Story) -> None:
    assert "X is connected as acme. The first pull is on its way." in story.connects("x", "acme")
    page = story.connects("hubspot")
    assert "HubSpot is connected as" in page
    assert "Preview" in page


def posts_are_pulled_and_it_is_known_who_is_who(story: Story) -> None:
    story.run()

    [(posts,)] = story.sql("SELECT count(*) FROM engagements")
    assert posts == 13
    assert _known(story) == {"ana": "501", "greta": "502"}
    assert "Last post arrived less than a minute ago." in story.reads("/connections")
    assert "Do you ship to Porto?" in story.reads("/conversations")
    assert "waiting" in story.reads("/conversations")


def nothing_is_written_before_somebody_has_looked(story: Story) -> None:
    crm = story.connection("crm")
    page = story.reads(f"/connections/{crm.id}/preview")
    assert "2 tasks would be made" in page
    assert "Ana Ferrer asked a question on X on 11 March and nobody has answered yet." in page
    assert story.outside.tasks() == []

    story.presses(f"/connections/{crm.id}/approve")
    story.run()

    assert len(story.outside.open_tasks()) == 2


def a_wait_is_a_task_with_its_reasons(story: Story) -> None:
    task = _open(story, "Answer")
    assert task.subject == "Answer Ana Ferrer: asked a question on X"
    assert task.contacts == (ANA,)
    assert task.owner == OLGA  # who can log in as Acme, not who owns the contact
    assert "Ana Ferrer asked a question on X on 11 March and nobody has answered yet." in task.body
    assert "Do you ship to Porto?" in task.body
    assert f"{story.outside.url}/x/ana/status/100" in task.body  # opens the post, ready to be answered
    assert story.outside.http.get(f"{story.outside.url}/x/ana/status/100", timeout=10).status_code == 200
    assert "No reply needed?" in task.body


def the_signed_link_asks_before_it_does_anything(story: Story) -> None:
    [link] = set(re.findall(r"http://warmline\.test/t/[\w-]+", _open(story, "Answer").body))
    answer = story.browser.get(urlsplit(link).path)
    assert answer.status_code == 200
    assert "Answer Ana Ferrer: asked a question on X" in words_of(answer)
    story.run()
    assert _open(story, "Answer").open


def a_call_is_suggested_after_weeks_of_talk_and_logging_one_takes_it_back(story: Story) -> None:
    task = _open(story, "Call")
    assert task.subject.startswith("Call Greta Schulz")
    assert (task.contacts, task.owner) == ((GRETA,), SALEH)
    assert "You have gone back and forth 6 times over 4 weeks, last on 9 March." in task.body
    assert "+49 30 555 0108" in task.body

    story.passes(HOUR)
    story.outside.logs_call(GRETA)
    story.look()

    assert [each for each in story.outside.tasks() if each.id == task.id] == []  # taken back, not "completed"
    [(stage,)] = story.sql(
        "SELECT stage FROM relationships r JOIN contacts c ON c.id = r.contact_id WHERE c.native_id = '502'"
    )
    assert stage == "talked"


def an_answer_on_the_network_completes_the_task(story: Story) -> None:
    task = _open(story, "Answer")
    answer = story.outside.writes("acme", "@ana Yes, within three days.", to="100")
    story.look()

    [done] = [each for each in story.outside.tasks() if each.id == task.id]
    assert not done.open
    assert "Answered on X on 12 March at 11:00" in done.body
    assert answer in done.body
    assert "waiting" not in story.reads("/conversations")


def a_nudge_keeps_the_task_and_a_new_message_is_a_new_one(story: Story) -> None:
    made = story.outside.tasks_ever_created()
    asked = story.outside.writes("ana", "@acme And what does it cost to the Azores?", to="100")
    story.passes(3 * HOUR)
    story.look()
    task = _open(story, "Answer Ana")
    story.outside.writes("ana", "@acme Anybody there?", to=asked)
    story.passes(HOUR)
    story.look()
    assert [each.id for each in story.outside.open_tasks()] == [task.id]
    assert "They have written once since." in _open(story, "Answer Ana").body

    story.outside.writes("acme", "@ana 40 euros.", to=asked)
    story.passes(20 * HOUR)
    story.outside.writes("ana", "@acme Which carrier takes it there?", to=asked)
    story.passes(3 * HOUR)
    story.look()

    assert _open(story, "Answer Ana").id != task.id
    assert story.outside.tasks_ever_created() == made + 2


def what_a_person_completes_stays_closed(story: Story) -> None:
    made = story.outside.tasks_ever_created()
    story.outside.completes(_open(story, "Answer Ana"))
    story.look()
    story.passes(3 * DAY)
    story.look()

    assert story.outside.open_tasks() == []
    assert story.outside.tasks_ever_created() == made
    assert story.tasks(closed_by="crm") != []


def whoever_asks_to_talk_gets_a_call_task_at_once(story: Story) -> None:
    story.outside.messages("ana", "acme", "Could we have a call next week? I would like to order twenty.")
    story.passes(timedelta(minutes=10))
    story.outside.messages("acme", "ana", "Gladly.")
    story.look()

    task = _open(story, "Call Ana")
    assert task.subject == "Call Ana Ferrer: they asked to talk"
    assert "Ana Ferrer asked to talk on X" in task.body
    assert (task.contacts, task.owner) == ((ANA,), SALEH)
    story.outside.completes(task)
    story.look()


def a_token_that_runs_out_is_renewed_once_however_many_want_it(story: Story) -> None:
    before = _tokens_held(story, "social")
    story.outside.writes("zed", "@acme Is the hitch sold separately?")
    story.outside.fails("x", "expire_tokens")
    story.due()
    story.run_side_by_side()
    story.look()  # who had to wait for the others' new token comes back for it

    assert _tokens_held(story, "social") == before + 1
    assert story.health("social") == ("active", "")
    assert story.sql("SELECT text FROM engagements WHERE text LIKE '%hitch%'") != []
    assert story.sql("SELECT error FROM streams WHERE error <> ''") == []


def a_withdrawn_consent_asks_for_a_person_and_a_new_one_heals_it(story: Story) -> None:
    cursors = _cursors(story)
    story.outside.fails("x", "revoke")
    story.look()
    status, why = story.health("social")
    assert status == "needs_reauth"
    assert why.startswith("X no longer accepts this consent")
    page = story.reads("/connections")
    assert "Needs you" in page
    assert "Reconnect" in page
    assert story.health("crm") == ("active", "")
    assert _cursors(story) == cursors

    story.outside.writes("zed", "@acme And in which colours?")  # while nobody is listening
    connection = story.connection("social")
    reads = _posts_read(story)
    assert "X is connected as acme." in story.through_consent(f"/connections/{connection.id}/reconnect", "acme")
    assert _cursors(story) == cursors  # it goes on from where it stood
    story.run()

    assert story.connection("social").id == connection.id
    assert story.health("social") == ("active", "")
    assert story.sql("SELECT text FROM engagements WHERE text LIKE '%colours%'") != []
    assert _posts_read(story) - reads < 13  # and does not read everything again


def an_account_of_another_brand_of_ours_ends_nothing(story: Story) -> None:
    story.passes(2 * HOUR + timedelta(minutes=5))
    story.look()
    task = _open(story, "Answer Zed")  # one at a time: the other question is held
    story.presses("/brands", name="Bolt")
    [(bolt,)] = story.sql("SELECT id FROM brands WHERE name = 'Bolt'")
    assert "X is connected as bolt." in story.connects("x", "bolt", brand=str(bolt))
    story.run()

    [(question,)] = story.sql("SELECT DISTINCT native_id FROM engagements WHERE text LIKE '%hitch%'")
    story.outside.writes("bolt", "@zed Ours comes with one.", to=question)
    story.look()
    assert task.id in [each.id for each in story.outside.open_tasks()]

    story.passes(timedelta(minutes=1))
    story.outside.writes("acme", "@zed It does, in black.", to=question)
    story.look()
    assert not next(each for each in story.outside.tasks() if each.id == task.id).open


def nothing_was_ever_made_twice(story: Story) -> None:
    made = story.outside.tasks_ever_created()
    story.sql("UPDATE streams SET cursor = NULL WHERE workspace_id = :w")
    story.look()
    assert story.outside.tasks_ever_created() == made == _sent(story)


# --- looking things up ----------------------------------------------------------------------------------------


def _post(id: str, author: int, at: datetime, text: str, to: str | None = None) -> dict[str, Any]:
    return {"id": id, "author_id": author, "created_at": at.isoformat(), "text": text, "in_reply_to": to}


def _open(story: Story, begins: str) -> CRMTask:
    [task] = [each for each in story.outside.open_tasks() if each.subject.startswith(begins)]
    return task


def _known(story: Story) -> dict[str, str]:
    """Handle of the author -> the contact who it is."""
    rows = story.sql(
        "SELECT a.handle, c.native_id FROM matches m JOIN authors a ON a.id = m.author_id JOIN contacts c ON c.id = m.contact_id"
        " WHERE m.state = 'confirmed'"
    )
    return {row[0]: row[1] for row in rows}


def _tokens_held(story: Story, kind: str) -> int:
    """How many sets of tokens a connection has been given so far."""
    [(version,)] = story.sql("SELECT version FROM credentials WHERE connection_id = :id", id=story.connection(kind).id)
    return int(version)


def _cursors(story: Story) -> dict[str, str | None]:
    rows = story.sql("SELECT name, cursor FROM streams WHERE connection_id = :id", id=story.connection("social").id)
    return {row[0]: row[1] for row in rows}


def _posts_read(story: Story) -> int:
    """What X has been paid for."""
    [(reads,)] = story.sql(
        "SELECT coalesce(sum((r.value)::int), 0) FROM streams s, jsonb_each_text(s.reads) r WHERE r.key LIKE '%post%'"
    )
    return int(reads)


def _sent(story: Story) -> int:
    [(sent,)] = story.sql("SELECT count(*) FROM tasks WHERE external_id IS NOT NULL")
    return int(sent)
