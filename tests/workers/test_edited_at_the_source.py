"""A post that its author edits is followed in tasks that are long closed, by whatever way the edit comes in; so is its deletion after that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from integrations.records import Engagement
from service.rules.redaction import EDITED
from tests.workers.conftest import PUSHES_ELSEWHERE, PUSHES_NO_MORE, World, edited

WORD, NEW = "Quixotic", "Zanzibar"
TEXT = f"@brand When does the {WORD} velodrome open?"
CHANGED = f"@brand When does the {NEW} velodrome open on Mondays?"


@pytest.fixture
def closed(connected: World) -> World:
    """A question that was answered: its task is ticked off in the CRM."""
    connected.says(TEXT, id="p1")
    connected.run()
    connected.answers("At nine.", id="p2", to="p1")
    connected.look()
    assert (connected.in_crm(), len(connected.in_crm("completed"))) == ([], 1)
    assert holds(connected, WORD)
    return connected


def holds(world: World, words: str) -> bool:
    """Whether these words stand in a post or a task of ours, or in the CRM."""
    [(ours,)] = world.sql(
        "SELECT coalesce((SELECT string_agg(e::text, '') FROM engagements e), '') || coalesce((SELECT string_agg(t::text, '') FROM tasks t), '')"
    )
    return words in ours or words in str(world.crm.tasks)


def by_a_pull(world: World, post: Engagement) -> None:
    world.social.serve("mentions", post)
    world.look(streams=("mentions",))


def by_a_sweep(world: World, post: Engagement) -> None:
    world.social.edit(post)
    a_week_goes_by(world)
    world.look(streams=("recheck",))


def by_a_comparison(world: World, post: Engagement) -> None:
    world.social.edit(post)
    world.sql("UPDATE engagements SET checked_at = now()")  # a sample begins anywhere among them: at all of them
    world.sql("UPDATE errands SET next_at = now() WHERE name = 'compare'")
    world.run()


def a_week_goes_by(world: World) -> None:
    """Since the network served anything, or was asked for it."""
    aged = ", ".join(f"{name} = {name} - interval '8 days'" for name in ("checked_at", "asked_at"))
    world.sql(f"UPDATE engagements SET {aged}")


@pytest.mark.parametrize("comes", [by_a_pull, by_a_sweep, by_a_comparison])
def test_what_a_closed_task_quotes_of_a_text_that_was_edited_is_gone_here_and_in_the_crm(
    closed: World, comes: Callable[[World, Engagement], None]
) -> None:
    comes(closed, edited(closed.social.post("p1"), CHANGED))
    assert (holds(closed, WORD), holds(closed, NEW), holds(closed, EDITED)) == (False, True, True)
    assert len(closed.in_crm("completed")) == 1
    closed.social.delete("p1")
    a_week_goes_by(closed)
    closed.look(streams=("recheck",))
    assert (holds(closed, WORD), holds(closed, NEW)) == (False, False)


@pytest.mark.parametrize("heard", ["by the push", "before it"])
@pytest.mark.parametrize("gone", [True, False], ids=["deleted", "edited"])
def test_what_is_ticked_off_before_the_crm_was_told_of_it_holds_no_such_words_either(
    connected: World, gone: bool, heard: str
) -> None:
    connected.says(TEXT, id="p1")
    connected.run()
    [task] = connected.crm.tasks
    if heard == "before it":
        connected.sql(PUSHES_ELSEWHERE)
    else:
        connected.crm.complete_as_person(task)
    if gone:
        connected.social.delete("p1")
        a_week_goes_by(connected)
    else:
        connected.social.serve("mentions", edited(connected.social.post("p1"), CHANGED))
    connected.look(streams=("mentions", "recheck"))
    if heard == "before it":
        connected.crm.complete_as_person(task)
        connected.look(streams=("tasks",))
        connected.sql(PUSHES_NO_MORE)
    connected.run()
    assert len(connected.in_crm("completed")) == 1
    assert not holds(connected, WORD)


def test_what_somebody_has_written_into_the_task_stays_theirs(closed: World) -> None:
    [id_] = closed.crm.tasks
    closed.crm.edit_as_person(id_, body=f"They asked: {TEXT} I told them.")
    closed.look(streams=("tasks",))
    by_a_pull(closed, edited(closed.social.post("p1"), CHANGED))
    assert closed.crm.tasks[id_].body == f"They asked: {TEXT} I told them."


def test_no_task_is_looked_at_for_what_is_served_again_in_the_same_words(
    closed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.redacting.redact_tasks", None)
    by_a_pull(closed, closed.social.post("p1"))
    by_a_pull(closed, edited(closed.social.post("p1"), TEXT.replace(" ", "\n")))
    closed.says("@brand And on Sundays?", id="p3", to="p1", ago=timedelta(minutes=5))
    closed.look(streams=("mentions",))
    assert closed.sql("SELECT count(*) FROM engagements") == [(3,)]


def test_what_is_edited_into_a_question_waits_for_an_answer_and_into_thanks_no_more(connected: World) -> None:
    connected.says("@brand Nice bikes.", id="p1")
    connected.run()
    assert connected.in_crm() == []
    [post] = [each for each in connected.social._posts.values() if each.id == "p1"]
    by_a_pull(connected, edited(post, "@brand Do you ship to Porto?"))
    assert len(connected.in_crm()) == 1
    by_a_pull(connected, edited(post, "@brand Thanks!"))
    assert connected.in_crm() == []
