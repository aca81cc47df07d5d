"""The table of standings is drawn from what tests show, and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from integrations import standing
from integrations.provider import HANDED_IN, Provider, Secret
from integrations.registry import providers
from tests.integrations.contract.recording import BEGIN, END, block_of, differences, judged, page_of, with_block

BRONZE = {each.key for each in standing.rules_for("crm") if each.tier == "bronze"}
ALL = frozenset(each.key for each in standing.rules_for("crm"))


def crm(**more: Any) -> Provider[Any]:
    given: dict[str, Any] = {
        "key": "acme",
        "kind": "crm",
        "name": "Acme",
        "hosts": {},
        "auth": Secret(),
        "client": lambda access: None,
        "streams": (),
    }
    return Provider(**{**given, **more})


def tier_of(provider: Provider[Any], shown: set[str] | frozenset[str]) -> str:
    return standing.tier(standing.standing(provider, frozenset(shown)))


def test_rules_have_keys_of_their_own_and_sentences() -> None:
    assert len({each.key for each in standing.RULES}) == len(standing.RULES)
    assert all(each.sentence.endswith(".") and each.tier in standing.TIERS for each in standing.RULES)


def test_a_tier_needs_all_rules_of_it_and_of_those_below() -> None:
    assert tier_of(crm(), ALL) == "platinum"
    assert tier_of(crm(), BRONZE) == "bronze"
    assert tier_of(crm(), BRONZE - {"whoami"}) == standing.UNRANKED
    assert tier_of(crm(), ALL - {"push_twice"}) == "bronze"
    assert tier_of(crm(), ALL - {"whoami"}) == standing.UNRANKED


def test_what_a_provider_is_exempt_from_holds_no_tier_back_and_says_why() -> None:
    free = crm(exempt={"handles": "It has no fields for handles."})
    found = {each.rule.key: each for each in standing.standing(free, ALL - {"handles"})}
    assert (found["handles"].state, found["handles"].reason) == ("exempt", "It has no fields for handles.")
    assert tier_of(free, ALL - {"handles"}) == "platinum"


def test_a_tier_of_which_nothing_is_asked_is_not_earned() -> None:
    handed_in = crm(
        exempt={each.key: "It is handed in." for each in standing.rules_for("crm") if each.tier == "silver"}
    )
    assert tier_of(handed_in, ALL) == "bronze"


def test_what_a_manifest_says_is_to_do_is_not_done_whatever_tests_show() -> None:
    modest = crm(todo={"live": "Nobody has tried it against a real account."})
    [live] = [each for each in standing.standing(modest, ALL) if each.rule.key == "live"]
    assert (live.state, live.reason) == ("todo", "Nobody has tried it against a real account.")
    assert tier_of(modest, ALL) == "gold"


def test_where_posts_are_handed_in_no_rule_about_calls_applies() -> None:
    place = replace(crm(), kind="social", capabilities=frozenset({HANDED_IN}))
    states = {each.rule.key: each.state for each in standing.standing(place, frozenset({"manifest"}))}
    assert (states["half_way"], states["manifest"], states["readme"]) == ("exempt", "done", "todo")


@pytest.mark.parametrize("key", providers())
def test_a_manifest_names_only_rules_that_there_are_with_a_reason(key: str) -> None:
    provider = providers()[key]
    rules = {each.key for each in standing.rules_for(provider.kind)}
    assert {*provider.exempt, *provider.todo} <= rules
    assert all(each.endswith(".") for each in (*provider.exempt.values(), *provider.todo.values()))
    assert not set(provider.exempt) & set(provider.todo)


@pytest.mark.parametrize("key", providers())
def test_the_page_says_what_the_table_says(key: str) -> None:
    """Written by `make standing`; a page that has no such block yet gets it then."""
    provider = providers()[key]
    page = page_of(provider.kind, key)
    block = block_of(page.read_text()) if page.exists() else None
    assert block is None or block == standing.markdown(provider)


def test_a_table_is_put_where_it_belongs() -> None:
    page = "# Acme\n\nWords.\n\n## Standing\n\nNever tried.\n\n## After\n\nMore.\n"
    once = with_block(page, "one")
    assert once == f"# Acme\n\nWords.\n\n## Standing\n\nNever tried.\n\n{BEGIN}\none\n{END}\n\n## After\n\nMore.\n"
    assert block_of(once) == "one"
    assert with_block(once, "two") == once.replace("one\n", "two\n")


# --- how tests are judged ---------------------------------------------------------------------------------------

ONE, OTHER = "test_contract.py::test_one", "test_contract.py::test_other"


@pytest.mark.parametrize(
    ("tests", "kept"),
    [
        ({}, False),
        ({ONE: {"passed"}}, True),
        ({ONE: {"passed", "skipped"}}, True),  # one of two harnesses is unable to say it
        ({ONE: {"skipped"}}, False),
        ({ONE: {"passed"}, OTHER: {"skipped"}}, False),
        ({ONE: {"passed"}, OTHER: {"passed", "failed"}}, False),
    ],
)
def test_a_rule_is_kept_where_each_test_of_it_passed_and_none_failed(tests: dict[str, set[str]], kept: bool) -> None:
    assert ("whoami" in judged({("x", "whoami"): tests}, {})["x"]) is kept


@pytest.mark.parametrize(("said", "kept"), [(["contract"], True), ([], False)])
def test_what_needs_something_that_is_not_here_stays_as_it_was(said: list[str], kept: bool) -> None:
    outcomes = {("x", "contract"): {ONE: {"skipped"}}}
    assert ("contract" in judged(outcomes, {"x": said})["x"]) is kept


def test_what_no_test_is_left_of_is_not_kept() -> None:
    assert judged({}, {"x": ["contract"]})["x"] == []


def test_a_file_that_says_too_much_or_too_little_is_told_so() -> None:
    found = differences({"x": ["whoami", "gone"]}, {"x": ["whoami", "news"]})
    assert found == [
        "x: standing.json says that `gone` is kept, and no test shows it",
        "x: tests show that `news` is kept, and standing.json does not say so",
        "`make standing` writes it anew.",
    ]
    assert differences({"x": ["whoami"]}, {"x": ["whoami"]}) == []


def test_the_file_names_providers_and_rules_that_there_are() -> None:
    for key, rules in json.loads(standing.PATH.read_text()).items():
        assert set(rules) <= {each.key for each in standing.rules_for(providers()[key].kind)}


def test_programs_read_key_kind_name_tier_and_rules() -> None:
    found = standing.as_json(crm(exempt={"live": "There is none."}))
    assert {name: found[name] for name in ("key", "kind", "name", "tier")} == {
        "key": "acme",
        "kind": "crm",
        "name": "Acme",
        "tier": standing.UNRANKED,
    }
    assert {each["standing"] for each in found["rules"]} == {"todo", "exempt"}
    assert json.loads(json.dumps(found)) == found
