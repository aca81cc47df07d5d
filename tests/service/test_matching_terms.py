"""What matching may use, and what it learns from people: sources that nobody vouches for, handles on file, decisions, other accounts."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text, update

from integrations.records import Contact, Gone, Handle
from service import settings
from service.models import Attestation, Audit, Author, Match
from service.models import Contact as Row
from service.rules.model import MatchState
from service.runtime import Runtime
from service.store import acting, matching, mirroring, pairing, ruling, sources
from tests.conftest import Member
from tests.service.rows import Rows

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY = "user:olga"
HANDLE = (Handle("x", "ada"),)


def ada(native: str = "1", source: str = "Form", **fields: Any) -> Contact:
    return Contact(native, "Ada Lovelace", "Ada", "Lovelace", **{"handles": HANDLE, "source": source, **fields})


class Desk:
    """A workspace with a CRM, where authors on X are matched."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.workspace_id = rows, rows.workspace_id
        self.crm = rows.connection(provider="fakecrm", kind="crm", brand=False)

    def session(self) -> Any:
        return self.rows.db.tenant(self.workspace_id)

    def author(self, handle: str = "ada", provider: str = "x", **values: Any) -> UUID:
        return self.rows.author(handle, **{"name": "Ada Lovelace", "provider": provider, "match_due": True, **values})

    def save(self, *contacts: Contact) -> None:
        with self.session() as session:
            mirroring.save_contacts(session, self.workspace_id, self.crm, contacts)

    def match(self) -> dict[tuple[UUID, str], Match]:
        """Matches whoever is due; all matches by author and the CRM's id of the contact."""
        with self.session() as session:
            matching.match_due(session, self.workspace_id, 100)
            pairs = session.execute(select(Match, Row.native_id).join(Row, Row.id == Match.contact_id)).all()
            return {(match.author_id, native): match for match, native in pairs}

    def due(self) -> set[UUID]:
        with self.session() as session:
            return set(session.scalars(select(Author.id).where(Author.match_due)))

    def waiting(self) -> bool:
        """Whether anybody waits for somebody else's transaction."""
        with self.session() as session:
            return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))

    def states(self) -> dict[tuple[UUID, str], str]:
        return {key: match.state for key, match in self.match().items()}

    def set(self, **values: Any) -> None:
        with self.session() as session:
            row = settings.current(session, self.workspace_id)
            ruling.change_settings(session, self.workspace_id, {**row.values, **values}, by=BY)


@pytest.fixture
def desk(held: Runtime, owner: Member) -> Desk:
    return Desk(Rows(held.db, owner.workspace_id, NOW))


# --- lawful ---------------------------------------------------------------------------------------------------


def test_a_contact_from_a_list_stays_out_where_consent_is_asked_for_until_somebody_vouches(desk: Desk) -> None:
    on_x, elsewhere = desk.author(), desk.author(provider="fakesocial")
    desk.save(ada(source="Import", handles=(*HANDLE, Handle("fakesocial", "ada"))))
    assert desk.states() == {(elsewhere, "1"): "confirmed"}
    with desk.session() as session:
        assert [(each.source, each.contacts, each.left_out) for each in sources.listed(session, desk.workspace_id)] == [
            ("Import", 1, True)
        ]
        assert sources.attest(session, desk.workspace_id, "Import", by=BY)
    assert desk.states() == {(elsewhere, "1"): "confirmed", (on_x, "1"): "confirmed"}
    with desk.session() as session:
        assert not sources.attest(session, desk.workspace_id, "Import", by="user:else")
        row = session.scalars(select(Attestation)).one()
        assert (row.source, row.attested_by) == ("Import", BY)
        assert session.scalars(
            select(Audit.action).where(Audit.subject == f"source:{sources.source_id('Import')}")
        ).all() == ["source.attested"]
        assert sources.withdraw(session, desk.workspace_id, "Import", by=BY)
    assert desk.states() == {(elsewhere, "1"): "confirmed"}


