"""Libraries that link records, on the same people as ours, each as its own guide has one use it: `splink` (DuckDB, expectation
maximisation), `recordlinkage` (blocking, ECM) and `rapidfuzz` (every name against every other).

They are given what ours reads from a profile as columns, which is more than they would find there by themselves.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.crowd import Crowd, Profile
from integrations.records import Contact
from service.rules.matching.addresses import domain, mails

Scored = dict[str, tuple[str, float]]  # profile -> its likeliest contact, and how likely
Row = dict[str, str | None]


def linked(name: str, contacts: int, profiles: int) -> dict[str, Any]:
    """What one of them finds among so many contacts and profiles, and in how many seconds. For a process of its own."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    crowd = Crowd(contacts)
    people = crowd.profiles(profiles)
    left, right = [_profile_row(each) for each in people], [_contact_row(each) for each in crowd.contacts]
    begun = time.perf_counter()
    found = LINKERS[name](left, right)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "f1": best_f1(people, found)}


def best_f1(people: Sequence[Profile], found: Mapping[str, tuple[str, float]], precision: float = 0.99) -> float:
    """The best F1 among all thresholds at which precision is at least this; 0 where there is none. `found` holds each profile's
    likeliest contact, by the ids of both."""
    true = {each.known.author.id: {str(one) for one in each.contacts} for each in people}
    there = sum(bool(each) for each in true.values())
    right, best = 0, 0.0
    ordered = sorted(found.items(), key=lambda pair: -pair[1][1])
    for said, (profile, (contact, score)) in enumerate(ordered, 1):
        right += contact in true[profile]
        last_of_its_score = said == len(ordered) or ordered[said][1][1] < score
        if last_of_its_score and right >= precision * said:
            best = max(best, 2 * right / (said + there))
    return best


# --- columns --------------------------------------------------------------------------------------------------


def _contact_row(each: Contact) -> Row:
    return _row(
        each.id, each.first_name, each.last_name, each.city, each.company.partition(" ")[0], each.emails[0] if each.emails else "", each.website,
        each.handles[0].value if each.handles else "", each.title,
    )  # fmt: skip


def _profile_row(each: Profile) -> Row:
    author = each.known.author
    given, _, family = author.name.partition(" ")
    title, at, firm = author.bio.partition(". ")[0].partition(" at ")
    return _row(
        author.id, given.rstrip("."), family, author.location, firm if at else "", next(iter(mails(author.bio)), ""), author.website,
        author.handle, title if at else "",
    )  # fmt: skip


def _row(id_: str, given: str, family: str, city: str, firm: str, mail: str, site: str, handle: str, title: str) -> Row:
    values = {
        "given": given, "family": family, "name": f"{given} {family}".strip(), "city": city, "firm": firm, "mail": mail,
        "site": domain(site) or "", "handle": handle, "title": title,
    }  # fmt: skip
    return {"unique_id": id_, **{name: value.lower() or None for name, value in values.items()}}


# --- the libraries --------------------------------------------------------------------------------------------


def _rapidfuzz(left: Sequence[Row], right: Sequence[Row]) -> Scored:
    from rapidfuzz import fuzz, process

    names = [each["name"] or "" for each in right]
    found: Scored = {}
    for each in left:
        best = process.extractOne(each["name"] or each["handle"] or "", names, scorer=fuzz.token_sort_ratio)
        if best is not None:
            found[str(each["unique_id"])] = str(right[best[2]]["unique_id"]), best[1]
    return found


def _recordlinkage(left: Sequence[Row], right: Sequence[Row]) -> Scored:
    import pandas
    import recordlinkage

    one, other = (pandas.DataFrame(side).set_index("unique_id") for side in (left, right))
    indexer = recordlinkage.Index()
    for column in ("family", "mail", "handle", "site"):
        indexer.block(column)
    pairs = indexer.index(one, other)
    compare = recordlinkage.Compare()
    compare.string("given", "given", method="jarowinkler", threshold=0.9, label="given")
    compare.string("family", "family", method="jarowinkler", threshold=0.9, label="family")
    for column in ("city", "firm", "mail", "site", "handle", "title"):
        compare.exact(column, column, label=column)
    features = compare.compute(pairs, one, other)
    classifier = recordlinkage.ECMClassifier(use_col_names=True)
    classifier.fit(features)
    # The sum of the weights that it has learnt: its probabilities are 1 for too many to tell them apart.
    weights = classifier.log_weights
    scores = sum(features[column].map(weights[column]) for column in features)
    return _first(zip(features.index, scores, strict=True))


def _splink(left: Sequence[Row], right: Sequence[Row]) -> Scored:
    import pandas
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    def exact(column: str, rarity: bool) -> Any:
        return cl.ExactMatch(column).configure(term_frequency_adjustments=rarity)

    settings = SettingsCreator(
        link_type="link_only",
        blocking_rules_to_generate_predictions=[block_on(each) for each in ("family", "mail", "handle", "site")],
        comparisons=[
            cl.JaroWinklerAtThresholds("given", 0.9).configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("family", 0.9).configure(term_frequency_adjustments=True),
            exact("city", True), exact("firm", True), exact("mail", False), exact("site", True), exact("handle", False), exact("title", True),
        ],
    )  # fmt: skip
    database = DuckDBAPI()
    linker = Linker([database.register(pandas.DataFrame(side)) for side in (left, right)], settings, log_level=None)
    linker.training.estimate_probability_two_random_records_match([block_on("given", "family", "city")], recall=0.3)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for columns in (("given", "family"), ("city", "family")):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*columns))
    made = linker.inference.predict(threshold_match_probability=0.01).as_pandas_dataframe()
    pairs = zip(zip(made.unique_id_l, made.unique_id_r, strict=True), made.match_weight, strict=True)
    return _first(pairs)


def _first(pairs: Any) -> Scored:
    found: Scored = {}
    for (profile, contact), score in pairs:
        if profile not in found or score > found[profile][1]:
            found[profile] = contact, float(score)
    return found


LINKERS: Mapping[str, Callable[[Sequence[Row], Sequence[Row]], Scored]] = {
    "rapidfuzz": _rapidfuzz, "recordlinkage": _recordlinkage, "splink": _splink,
}  # fmt: skip
