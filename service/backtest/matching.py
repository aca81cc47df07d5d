"""`warmline backtest matching`: who the rules would have taken each profile for, from two CSV files."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import click

from integrations.records import Author, Contact, Handle
from service.backtest import files
from service.backtest.scoring import Score
from service.rules.matching import Commonness, author_keys, commonness, contact_keys, match, share_known
from service.rules.model import Candidate, KnownAuthor, MatchResult, MatchState

ROUNDS, SETTLED = (
    6,
    0.01,
)  # of learning the share of authors who are in the CRM: at most so many, until it moves by less
PER_KEY = 50  # as many as the product looks at under one key
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
        ids = {
            found for key in author_keys(known) if len(under := self._under.get(key, ())) <= PER_KEY for found in under
        }
        return match(known, [Candidate(each, self.contacts[each]) for each in sorted(ids)], self.commonness)


def read_contacts(path: Path) -> dict[str, Contact]:
    """Contacts by id from a CSV file: contact_id, and as far as they are there first_name, last_name, full_name, nickname, email,
    company, website, phone, city, region, country, title, source, and handles (separated by spaces). Raises PlainError."""
    return {row["contact_id"]: _contact(row) for row in files.rows(path, ["contact_id"])}


def _contact(row: Mapping[str, str]) -> Contact:
    get = {name: (value or "").strip() for name, value in row.items() if name}
    first = get.get("first_name", "")
    full = get.get("full_name", "")
    return Contact(
        id=get["contact_id"],
        name=full,
        # Who is called otherwise than christened keeps both: the full name holds the other one.
        first_name=get.get("nickname") or first if full else first,
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
    return {row["profile_id"]: _profile(row) for row in files.rows(path, ["profile_id", "network", "handle"])}


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
        found = {profile_id: index.match(known) for profile_id, known in profiles.items()}
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


def against(truth: Mapping[str, str], found: Mapping[str, Sequence[MatchResult]]) -> dict[str, object]:
    """How the matches compare with the truth (profile -> contact, empty for nobody)."""
    confirmed = {
        profile: next((each.contact_id for each in found.get(profile, ()) if each.state is MatchState.CONFIRMED), None)
        for profile in truth
    }
    first = {profile: next((each.contact_id for each in found.get(profile, ())), None) for profile in truth}
    by_rule = _score(truth, confirmed)
    by_first = _score(truth, first)
    return {
        "profiles": len(truth),
        "confirmed": by_rule.as_json(),
        "wrong": sum(1 for profile, contact in confirmed.items() if contact and contact != truth[profile]),
        "with_first_suggestion": by_first.as_json(),
    }


def _score(truth: Mapping[str, str], said: Mapping[str, str | None]) -> Score:
    right = sum(1 for profile, contact in said.items() if contact and contact == truth[profile])
    return Score(sum(1 for contact in said.values() if contact), right, sum(1 for contact in truth.values() if contact))


@click.command("matching")
@click.option("--contacts", required=True, type=click.Path(path_type=Path), help="CSV of contacts, with contact_id.")
@click.option(
    "--profiles",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV of profiles, with profile_id, network and handle.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Where to write the matches, as CSV.")
@click.option("--truth", type=click.Path(path_type=Path), help="CSV with profile_id and contact_id (empty: nobody).")
@click.option("--json", "as_json", is_flag=True, help="Say the figures as JSON.")
def command(contacts: Path, profiles: Path, out: Path, truth: Path | None, as_json: bool) -> None:
    """Say which contact each profile would have been matched to, and why."""
    found = judge(Index(read_contacts(contacts)), read_profiles(profiles))
    written = files.write(out, COLUMNS, lines(found))
    figures: dict[str, object] = {"profiles": len(found), "matches": written}
    if truth:
        true = {
            row["profile_id"]: (row["contact_id"] or "").strip()
            for row in files.rows(truth, ["profile_id", "contact_id"])
        }
        figures |= against(true, found)
    if as_json:
        click.echo(json.dumps(figures))
        return
    click.echo(f"{figures['profiles']} profiles, {written} matches written to {out}.")