def test_who_filled_in_a_form_takes_part_everywhere(desk: Desk) -> None:
    author = desk.author()
    desk.save(ada(source="Form"))
    match = desk.match()[author, "1"]
    assert match.state == "confirmed"
    told = {each["kind"]: each for each in match.evidence}
    assert told["handle"]["source"] == "crm"
    assert told["handle"]["basis"] == "given to the workspace by the person"
    assert told["name"]["basis"] == "shown publicly by the person"


def test_where_only_handles_confirm_a_mail_address_is_but_suggested(desk: Desk) -> None:
    on_x = desk.author("a", bio="ada@engine.com")
    other = desk.author("b", provider="fakesocial", bio="ada@engine.com")
    desk.save(ada(handles=(), emails=("ada@engine.com",)))
    assert desk.states() == {(on_x, "1"): "confirmed", (other, "1"): "confirmed"}
    desk.set(confirm_only_by_handle=["x"])
    assert desk.states() == {(on_x, "1"): "suggested", (other, "1"): "confirmed"}


# --- learning -------------------------------------------------------------------------------------------------


def decide(desk: Desk, match_id: UUID, state: MatchState) -> None:
    with desk.session() as session:
        acting.decide_match(session, desk.workspace_id, match_id, state, by=BY)


def by_mail(number: int) -> tuple[dict[str, str], Contact]:
    mail, name = f"person{number}@engine.com", f"Person{number} Surname{number}"
    profile = {"handle": f"h{number}", "bio": mail, "name": name}
    return profile, Contact(str(number), name, *name.split(), emails=(mail,), source="Form")


def test_evidence_that_people_keep_rejecting_confirms_nothing_by_itself_any_more(desk: Desk) -> None:
    people = [by_mail(number) for number in range(6)]
    desk.save(*(contact for _, contact in people))
    authors = [desk.author(**profile) for profile, _ in people[:4]]
    found = desk.match()
    assert {match.state for match in found.values()} == {"confirmed"}
    for number in range(3):
        decide(desk, found[authors[number], str(number)].id, MatchState.REJECTED)
    late = desk.author(**people[4][0])
    match = desk.match()[late, "4"]
    assert match.state == "suggested"
    assert match.evidence[-1]["sentence"] == "People here rejected 3 of 3 such matches that they decided."
    assert desk.match()[authors[3], "3"].state == "suggested"  # the one that stood is looked at again too


def test_what_is_rejected_in_one_crm_leaves_the_matches_of_another_as_they_are(desk: Desk) -> None:
    """Each may be a brand's own: what one brand decides of its contacts is no word about its rival's."""
    people = [by_mail(number) for number in range(6)]
    ours, rivals = desk.crm, desk.rows.connection(provider="fakecrm", kind="crm", brand=False)
    for crm, native in ((ours, "o{}"), (rivals, "r{}")):
        desk.crm = crm
        desk.save(*(replace(contact, id=native.format(contact.id)) for _, contact in people))
    authors = [desk.author(**profile) for profile, _ in people[:5]]
    found = desk.match()
    assert {match.state for match in found.values()} == {"confirmed"}
    for number in range(3):
        decide(desk, found[authors[number], f"r{number}"].id, MatchState.REJECTED)
    late = desk.author(**people[5][0])
    matched = desk.match()
    assert {matched[author, f"r{number}"].state for number, author in ((3, authors[3]), (5, late))} == {"suggested"}
    for number, author in enumerate([*authors, late]):
        match = matched[author, f"o{number}"]
        assert match.state == "confirmed"
        assert "rejected" not in str(match.evidence)
        assert match.score == found[authors[0], "o0"].score


def test_who_is_confirmed_alike_in_another_crm_is_not_matched_again_for_that(desk: Desk) -> None:
    people = [by_mail(number) for number in range(3)]
    desk.save(*(contact for _, contact in people[:2]))
    first = desk.crm
    desk.crm = desk.rows.connection(provider="fakecrm", kind="crm", brand=False)
    desk.save(people[2][1])
    authors = [desk.author(**profile) for profile, _ in people]
    found = desk.match()
    decide(desk, found[authors[0], "0"].id, MatchState.REJECTED)
    with desk.session() as session:
        waiting = set(session.scalars(select(Author.id).where(Author.match_due)))
    assert waiting == set(authors[:2])
    assert first != desk.crm


