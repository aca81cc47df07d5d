"""Erasing one person: what went, what stays and why, and that it stays so when they are read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec import structs
from sqlalchemy.orm import Session

from integrations.errors import TemporaryError
from integrations.records import ActivityKind, Author, Contact, Handle, PushResult, Task
from integrations.registry import providers
from service.errors import PlainError
from service.models import PersonRequest
from service.rules.model import MatchState
from service.store import acting, erasing, objecting, persons
from tests.fakes import crm as fake_crm
from tests.workers.conftest import ANA, BRAND, World
from workers import persons as work

BEN = Author("b1", "ben", "Ben Okafor", url="https://social.example/ben")
MAIL = "ana@ferrer.test"
BENS = "Answer Ben Okafor: asked a question on Example Social"


@pytest.fixture
def talked(connected: World) -> World:
    """Ana, whom the CRM knows, waits for an answer; Ben is somebody else."""
    connected.knows(emails=(MAIL,), phones=("+351 912 345 678",), company="Ferrer Lda")
    connected.says("@brand Do you ship to Faro before Christmas?", id="p1")
    connected.says("@brand Is the red one back in stock?", id="q1", who=BEN)
    connected.run()
    assert len(connected.in_crm()) == 2
    return connected


def author(world: World, handle: str = "ana") -> UUID:
    [(found,)] = world.sql("SELECT id FROM authors WHERE handle = :h", h=handle)
    return UUID(str(found))


def erase(world: World, record_id: UUID | None = None) -> PersonRequest:
    with world.runtime.db.tenant(world.workspace_id) as session:
        row = erasing.begin(session, world.workspace_id, record_id or author(world), by=world.owner.caller.actor)
    assert row is not None
    return row


def request(world: World, request_id: UUID) -> PersonRequest:
    with world.runtime.db.tenant(world.workspace_id) as session:
        return session.get_one(PersonRequest, (world.workspace_id, request_id))


def again(world: World) -> None:
    """The request comes back, though its minute is not over."""
    world.sql("UPDATE person_requests SET next_at = now() WHERE next_at IS NOT NULL")
    world.run()


def rows(world: World, table: str) -> int:
    [(number,)] = world.sql(f"SELECT count(*) FROM {table} WHERE workspace_id = :w")
    return int(number)


def test_all_rows_of_one_person_go_and_nobody_elses(talked: World) -> None:
    talked.logs(ActivityKind.CALL, id="v1", at=talked.now - timedelta(days=2))
    talked.answers("@ana We do, Ana!", id="p2", to="p1", ago=timedelta(minutes=5))
    talked.look()
    row = erase(talked)
    talked.run()
    again(talked)
    assert request(talked, row.id).state == "done"
    assert [each for (each,) in talked.sql("SELECT handle FROM authors ORDER BY handle")] == ["ben", "brand"]
    assert [each for (each,) in talked.sql("SELECT native_id FROM engagements")] == ["q1"]
    assert [rows(talked, table) for table in ("contacts", "contact_keys", "activity_contacts", "matches")] == [0] * 4
    assert (rows(talked, "conversations"), rows(talked, "relationships"), rows(talked, "activities")) == (1, 1, 1)
    assert talked.sql("SELECT key FROM key_counts WHERE key LIKE '%ferrer%'") == []


def test_their_open_task_is_withdrawn_and_the_receipt_says_what_went_and_what_stays(talked: World) -> None:
    row = erase(talked)
    talked.run()
    again(talked)
    assert talked.in_crm() == [BENS]
    [task] = talked.tasks(erased_at=None)
    assert task.author_id == author(talked, "ben")
    done = request(talked, row.id)
    assert done.receipt[:3] == [
        "Erased here: 1 post of theirs, with what was read from what they wrote.",
        "Erased here: 1 profile, with the keys made from what they show.",
        "Erased here: 1 conversation with them, with the reasons for each verdict.",
    ]
    assert any(line.startswith("Erased here: the copy of 1 CRM contact. In the CRM") for line in done.receipt)
    assert "Taken out of the CRM: 1 open task." in done.receipt
    assert "Ana" not in str(done.receipt)


def test_a_closed_task_stays_as_history_and_says_nothing_of_them_also_in_the_crm(talked: World) -> None:
    [ana] = [each for each in talked.crm.tasks.values() if "Ana" in each.subject]
    talked.crm.complete_as_person(ana.id)
    talked.look()
    row = erase(talked)
    talked.run()
    again(talked)
    left = talked.crm.tasks[ana.id]
    assert (left.subject, left.body, left.status) == ("Erased at the person's request",) * 2 + ("completed",)
    assert talked.crm.contact_of[ana.id] is None
    assert any("keeps 1 closed task, and no word" in line for line in request(talked, row.id).receipt)
    # What the CRM says of it later is nobody's business here.
    talked.crm.edit_as_person(ana.id, body="Ana Ferrer called", subject="Ana")
    talked.look()
    assert talked.sql("SELECT count(*) FROM tasks WHERE content::text LIKE '%Ana%' OR written::text LIKE '%Ana%'") == [
        (0,)
    ]


def test_a_closed_task_that_the_crm_did_not_keep_is_not_said_to_have_been_taken_out(talked: World) -> None:
    [ana] = [each for each in talked.crm.tasks.values() if "Ana" in each.subject]
    talked.crm.complete_and_forget(ana.id)
    talked.look()
    row = erase(talked)
    talked.run()
    again(talked)
    receipt = request(talked, row.id).receipt
    assert "Gone from the CRM before this: 1 closed task." in receipt
    assert not any("Taken out of the CRM" in line for line in receipt)


def test_what_a_crm_keeps_by_itself_stands_in_the_receipt(talked: World) -> None:
    kept = "Example CRM writes what is done into a history."
    providers()["fakecrm"] = replace(fake_crm.manifest(talked.crm), remains=(kept,))
    row = erase(talked)
    talked.run()
    again(talked)
    assert request(talked, row.id).receipt.count(kept) == 1


def test_what_people_wrote_into_a_task_stays_theirs_and_is_named(talked: World) -> None:
    [ana] = [each for each in talked.crm.tasks.values() if "Ana" in each.subject]
    talked.crm.edit_as_person(ana.id, body="Ring her on Monday")
    talked.look()
    row = erase(talked)
    talked.run()
    again(talked)
    left = talked.crm.tasks[ana.id]
    assert (left.subject, left.body, left.status) == (
        "Erased at the person's request",
        "Ring her on Monday",
        "completed",
    )
    [line] = [line for line in request(talked, row.id).receipt if "People have written into 1 task" in line]
    assert left.url in line


def test_they_stay_erased_when_they_are_read_again(talked: World) -> None:
    erase(talked)
    talked.run()
    # The same post again, a new one, and an answer of ours to them; the contact changes, and comes back under another id.
    talked.says("@brand Hello? Faro?", id="p3", ago=timedelta(minutes=1))
    talked.answers("@ana Yes, Ana", id="p4", to="p3", ago=timedelta(minutes=1))
    talked.says("@brand @ana has a point", id="q2", who=BEN, ago=timedelta(minutes=1))
    talked.knows(emails=(MAIL,), title="CEO")
    talked.crm.add(Contact(id="c9", name="A. Ferrer", emails=(MAIL.upper(),)))
    talked.crm.add(Contact(id="c10", name="Somebody", handles=(Handle("fakesocial", "@Ana"),)))
    talked.sql("UPDATE streams SET cursor = NULL")
    talked.look()
    assert talked.sql("SELECT native_id FROM engagements ORDER BY 1") == [("q1",), ("q2",)]
    assert talked.sql("SELECT handle FROM authors") == [("ben",)]
    assert rows(talked, "contacts") == 0
    assert talked.sql("SELECT count(*) FROM tasks WHERE erased_at IS NULL AND wanted = 'open'") == [(1,)]


def test_others_who_share_an_office_address_are_not_taken_for_them(talked: World) -> None:
    talked.knows(emails=(MAIL, "info@ferrer.test"))
    talked.crm.add(Contact(id="c2", name="Rui Ferrer", emails=("info@ferrer.test",)))
    talked.look()
    erase(talked)
    talked.run()
    talked.crm.add(Contact(id="c3", name="Eva Ferrer", emails=("info@ferrer.test",)))
    talked.look()
    assert talked.sql("SELECT native_id FROM contacts ORDER BY 1") == [("c2",), ("c3",)]


def test_one_person_who_stands_twice_in_the_crm_is_erased_whole(talked: World) -> None:
    talked.crm.add(Contact(id="c2", name="Ana F.", emails=(MAIL,)))
    talked.look()
    row = erase(talked)
    assert len(row.contact_ids) == 2
    talked.run()
    assert rows(talked, "contacts") == 0


def test_contacts_that_were_only_suggested_stay_and_are_named(talked: World) -> None:
    twins = [Contact(id=f"t{each}", name="Ben Okafor", company="Okafor") for each in (1, 2)]
    talked.crm.add(*twins)
    talked.look()
    row = erase(talked, author(talked, "ben"))
    talked.run()
    again(talked)
    assert talked.sql("SELECT native_id FROM contacts ORDER BY 1") == [("c1",), ("t1",), ("t2",)]
    assert any("2 contacts that may be the same person" in line for line in request(talked, row.id).receipt)


def test_asked_twice_it_is_one_request_and_of_nobody_none(talked: World) -> None:
    first, second = erase(talked), erase(talked)
    assert first.id == second.id
    with talked.runtime.db.tenant(talked.workspace_id) as session:
        assert erasing.begin(session, talked.workspace_id, uuid4(), by="system") is None
    talked.run()
    with talked.runtime.db.tenant(talked.workspace_id) as session:
        assert persons.of(session, talked.workspace_id, first.author_ids[0]) is None


def test_who_turned_out_to_be_the_same_person_meanwhile_is_erased_too(talked: World) -> None:
    talked.crm.add(*(Contact(id=f"t{each}", name="Ben Okafor", company="Okafor") for each in (1, 2)))
    talked.look()
    ben = author(talked, "ben")
    first = erase(talked, ben)
    [(suggested,)] = talked.sql(
        "SELECT m.id FROM matches m JOIN contacts c ON c.id = m.contact_id WHERE c.native_id = 't1' AND m.author_id = :ben",
        ben=ben,
    )
    with talked.runtime.db.tenant(talked.workspace_id) as session:
        acting.decide_match(session, talked.workspace_id, UUID(str(suggested)), MatchState.CONFIRMED, by="system")
    second = erase(talked, ben)
    assert second.id != first.id
    talked.run()
    again(talked)
    assert (request(talked, first.id).state, request(talked, second.id).state) == ("done", "done")
    assert talked.sql("SELECT native_id FROM contacts ORDER BY 1") == [("c1",), ("t2",)]


def test_an_objection_that_is_lifted_while_they_are_erased_lets_them_back_in_nowhere(talked: World) -> None:
    erase(talked)
    with talked.runtime.db.tenant(talked.workspace_id) as session:
        assert objecting.begin(session, talked.workspace_id, author(talked), by="system") is not None
    with talked.runtime.db.tenant(talked.workspace_id) as session:
        assert objecting.lift(session, talked.workspace_id, author(talked), by="system") is not None
    talked.run()
    talked.says("@brand Hello?", id="p5", ago=timedelta(hours=2))
    talked.look()
    assert talked.sql("SELECT native_id FROM engagements") == [("q1",)]


def test_an_account_of_our_own_is_nobody_to_erase(talked: World) -> None:
    talked.answers("We do.", id="p2", to="q1", whom=BEN)
    talked.look()
    ours = author(talked, BRAND.handle)
    with talked.runtime.db.tenant(talked.workspace_id) as session:
        for begin in (erasing.begin, objecting.begin):
            with pytest.raises(PlainError, match="account of your own"):
                begin(session, talked.workspace_id, ours, by="system")


def test_a_crm_that_is_away_is_waited_for_and_told_in_the_end(talked: World) -> None:
    row = erase(talked)
    talked.crm.script.fail(TemporaryError("away"), on="push_tasks")
    talked.run()
    waiting = request(talked, row.id)
    assert waiting.state == "under_way"
    assert any("Still to be taken back: 1 task" in line for line in waiting.receipt)
    talked.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    talked.run()
    again(talked)
    assert request(talked, row.id).state == "done"
    assert len(talked.in_crm()) == 1


def test_workers_that_die_after_each_batch_are_followed_by_one_that_ends_it(
    talked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, batch, deaths = erase(talked), work._batch, 0
    done_before = set[UUID]()

    def dying(session: Session, request: PersonRequest) -> bool:
        """Each worker does one batch, and dies in the next, after its work and before that is stored."""
        more, lease = batch(session, request), request.lease_id
        assert lease is not None
        if lease in done_before:
            raise KeyboardInterrupt
        done_before.add(lease)
        return more

    monkeypatch.setattr(work, "_batch", dying)
    while request(talked, row.id).state != "done" and deaths < 30:
        try:
            talked.run()
            talked.sql("UPDATE person_requests SET next_at = now() WHERE next_at IS NOT NULL")
        except KeyboardInterrupt:
            deaths += 1
            talked.sql("UPDATE person_requests SET lease_until = now() - interval '1 second'")
            # What was claimed beside it is nobody's now: in a queue, another worker would take it.
            talked.sql("UPDATE connections SET push_lease_until = now() - interval '1 second'")
            talked.sql("UPDATE workspace_schedule SET lease_until = now() - interval '1 second'")
    assert deaths > len(erasing.STEPS) - 3
    assert talked.sql("SELECT native_id FROM engagements") == [("q1",)]
    assert request(talked, row.id).counts["posts"] == 1
    assert len(talked.in_crm()) == 1


def test_ten_thousand_posts_go_in_batches(talked: World) -> None:
    talked.sql(
        "INSERT INTO engagements (workspace_id, id, connection_id, brand_id, native_id, kind, ours, author_id, thread, mentions, text, url,"
        " posted_at, received_at, checked_at) SELECT e.workspace_id, gen_random_uuid(), e.connection_id, e.brand_id, 'x' || n, e.kind, false,"
        " e.author_id, e.thread, e.mentions, 'More', e.url, e.posted_at, e.received_at, e.checked_at FROM engagements e,"
        " generate_series(1, 10000) n WHERE e.native_id = 'p1'"
    )
    row = erase(talked)
    talked.run()
    assert request(talked, row.id).counts["posts"] == 10_001
    assert talked.sql("SELECT native_id FROM engagements") == [("q1",)]


def test_a_pull_that_runs_meanwhile_brings_nothing_of_them_back(talked: World) -> None:
    """The list is changed only once every store under way has ended, and each store begins by reading it."""
    talked.says("@brand And by Friday?", id="p9", ago=timedelta(minutes=2))
    talked.due()
    claims = talked.claim()
    row = erase(talked)
    for claim in claims:  # claimed before, done after
        talked.work(claim)
    talked.run()
    again(talked)
    assert request(talked, row.id).state == "done"
    assert talked.sql("SELECT native_id FROM engagements") == [("q1",)]


def test_whoever_objects_is_never_judged_again_until_that_is_lifted(talked: World) -> None:
    with talked.runtime.db.tenant(talked.workspace_id) as session:
        row = objecting.begin(session, talked.workspace_id, author(talked), by="system")
        assert row is not None
        same = objecting.begin(session, talked.workspace_id, author(talked), by="system")
        assert same is not None
        assert same.id == row.id
    talked.run()
    assert talked.in_crm() == [BENS]
    talked.says("@brand Still waiting!", id="p5", ago=timedelta(hours=2))
    talked.knows(emails=(MAIL,), title="CEO")
    talked.set(lapse_days=89)  # everything is judged again
    talked.look()
    assert len(talked.in_crm()) == 1
    assert talked.sql("SELECT native_id FROM engagements ORDER BY 1") == [("p1",), ("q1",)]
    assert talked.sql("SELECT fields->>'title', cardinality(filed) FROM contacts") == [("", 0)]

    with talked.runtime.db.tenant(talked.workspace_id) as session:
        assert objecting.lift(session, talked.workspace_id, author(talked), by="system") is not None
        assert objecting.lift(session, talked.workspace_id, author(talked), by="system") is None
    talked.says("@brand Hello again, do you ship to Faro now?", id="p6", ago=timedelta(hours=2))
    talked.look()
    assert len(talked.in_crm()) == 2
    assert talked.sql("SELECT cardinality(filed) > 0 FROM contacts") == [(True,)]


def test_whoever_objected_and_is_then_erased_stays_out(talked: World) -> None:
    talked.crm.add(Contact(id="c2", name="Ana F.", emails=(MAIL,)))  # the same person once more
    talked.look()
    with talked.runtime.db.tenant(talked.workspace_id) as session:
        objecting.begin(session, talked.workspace_id, author(talked), by="system")
    erase(talked)
    talked.run()
    talked.says("@brand Hello?", id="p5", who=structs.replace(ANA, handle="ana_new"), ago=timedelta(hours=2))
    talked.look()
    assert talked.sql("SELECT native_id FROM engagements") == [("q1",)]
    assert rows(talked, "contacts") == 0


def test_what_was_being_said_of_them_to_the_crm_brings_no_word_back(
    talked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are erased while a push is under way, and then the CRM is away."""
    said = talked.crm.push_tasks

    def meanwhile(tasks: Sequence[Task]) -> Sequence[PushResult]:
        found = said(tasks)
        monkeypatch.setattr(talked.crm, "push_tasks", said)
        erase(talked)
        for claim in talked.claim():
            talked.work(claim)
        talked.crm.script.fail(TemporaryError("away"), on="push_tasks")
        return found

    monkeypatch.setattr(talked.crm, "push_tasks", meanwhile)
    talked.says("@brand Faro, I said. Anybody?", id="p2", to="p1", ago=timedelta(minutes=90))
    talked.look()
    assert talked.sql("SELECT count(*) FROM tasks WHERE tasks::text LIKE '%Faro%'") == [(0,)]

    talked.sql("UPDATE connections SET next_push_at = now() WHERE kind = 'crm'")
    talked.run()
    assert talked.in_crm() == [BENS]
    assert "Faro" not in str(talked.crm.tasks)
