"""The built-in scenario, twice on one data folder: everybody in it ends as designed, and nothing is made twice."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from service.demo.scenario import ACCOUNTS, DELETED, HANDLE, MESSAGES, POSTS
from tests.service.demo.conftest import demo, held_in, rows


@dataclass
class Person:
    """How somebody stands after the demo."""

    tasks: list[tuple[str, str, str]] = field(default_factory=list)  # kind, state, subject
    matches: list[tuple[str, str]] = field(default_factory=list)  # state, contact
    calm: list[str] = field(default_factory=list)  # why nobody waits, per conversation
    waits: int = 0
    stage: str = ""

    def open(self, kind: str) -> list[str]:
        return [subject for of, state, subject in self.tasks if (of, state) == (kind, "open")]


@dataclass
class Outcome:
    first: dict[str, Any]
    second: dict[str, Any]
    people: dict[str, Person]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    home = tmp_path_factory.mktemp("home")
    first, second = demo(home), demo(home)
    return Outcome(first, second, _people(home / "demo"))


def _people(folder: Path) -> dict[str, Person]:
    people: dict[str, Person] = defaultdict(Person)
    with held_in(folder) as connection:
        for handle, *task in rows(
            connection,
            "SELECT a.handle, t.kind, t.state, t.content->>'subject' FROM tasks t JOIN authors a ON a.id = t.author_id ORDER BY t.since",
        ):
            people[handle].tasks.append((task[0], task[1], task[2]))
        for handle, state, contact in rows(
            connection,
            "SELECT a.handle, m.state, c.native_id FROM matches m JOIN authors a ON a.id = m.author_id"
            " JOIN contacts c ON c.id = m.contact_id ORDER BY c.native_id",
        ):
            people[handle].matches.append((state, contact))
        for handle, since, reasons in rows(
            connection,
            "SELECT a.handle, v.waiting_since, v.reasons FROM conversations v JOIN authors a ON a.id = v.author_id ORDER BY v.waiting_since",
        ):
            people[handle].waits += since is not None
            people[handle].calm += [] if since else reasons
        for handle, stage in rows(
            connection,
            "SELECT a.handle, r.stage FROM relationships r JOIN matches m ON m.contact_id = r.contact_id AND m.state = 'confirmed'"
            " JOIN authors a ON a.id = m.author_id",
        ):
            people[handle].stage = stage
    return people


def test_a_second_run_prints_the_same_figures(outcome: Outcome) -> None:
    first, second = (
        {name: value for name, value in run.items() if name != "seconds"} for run in (outcome.first, outcome.second)
    )
    assert first == second


def test_the_figures_are_those_of_the_scenario(outcome: Outcome) -> None:
    found = outcome.first
    assert found["pulled"] == len(POSTS) + len(MESSAGES) - len(DELETED)
    assert found["authors"] == len(ACCOUNTS)
    assert (found["matched"], found["suggested"]) == (8, 2)
    assert found["tasks"] == {"unanswered": 7, "ready_for_call": 2, "held": 0}
    assert found["crm_tasks"] == 9
    assert {"load", "connect", "run", "count"} <= set(found["seconds"])


@pytest.mark.parametrize(
    ("handle", "unanswered", "call"),
    [
        ("annabakes", ["Answer Anna Lindqvist: asked about prices on X"], []),  # left waiting; her nudge makes no second task
        ("dev_patel_rides", ["Answer Dev Patel: reported a problem on X"], []),  # left waiting with a problem
        ("bramdevries", ["Answer Bram de Vries: asked a question on X"], []),  # a private message
        ("kit_the_carter", ["Answer Kit: asked a question on X"], []),  # nobody whom the CRM knows
        ("emma_green", ["Answer Emma Green: asked a question on X"], []),
        ("chiaramonti", ["Answer Chiara Monti: asked to talk on X"], ["Call Chiara Monti: they asked to talk"]),
        ("gretaschulz", [], ["Call Greta Schulz: you keep talking on X"]),  # weeks of back and forth
        ("hugo_mtl", ["Answer Hugo Tremblay: asked a question on X"], []),  # our answer to his first question is gone
        ("farouk_h", [], []),  # answered natively, and a last polite word
        ("ines_alves", [], []),  # a last polite word
        ("jkowalski", [], []),  # answered; what we write to somebody who is silent is no reason to write again
        ("noor_amin", [], []),  # hearts need no answer
        ("dealsbot9000", [], []),  # a broadcast that names everybody
        (HANDLE, [], []),  # ourselves
        ("tomas_fernhill", [], []),  # a colleague
    ],
)  # fmt: skip
def test_everybody_ends_as_designed(outcome: Outcome, handle: str, unanswered: list[str], call: list[str]) -> None:
    person = outcome.people[handle]
    assert person.open("unanswered") == unanswered
    assert person.open("ready_for_call") == call


def test_a_question_that_was_taken_back_is_withdrawn_and_the_first_one_waits_again(outcome: Outcome) -> None:
    hugo = outcome.people["hugo_mtl"]
    assert sorted(state for _, state, _ in hugo.tasks) == ["open", "withdrawn"]
    assert hugo.waits == 1
    assert hugo.calm == ["Nobody is waiting: they have said nothing to you here."]


def test_of_two_namesakes_neither_is_taken_for_certain(outcome: Outcome) -> None:
    assert outcome.people["emma_green"].matches == [("suggested", "505"), ("suggested", "506")]
    assert outcome.people["jkowalski"].matches == [("suggested", "511")]


def test_a_colleagues_answer_counts_as_ours(outcome: Outcome) -> None:
    assert "Nobody is waiting: you answered on X on 26 February." in outcome.people["bramdevries"].calm


def test_a_call_in_the_crm_keeps_a_talk_from_being_suggested_again(outcome: Outcome) -> None:
    assert outcome.people["bramdevries"].stage == "talked"
    assert outcome.people["gretaschulz"].stage == "ready to talk"


def test_everybody_else_who_is_in_the_crm_is_known(outcome: Outcome) -> None:
    known = {handle: person.matches for handle, person in outcome.people.items() if person.matches}
    assert {handle for handle, found in known.items() if found[0][0] == "confirmed"} == {
        "annabakes", "bramdevries", "chiaramonti", "dev_patel_rides", "farouk_h", "gretaschulz", "hugo_mtl", "ines_alves",
    }  # fmt: skip
