"""`warmline backtest matching`: who the rules would have taken each profile for, from two CSV files."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from integrations.records import Author, Contact, Handle
from service.backtest import files
from service.backtest.scoring import Score
from service.rules.matching import Commonness, author_keys, choose, commonness, contact_keys, match, share_known
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState
from service.sentences import count_of

ROUNDS, SETTLED = (
    6,
    0.01,
)  # of learning the share of authors who are in the CRM: at most so many, until it moves by less
COLUMNS = ("profile_id", "contact_id", "state", "score", "reasons")
_NETWORKS = {"twitter": "x"}  # the names of networks in files that are not our keys


class Index:
    """Contacts by their keys, in memory: what the product's tables hold."""

    def __init__(self, contacts: Mapping[str, Contact]) -> None:
        self.contacts = contacts
        self.commonness: Commonness = commonness(contacts.values())
        self._under: dict[str, list[str]] = defaultdict(list)
        for contact_id, contact in contacts.items():
            for key in contact_keys(contact):
                self._under[key].append(contact_id)

    def learn(self, share: float) -> bool:
        """Takes over the share of authors who are known. Whether that was known already."""
        before = self.commonness.known
        self.commonness = replace(self.commonness, share=share)
        return abs(share - before) < SETTLED

    def match(self, known: KnownAuthor) -> list[MatchResult]:
        chosen = choose(author_keys(known), self._under)
        return match(known, [Candidate(each, self.contacts[each]) for each in chosen], self.commonness)


def read_contacts(path: Path) -> dict[str, Contact]:
    """Contacts by id from a CSV file: contact_id, and as far as they are there first_name, last_name, full_name, nickname, email,
    company, website, phone, city, region, country, title, source, and handles (separated by spaces). Raises PlainError."""
    found = files.by_id(path, "contact_id", files.rows(path, ["contact_id"]))
    return {contact_id: _contact(row) for contact_id, row in found.items()}


def _contact(row: Mapping[str, str]) -> Contact:
    get = {name: (value or "").strip() for name, value in row.items() if name}
    first, nickname = get.get("first_name", ""), get.get("nickname", "")
    full = get.get("full_name", "") or (f"{first} {get.get('last_name', '')}".strip() if nickname else "")
    return Contact(
        id=get["contact_id"],
        name=full,
        # Who is called otherwise than christened keeps both: the full name holds the other one.
        first_name=nickname or first,
        last_name=get.get("last_name", ""),
        emails=tuple(get.get("email", "").split()),
        phones=(get["phone"],) if get.get("phone") else (),
        company=get.get("company", ""),
        title=get.get("title", ""),
        website=get.get("website", ""),
        city=get.get("city", ""),
        region=get.get("region", ""),
        country=get.get("country", ""),
        handles=tuple(Handle(None, each) for each in get.get("handles", "").split()),
        source=get.get("source", ""),
    )


def read_profiles(path: Path) -> dict[str, KnownAuthor]:
    """Authors by id from a CSV file: profile_id, network, handle, and as far as they are there display_name, bio, url, location.
    Raises PlainError."""
    found = files.by_id(path, "profile_id", files.rows(path, ["profile_id", "network", "handle"]))
    return {profile_id: _profile(row) for profile_id, row in found.items()}


def _profile(row: Mapping[str, str]) -> KnownAuthor:
    network = row["network"].strip().casefold()
    author = Author(
        id=row["profile_id"],
        handle=row["handle"].strip(),
        name=row.get("display_name") or "",
        bio=row.get("bio") or "",
        website=row.get("url") or "",
        location=row.get("location") or "",
    )
    return KnownAuthor(_NETWORKS.get(network, network), author)


def judge(index: Index, profiles: Mapping[str, KnownAuthor]) -> dict[str, list[MatchResult]]:
    """Every profile's matches. The share of authors who are in the CRM is learnt from a first round over them, as the product
    learns it from the authors that it has matched."""
    found: dict[str, list[MatchResult]] = {}
    for _ in range(ROUNDS):
        round_ = files.told(profiles.items(), len(profiles), "profile")
        found = {profile_id: index.match(known) for profile_id, known in round_}
        known_share = share_known(
            sum(each.score for results in found.values() for each in results), len(found), len(index.contacts)
        )
        if index.learn(known_share):
            break
    return found