def test_what_people_reject_seldom_goes_on_confirming(desk: Desk) -> None:
    people = [by_mail(number) for number in range(60)]
    desk.save(*(contact for _, contact in people))
    authors = [desk.author(**profile) for profile, _ in people]
    found = desk.match()
    decide(desk, found[authors[0], "0"].id, MatchState.REJECTED)
    for number in range(1, 40):
        decide(desk, found[authors[number], str(number)].id, MatchState.CONFIRMED)
    assert desk.match()[authors[59], "59"].state in ("confirmed", "suggested")
    with desk.session() as session:
        session.execute(update(Author).values(match_due=True))
    rate = desk.match()[authors[59], "59"]
    assert rate.score > 0.97


# --- somebody else --------------------------------------------------------------------------------------------


def test_saying_that_it_is_somebody_else_rejects_one_and_confirms_the_other_for_good(desk: Desk) -> None:
    author = desk.author()
    desk.save(
        ada(), Contact("2", "Charles Babbage", "Charles", "Babbage", emails=("charles@engine.com",), source="Form")
    )
    match = desk.match()[author, "1"]
    with desk.session() as session:
        found = pairing.find(session, desk.workspace_id, desk.crm, "charles@engine.com")
        assert [each["name"] for each in found] == ["Charles Babbage"]
        assert pairing.somebody_else(session, desk.workspace_id, match.id, found[0]["id"], by=BY)
    for _ in range(2):
        assert desk.states() == {(author, "1"): "rejected", (author, "2"): "confirmed"}
        with desk.session() as session:
            session.execute(update(Author).values(match_due=True))
            assert pairing.pair(session, desk.workspace_id, author, UUID(int=5), by=BY) is None


@pytest.mark.parametrize("text", ["Ada Lovelace", "ada lovelace", "Lovelace, Ada", "+44 1632 960961", "ada"])
def test_a_contact_is_found_by_what_somebody_types(desk: Desk, text: str) -> None:
    desk.save(ada(phones=("+441632960961",)))
    with desk.session() as session:
        assert [each["name"] for each in pairing.find(session, desk.workspace_id, desk.crm, text)] == ["Ada Lovelace"]


def test_nothing_is_found_under_nothing(desk: Desk) -> None:
    desk.save(ada())
    with desk.session() as session:
        assert pairing.find(session, desk.workspace_id, desk.crm, "?!") == []


# --- other accounts -------------------------------------------------------------------------------------------


def test_who_is_confirmed_on_one_network_is_known_by_the_account_that_they_link_to(desk: Desk) -> None:
    url = "https://social.example/@countess"
    desk.save(ada())
    linked = desk.author("countess", provider="fakesocial", name="Ada", url=url)
    assert (linked, "1") not in {key for key, state in desk.states().items() if state == "confirmed"}
    first = desk.author(website=url)
    states = {}
    for _ in range(2):
        states = desk.states()
    assert states == {(first, "1"): "confirmed", (linked, "1"): "confirmed"}
    told = [each["sentence"] for each in desk.match()[linked, "1"].evidence]
    assert any("confirmed to be this contact's" in each for each in told)


def test_accounts_that_come_together_know_each_other_as_those_do_that_come_one_by_one(desk: Desk) -> None:
    """Nobody of a batch is stored yet while the others are weighed."""
    url = "https://social.example/@countess"
    desk.save(ada())
    linked = desk.author("countess", provider="fakesocial", name="Ada", url=url)
    first = desk.author(website=url)
    while desk.due():
        states = desk.states()
    assert states == {(first, "1"): "confirmed", (linked, "1"): "confirmed"}


def test_accounts_that_link_to_each_other_and_are_said_to_be_two_people_come_to_rest(desk: Desk) -> None:
    desk.save(
        ada(), Contact("2", "Grace Hopper", "Grace", "Hopper", handles=(Handle("fakesocial", "grace"),), source="Form")
    )
    urls = "https://x.example/ada", "https://social.example/@grace"
    one = desk.author(url=urls[0], website=urls[1])
    other = desk.author("grace", provider="fakesocial", name="Grace Hopper", url=urls[1], website=urls[0])
    rounds = 0
    while desk.due():
        desk.match()
        rounds += 1
        assert rounds < 10
    assert {author for author, _ in desk.states()} == {one, other}


