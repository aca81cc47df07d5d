"""Which rules tests show to be kept, compared with `integrations/standing.json` or written there.

A test that shows something about a rule carries `@pytest.mark.rule("resume")`. Whom it is about is told by its parameters, by the folder
that it stands in, or by the mark (`provider="acme"`). A test in a provider's folder that checks against the vendor's own material
(`shared`) shows something about the rule `contract` without saying so, and one in `tests/live/test_acme.py` about `live`. A rule is kept by a provider if each test of it that was collected for that provider passed
at least once (a second harness may be unable to say something), and none failed. At the end of a run that left nothing out
the file must say exactly that.

So the file is a ratchet: what it says is kept must pass, and what it does not may fail, which shows as "xfailed" and stays to do. Bronze is
not optional: those tests fail, unless the manifest owns up to it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from integrations import standing
from integrations.registry import providers

TESTS = Path(__file__).parents[2]
INTEGRATIONS, LIVE = TESTS / "integrations", TESTS / "live"
BEGIN, END = "<!-- standing: `make standing` writes this -->", "<!-- end of standing -->"
# Rules whose tests need what is not everywhere: where all of them were skipped, what is written stays.
ELSEWHERE = {"contract", "live"}

Outcomes = Mapping[tuple[str, str], Mapping[str, set[str]]]  # (provider, rule) -> test -> how it went


class Recording:
    """A plugin of pytest. Under xdist the workers mark, and the controller counts."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.complaints: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        known = {rule.key for rule in standing.RULES}
        for item in items:
            for rule in _shown_by_where_it_stands(item):
                item.add_marker(pytest.mark.rule(rule))
            for mark in item.iter_markers("rule"):
                if unknown := set(mark.args) - known:
                    raise pytest.UsageError(f"{item.nodeid}: there is no rule {', '.join(sorted(unknown))}")
                key = mark.kwargs.get("provider") or provider_of(item)
                if key in providers():
                    _mark(item, key, mark.args)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown" and not report.failed:
            return
        if report.when == "setup" and report.passed:
            return
        for name, value in report.user_properties:
            if name == "standing":
                key, rule, test = str(value).split(" ", 2)
                self.outcomes[key, rule][test].add(report.outcome)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if hasattr(session.config, "workerinput") or not self.outcomes:
            return
        writing, complete = session.config.getoption("write_standing"), _complete(session)
        said = json.loads(standing.PATH.read_text())
        shown = judged(self.outcomes, said)
        if writing and complete:
            write(shown)
        elif writing:
            self.complaints = [
                "Nothing was written: only a run of all that shows something about a rule can say what is kept."
            ]
        elif complete:
            self.complaints = differences(said, shown)
        if self.complaints:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.complaints:
            terminalreporter.section("standing of the providers", red=True)
            for line in self.complaints:
                terminalreporter.line(line)