def lines(found: Mapping[str, Sequence[MatchResult]]) -> Iterator[dict[str, object]]:
    for profile_id, results in found.items():
        for each in results:
            yield {"profile_id": profile_id, "contact_id": each.contact_id, "state": each.state.value, "score": f"{each.score:.4f}",
                   "reasons": " ".join(each.evidence)}  # fmt: skip


def against(truth: Mapping[str, str], found: Mapping[str, Sequence[MatchResult]]) -> dict[str, Score]:
    """How the matches compare with the truth (profile -> contact, empty for nobody): those confirmed, and the first one of each
    profile whatever its state. Only profiles that are in both count."""
    judged = {profile: contact for profile, contact in truth.items() if profile in found}
    first = {profile: next(iter(found[profile]), None) for profile in judged}
    sure = {profile: each for profile, each in first.items() if each and each.state is MatchState.CONFIRMED}
    return {"confirmed": _score(judged, sure), "with_first_suggestion": _score(judged, first)}


def _score(truth: Mapping[str, str], said: Mapping[str, MatchResult | None]) -> Score:
    told = {profile: each.contact_id for profile, each in said.items() if each}
    right = sum(contact == truth[profile] for profile, contact in told.items())
    return Score(len(told), right, sum(map(bool, truth.values())))


@click.command("matching")
@click.option("--contacts", required=True, type=click.Path(path_type=Path), help="CSV of contacts, with contact_id.")
@click.option(
    "--profiles", required=True, type=click.Path(path_type=Path), help="CSV of profiles: profile_id, network, handle."
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where to write the matches, as CSV.")
@click.option("--truth", type=click.Path(path_type=Path), help="CSV with profile_id and contact_id (empty: nobody).")
@click.option("--json", "as_json", is_flag=True, help="Say the figures as JSON.")
def command(contacts: Path, profiles: Path, out: Path, truth: Path | None, as_json: bool) -> None:
    """Say which contact each profile would have been matched to, and why: one row for each match, best first.

    Of contacts it reads contact_id and, as far as they are there, first_name, last_name, full_name, nickname, email, company, website, phone,
    city, region, country, title, source and handles (several are separated by blanks). Of profiles it reads profile_id, network and handle and, as
    far as they are there, display_name, bio, url and location."""
    files.beforehand(out, contacts, profiles, truth)
    true = files.rows(truth, ["profile_id", "contact_id"]) if truth else []
    index = Index(read_contacts(contacts))
    found = judge(index, read_profiles(profiles))
    files.write(out, COLUMNS, lines(found))
    states = Counter(next((each.state.value for each in results), "nobody") for results in found.values())
    scores: dict[str, Score] = {}
    if truth:
        files.must_meet(truth, "profile_id", true, found)
        scores = against(_contact_of(true), found)
    if as_json:
        told = {name: each.as_json() for name, each in scores.items()}
        wrong = {"wrong": scores["confirmed"].said - scores["confirmed"].right} if scores else {}
        click.echo(json.dumps({"profiles": len(found), "contacts": len(index.contacts), **states, **told, **wrong}))
        return
    click.echo(
        f"{count_of(len(found), 'profile')} judged against {count_of(len(index.contacts), 'contact')}: {states['confirmed']} confirmed, "
        f"{states['suggested']} with suggestions, {states['nobody']} with nobody. Each match and its reasons are in {out}."
    )
    for name, each in scores.items():
        click.echo(
            f"{name.replace('_', ' ')}: precision {each.precision:.3f}, recall {each.recall:.3f}, F1 {each.f1:.3f}, "
            f"{each.said - each.right} of {each.said} wrong ({each.there} in the truth)"
        )


def _contact_of(truth: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The contact of each profile, empty for nobody."""
    return {row["profile_id"]: row["contact_id"].strip() for row in truth}