def test_an_account_that_somebody_else_is_matching_at_this_moment_is_matched_again(desk: Desk) -> None:
    """They do not know yet what is confirmed here."""
    url = "https://social.example/@countess"
    desk.save(ada())
    linked = desk.author("countess", provider="fakesocial", name="Ada", url=url)
    desk.match()
    desk.author(website=url)
    with desk.session() as session:
        session.execute(update(Author).where(Author.id == linked).values(match_due=True))
    with ThreadPoolExecutor(1) as pool:
        with desk.session() as elsewhere:  # which takes them, and is about to say that they are matched
            elsewhere.execute(update(Author).where(Author.id == linked).values(match_due=False))
            here = pool.submit(desk.match)
            while not here.done() and not desk.waiting():
                pass
        here.result()
    assert desk.due() == {linked}


def _stored(desk: Desk, contact: Contact) -> None:
    desk.save(contact)


def _gone(desk: Desk, contact: Contact) -> None:
    with desk.session() as session:
        mirroring.drop_contacts(session, desk.workspace_id, desk.crm, [Gone(contact.id)])


@pytest.mark.parametrize(("before", "change", "state"), [(False, _stored, "confirmed"), (True, _gone, None)])
def test_a_contact_that_comes_or_goes_while_a_new_author_is_matched_is_not_missed(
    desk: Desk, before: bool, change: Callable[[Desk, Contact], None], state: str | None
) -> None:
    """The author stands under no key yet, and has no match yet, for whoever stores the contact to find."""
    desk.save(*([ada()] if before else []), Contact("2", "Grace Hopper", "Grace", "Hopper"))
    author = desk.author(name="Ada Lovelace")
    with ThreadPoolExecutor(1) as pool:
        with desk.session() as session:
            assert matching.match_due(session, desk.workspace_id, 10) == 1
            changing = pool.submit(change, desk, ada())
            while not changing.done() and not desk.waiting():
                pass
        changing.result()
    desk.match()
    assert desk.states().get((author, "1")) == state


@pytest.mark.parametrize("due", [False, True])
def test_contacts_wait_for_matching_only_where_somebody_is_due(desk: Desk, due: bool) -> None:
    desk.author(match_due=due)
    with desk.session() as session:
        assert matching.match_due(session, desk.workspace_id, 10) == due
        locks = session.scalars(
            text("SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        )
        assert locks.all() == (["ExclusiveLock"] if due else [])


@pytest.mark.parametrize("name", ["Charles Babbage", "moonfox"])
@pytest.mark.parametrize("who_links", ["the confirmed one", "the other"])
def test_a_link_alone_confirms_nobody_under_another_name(desk: Desk, name: str, who_links: str) -> None:
    """People link to whom they work for, are married to, or admire."""
    ours, theirs = "https://x.example/ada", "https://social.example/@moonfox"
    desk.save(ada(), *(Contact(str(each), f"Given{each} Name{each}", f"Given{each}", f"Name{each}") for each in range(2, 300)))  # fmt: skip
    confirmed = desk.author(url=ours, website=theirs if who_links == "the confirmed one" else "")
    other = desk.author(
        "moonfox", provider="fakesocial", name=name, url=theirs, website=ours if who_links == "the other" else ""
    )
    while desk.due():
        states = desk.states()
    assert states[confirmed, "1"] == "confirmed"
    assert states.get((other, "1")) != "confirmed"


def test_a_page_that_many_call_their_own_makes_nobody_wait(desk: Desk) -> None:
    for number in range(8):
        desk.author(f"member{number}", name=f"Member {number}", url="https://forum.example/members")
    with desk.session() as session:
        assert matching.match_due(session, desk.workspace_id, 100) == 8


def test_two_who_link_to_the_same_page_are_not_the_same(desk: Desk) -> None:
    desk.save(ada())
    page = "https://club.example/members"
    desk.author(website=page)
    other = desk.author(
        "babbage", provider="fakesocial", name="Charles Babbage", url="https://social.example/@babbage", website=page
    )
    desk.match()
    assert (other, "1") not in desk.states()