def provider_of(item: pytest.Item) -> str | None:
    """The key of the provider that a test is about, or None."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    for name in ("provider", "any_provider", "network", "crm", "wired_crm", "crm_key", "reading", "reading_over_http"):
        if name in params:
            value = params[name]
            value = value[0] if isinstance(value, tuple) else value
            return str(getattr(value, "key", value)).split(" ")[0]
    return _live(item) or _folder(item)


def _folder(item: pytest.Item) -> str | None:
    """The provider in whose folder a test stands, or None."""
    inside = item.path.is_relative_to(INTEGRATIONS) and item.path.relative_to(INTEGRATIONS).parts
    return inside[1] if inside and inside[0] in ("social", "crm") and len(inside) > 2 else None


def _live(item: pytest.Item) -> str | None:
    """The provider whose real servers a test speaks to, or None."""
    return item.path.stem.removeprefix("test_") if item.path.parent == LIVE else None


def _shown_by_where_it_stands(item: pytest.Item) -> list[str]:
    if _live(item) is not None:
        return ["live"]
    return ["contract"] if item.get_closest_marker("shared") and _folder(item) is not None else []


def _mark(item: pytest.Item, key: str, rules: Sequence[str]) -> None:
    provider = providers()[key]
    free, said = standing.exemptions(provider), standing.kept().get(key, frozenset())
    test = item.nodeid.partition("[")[0]
    for rule in rules:
        item.user_properties.append(("standing", f"{key} {rule} {test}"))
        if rule in free:
            item.add_marker(pytest.mark.skip(reason=f"exempt: {free[rule]}"))
        elif rule in provider.todo:
            item.add_marker(pytest.mark.xfail(reason=f"to do: {provider.todo[rule]}", strict=False))
        elif rule not in said and hasattr(item, "callspec") and standing.rule(rule).tier != "bronze":
            item.add_marker(pytest.mark.xfail(reason="not shown before", strict=False))


def _complete(session: pytest.Session) -> bool:
    """Whether the run left nothing out that shows something about a rule."""
    config = session.config
    given = [Path(each.partition("::")[0]).resolve() for each in config.args]
    chosen = (
        config.getoption("keyword") or config.getoption("markexpr") not in ("", "rule") or config.getoption("deselect")
    )
    whole = any(TESTS.is_relative_to(each) for each in given) and not any("::" in each for each in config.args)
    ended = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    picked = config.getoption("lf", default=False) or config.getoption("stepwise", default=False)
    return whole and ended and not chosen and not picked and not session.shouldstop


def judged(outcomes: Outcomes, said: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The rules that each provider keeps, in the order of the table. `said`: what was written before."""

    def keeps(key: str, rule: str) -> bool:
        tests = outcomes.get((key, rule), {})
        went = set().union(*tests.values())
        if rule in ELSEWHERE and went == {"skipped"}:
            return rule in said.get(key, ())
        return bool(tests) and "failed" not in went and all("passed" in each for each in tests.values())

    return {
        key: [rule.key for rule in standing.rules_for(provider.kind) if keeps(key, rule.key)]
        for key, provider in providers().items()
    }


def differences(said: Mapping[str, Sequence[str]], shown: Mapping[str, Sequence[str]]) -> list[str]:
    """Where the file says something else than the tests, and where a manifest is too modest, as sentences."""
    found = []
    for key in sorted({*said, *shown}):
        extra, missing = (
            set(said.get(key, ())) - set(shown.get(key, ())),
            set(shown.get(key, ())) - set(said.get(key, ())),
        )
        found += [f"{key}: standing.json says that `{rule}` is kept, and no test shows it" for rule in sorted(extra)]
        found += [
            f"{key}: tests show that `{rule}` is kept, and standing.json does not say so" for rule in sorted(missing)
        ]
        modest = set(providers()[key].todo) & set(shown.get(key, ())) if key in providers() else ()
        found += [
            f"{key}: its manifest says that `{rule}` is to do, and all tests of it pass" for rule in sorted(modest)
        ]
    return [*found, "`make standing` writes it anew."] if found else []


def write(shown: Mapping[str, Sequence[str]]) -> None:
    """Writes what tests have shown, and how each provider stands into its page."""
    standing.PATH.write_text(json.dumps(shown, indent=1, sort_keys=True) + "\n")
    standing.kept.cache_clear()
    for provider in providers().values():
        page = page_of(provider.kind, provider.key)
        if page.exists():
            page.write_text(with_block(page.read_text(), standing.markdown(provider)))


def page_of(kind: str, key: str) -> Path:
    """The README of a provider."""
    return standing.PATH.parent / kind / key / "README.md"


def with_block(text: str, table: str) -> str:
    """A page in which the block between our two marks is this table; at the end of "Standing" where it has none yet."""
    block = f"{BEGIN}\n{table}\n{END}"
    if BEGIN in text and END in text:
        before, after = text.partition(BEGIN)[0], text.partition(END)[2]
        return f"{before}{block}{after}"
    head, _, rest = text.rstrip("\n").partition("\n## Standing\n")
    section, following, more = rest.partition("\n## ")
    return f"{head}\n## Standing\n{section.rstrip()}\n\n{block}\n{following}{more}".rstrip("\n") + "\n"


def block_of(text: str) -> str | None:
    """The block between our two marks, or None."""
    inside: Any = text.partition(BEGIN)[2]
    return inside.partition(END)[0].strip("\n") if inside and END in inside else None
