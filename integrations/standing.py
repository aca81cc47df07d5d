"""How each provider stands: the rules that all of them are held to, which are kept, and the tier that follows.

A rule is kept ("done") only because tests that carry its key pass for that provider: `make standing` runs them and writes
`standing.json`, and every complete run of those tests fails where that file says anything else. What a rule does not ask of a provider it
names in its manifest, with the reason (`Provider.exempt`), and so it does with what it is known to lack (`Provider.todo`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from integrations.provider import HANDED_IN
from integrations.registry import AnyProvider

Tier = Literal["bronze", "silver", "gold", "platinum"]
State = Literal["done", "todo", "exempt"]

TIERS: tuple[Tier, ...] = ("bronze", "silver", "gold", "platinum")
STATES: tuple[State, ...] = ("done", "todo", "exempt")
UNRANKED = "none"  # not all of the bronze rules are kept
PATH = Path(__file__).with_name("standing.json")

_HANDED_IN = "Posts are handed in through the API, so that there is no network to call."
_NOT_SHOWN = "No test shows it yet."

_SOCIAL = frozenset({"social"})
_CRM = frozenset({"crm"})
_BOTH = _SOCIAL | _CRM


@dataclass(frozen=True)
class Rule:
    """One thing that a provider must do. `calls`: it is about calls to the provider, which not every provider makes."""

    key: str
    sentence: str
    tier: Tier
    kinds: frozenset[str] = _BOTH
    calls: bool = True


RULES = (
    # Bronze: it can be connected and read.
    Rule("manifest", "Says what it reads, how often, and what it leaves out, in plain sentences.", "bronze", calls=False),
    Rule("readme", "Tells how to register an app, its limits, prices and quirks, and how it stands.", "bronze", calls=False),
    Rule("whoami", "Names the account that it is connected to.", "bronze"),
    Rule("options", "Keeps what connecting finds out, and finds the same again.", "bronze", _CRM),
    Rule("full_pull", "Serves everything there is, as it was written.", "bronze"),
    Rule("resume", "Stopping after any page and coming back loses nothing.", "bronze"),
    Rule("news", "What comes later comes with the cursor.", "bronze"),
    Rule("any_cursor", "Starts over with a cursor that it cannot read.", "bronze"),
    Rule("statuses", "Reads 400, 401, 403, 404, 429, 500 and 503 as everybody does.", "bronze"),
    Rule("tasks", "Makes, changes, completes, opens and withdraws tasks, which read back as they were written.", "bronze", _CRM),
    # Silver: it loses nothing and does nothing twice, whatever goes wrong on the way.
    Rule("replayed_page", "A page that is read again brings the same records.", "silver"),
    Rule("overlap", "Coming back when nothing is new ends, and brings nothing that was not there.", "silver"),
    Rule("half_way", "A pull that breaks off at any call goes on without a loss.", "silver"),
    Rule("edited", "Sees what was edited.", "silver", _SOCIAL),
    Rule("deleted", "Sees what was deleted.", "silver", _SOCIAL),
    Rule("retry_after", "Waits after a 429 for as long as it is told, and for a while where it is told nothing.", "silver"),
    Rule("outage", "A web page with 502, a timeout or a lost connection is a failure in passing, never a revoked consent.", "silver"),
    Rule("garbage", "A success that cannot be read, or was cut off, says so.", "silver"),
    Rule("redirects", "Follows no redirect to another host.", "silver"),
    Rule("unicode", "Keeps every text as it is, in any script.", "silver"),
    Rule("secrets", "Shows no secret in what it prints, raises or logs.", "silver"),
    Rule("push_twice", "The same task pushed twice stands once.", "silver", _CRM),
    Rule("crash", "A process that dies between making a task and noting it leaves one task.", "silver", _CRM),
    Rule("lost_answers", "A push that breaks off at any call, before or after the work, ends as one task.", "silver", _CRM),
    Rule("partial_failure", "One task that is refused says why, and the others are made.", "silver", _CRM),
    Rule("completed", "Sees a task that a person completed.", "silver", _CRM),
    Rule("deleted_task", "Leaves be a task that a person deleted.", "silver", _CRM),
    Rule("edited_task", "Sees what a person changed in a task, and leaves alone what it is not told to change.", "silver", _CRM),
    Rule("reassigned", "Sees that a task was given to somebody else.", "silver", _CRM),
    # Gold: it copes with what is rare, and an administrator knows what it does.
    Rule("late_item", "Finds what was indexed late, behind the newest that it has seen.", "gold"),
    Rule("clock_skew", "Loses nothing where our clock is hours off.", "gold"),
    Rule("broken_row", "Passes over one row that cannot be read, and serves the others.", "gold"),
    Rule("renamed", "Knows whoever takes another name by their id, and shows the new one.", "gold", _SOCIAL),
    Rule("contact_gone", "A task for a contact that is gone is refused with a sentence, and the others are made.", "gold", _CRM),
    Rule("owner_gone", "A task for an owner who is gone is refused with a sentence, and the others are made.", "gold", _CRM),
    Rule("deleted_contact", "Sees within two hours that a contact was deleted.", "gold", _CRM),
    Rule("same_key_twice", "Two tasks with one key in the CRM stay two, and are taken for one of them.", "gold", _CRM),
    Rule("remade", "Makes again what connecting made and somebody took away, or says what to do.", "gold", _CRM),
    Rule("handles", "Writes confirmed handles into empty fields, and never over what is there.", "gold", _CRM),
    Rule("fewest_calls", "Makes tasks in as few calls as the CRM allows.", "gold", _CRM),
    Rule("install", "Tells administrators why each scope, what is read, written and made, and how all of it is removed.", "gold", calls=False),
    # Platinum: it was held against what the vendor publishes, and against the thing itself.
    Rule("contract", "Asks and reads as the vendor's published contract or software development kit has it.", "platinum"),
    Rule("live", "A test runs it against a real server.", "platinum"),
)  # fmt: skip
_BY_KEY = {each.key: each for each in RULES}


@dataclass(frozen=True)
class Standing:
    """One rule and one provider. `reason` is empty for what is done."""

    rule: Rule
    state: State
    reason: str = ""

    def as_json(self) -> dict[str, str]:
        """As programs read it."""
        return {
            "rule": self.rule.key,
            "sentence": self.rule.sentence,
            "tier": self.rule.tier,
            "standing": self.state,
            "reason": self.reason,
        }


def rule(key: str) -> Rule:
    """The rule with this key. Raises KeyError."""
    return _BY_KEY[key]


def rules_for(kind: str) -> tuple[Rule, ...]:
    """The rules for networks ("social") or CRMs ("crm")."""
    return tuple(each for each in RULES if kind in each.kinds)


@cache
def kept() -> Mapping[str, frozenset[str]]:
    """The keys of the rules that tests have shown to be kept, by provider."""
    found: dict[str, list[str]] = json.loads(PATH.read_text())
    return {key: frozenset(rules) for key, rules in found.items()}


def exemptions(provider: AnyProvider) -> dict[str, str]:
    """Rules that do not apply to this provider, with the reason."""
    handed_in = HANDED_IN in provider.capabilities
    silent = {each.key: _HANDED_IN for each in rules_for(provider.kind) if each.calls and handed_in}
    return {**silent, **provider.exempt}


def standing(provider: AnyProvider, shown: frozenset[str] | None = None) -> list[Standing]:
    """Each rule for this provider. `shown` are the rules that tests have shown to be kept: those of `standing.json`, if not given."""
    shown = kept().get(provider.key, frozenset()) if shown is None else shown
    free = exemptions(provider)
    found = []
    for each in rules_for(provider.kind):
        if each.key in free:
            found.append(Standing(each, "exempt", free[each.key]))
        elif each.key in shown and each.key not in provider.todo:
            found.append(Standing(each, "done"))
        else:
            found.append(Standing(each, "todo", provider.todo.get(each.key, _NOT_SHOWN)))
    return found


def tier(found: list[Standing]) -> str:
    """The highest tier of which, and of all below, some rule is done and none is to do; "none" where that is not so of bronze."""
    reached = UNRANKED
    for name in TIERS:
        states = {each.state for each in found if each.rule.tier == name}
        if "todo" in states or "done" not in states:
            break
        reached = name
    return reached


def as_json(provider: AnyProvider) -> dict[str, Any]:
    """Key, kind, name, tier and rules of a provider, as programs read them."""
    found = standing(provider)
    return {
        "key": provider.key,
        "kind": provider.kind,
        "name": provider.name,
        "tier": tier(found),
        "rules": [each.as_json() for each in found],
    }


def markdown(provider: AnyProvider) -> str:
    """How a provider stands, as the page in its folder says it."""
    found = standing(provider)
    lines = [f"Tier: **{tier(found)}**.", "", "| tier | done | to do | exempt |", "|---|---|---|---|"]
    for name in TIERS:
        here = [each for each in found if each.rule.tier == name]
        cells = [
            ", ".join(each.rule.key for each in here if each.state == state) for state in ("done", "todo", "exempt")
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    because: dict[tuple[State, str], list[str]] = {}
    for each in found:
        if each.reason:
            because.setdefault((each.state, each.reason), []).append(f"`{each.rule.key}`")
    told = [f"- {_WORDS[state]}: {', '.join(rules)}. {reason}" for (state, reason), rules in because.items()]
    return "\n".join([*lines, *([""] if told else []), *told])


_WORDS = {"todo": "To do", "exempt": "Exempt"}
