"""Who is it: matches on real names and profiles, against the tools that somebody would reach for instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import shared
from bench.figures import Figure
from bench.scale import Scale
from service.backtest.matching import Index, against, judge, read_contacts, read_profiles
from service.backtest.scoring import Score
from service.rules.model import MatchResult, MatchState


@dataclass(frozen=True)
class Goal:
    """What is asked of one set: precision and recall of what is confirmed, and recall with the first suggestion."""

    precision: float
    recall: float
    first: float


GOALS = {
    "identity_us_congress_2016": Goal(0.995, 0.95, 0.98),
    "identity_uk_mps": Goal(0.995, 0.97, 0.99),
    "identity_us_officials": Goal(0.99, 0.60, 0.80),
    "identity_orgs": Goal(0.99, 0.55, 0.75),
}
POOLED_WRONG = 5.0  # in a thousand confirmed


def measure(scale: Scale) -> list[Figure]:
    """Precision and recall on each set, and all of them pooled."""
    figures, wrong, said = list[Figure](), 0, 0
    for name, goal in GOALS.items():
        where = shared.folder(name)
        if where is None:
            continue
        truth = {row["profile_id"]: row["contact_id"] for row in shared.rows(where / "truth.csv")}
        found = judge(Index(read_contacts(where / "contacts.csv")), read_profiles(where / "profiles.csv"))
        told = against(truth, found)
        figures += _of_set(name, goal, told, where, truth)
        wrong, said = wrong + _wrong(truth, found), said + told["confirmed"].said
    if said:
        figures.append(
            Figure("identity: wrong in 1,000 confirmed", 1000 * wrong / said, "matches", f"{said} confirmed, all sets pooled", of="value",
                   at_most=POOLED_WRONG)
        )  # fmt: skip
    return figures


def _of_set(name: str, goal: Goal, told: Mapping[str, Score], where: Path, truth: Mapping[str, str]) -> list[Figure]:
    size = f"{len(truth)} profiles, {sum(map(bool, truth.values()))} of them with a contact"
    exact, sorted_words = _exact(where, truth), _token_sort(where, truth)
    confirmed, first = told["confirmed"], told["with_first_suggestion"]
    return [
        Figure(f"{name}: precision", confirmed.precision, "", size, of="value", at_least=goal.precision),
        Figure(f"{name}: recall", confirmed.recall, "", size, exact, "the exact display name (recall)", of="value", at_least=goal.recall),
        Figure(f"{name}: recall, first suggestion", first.recall, "", size, of="value", at_least=goal.first),
        Figure(f"{name}: F1", confirmed.f1, "", size, sorted_words, "rapidfuzz's token-sort ratio at its best threshold (F1)", of="value"),
    ]  # fmt: skip


def _wrong(truth: Mapping[str, str], found: Mapping[str, Sequence[MatchResult]]) -> int:
    return sum(
        each.contact_id != truth.get(profile, "")
        for profile, results in found.items()
        for each in results
        if each.state is MatchState.CONFIRMED
    )


def _names(where: Path) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Every form of every contact's name (contact, name), and what each profile is called; without regard to case."""
    forms = []
    for row in shared.rows(where / "contacts.csv"):
        last = row["last_name"]
        for name in {
            row["full_name"],
            f"{row['first_name']} {last}",
            f"{row['nickname']} {last}",
            row["company"] if not last else "",
        }:
            if len(name.split()) > 1 or (name and not last):
                forms.append((row["contact_id"], name.casefold().strip()))
    profiles = shared.rows(where / "profiles.csv")
    return forms, {row["profile_id"]: (row["display_name"] or row["handle"]).casefold().strip() for row in profiles}


def _exact(where: Path, truth: Mapping[str, str]) -> float:
    """Recall of taking the one contact who is called exactly as the profile is."""
    forms, profiles = _names(where)
    under: dict[str, set[str]] = {}
    for contact, name in forms:
        under.setdefault(name, set()).add(contact)
    right = sum(under.get(profiles[profile]) == {contact} for profile, contact in truth.items() if contact)
    return right / max(1, sum(map(bool, truth.values())))


def _token_sort(where: Path, truth: Mapping[str, str]) -> float:
    """The best F1 over all thresholds of the most similar name."""
    from rapidfuzz import fuzz, process, utils

    forms, profiles = _names(where)
    names = [utils.default_process(name) for _, name in forms]
    best = []
    for profile, contact in truth.items():
        found = process.extractOne(
            utils.default_process(profiles[profile]), names, scorer=fuzz.token_sort_ratio, processor=None
        )
        best.append((found[1], forms[found[2]][0] == contact) if found else (0.0, False))
    there, right, highest = sum(map(bool, truth.values())), 0, 0.0
    for said, (_, is_right) in enumerate(sorted(best, key=lambda each: -each[0]), 1):
        right += is_right
        highest = max(highest, 2 * right / (said + there))
    return highest
