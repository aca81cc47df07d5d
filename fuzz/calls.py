"""The API by its own document (schemathesis): every operation with each kind of value that its document lets be right or wrong, with random
values that fit and that don't, and chains along its links.

No 5xx, every answer as declared; a write that was done and is sent again under its Idempotency-Key gets the same answer.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import hypothesis
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.meta import CoveragePhaseData
from schemathesis.pytest.lazy import get_all_tests

from fuzz.engine import Found
from fuzz.place import place
from fuzz.target import Find
from service.api import idempotency
from service.commands.openapi import FILE

# What the formats of our own stand for: an empty cursor is the first page, and one provider is set up.
schemathesis.openapi.format("cursor", st.one_of(st.just(""), st.text("abcABC019_-", max_size=40)))
schemathesis.openapi.format("provider-key", st.just("fakesocial"))

ACCEPTED = ["2xx", "401", "403", "404", "409"]
OPERATIONS: list[dict[str, Any]] = [
    {
        # Opening hours that overlap, unknown time zones and other versions' ETags fit the schema, which cannot say more.
        "include-operation-id": "settings.replace",
        "checks": {
            "positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "412", "422"]},
            "missing_required_header": {"expected-statuses": ["401", "422", "428"]},
            "negative_data_rejection": {"expected-statuses": ["4xx"]},
        },
    },
    {
        # Settings as above; and talks in which only the brand speaks, or two posts share an id. A post that is handed in
        # has an author and a time unless it is deleted, and one place. A run on which others rest cannot be undone. A calendar is read
        # over https. What a form for connecting must hold is each provider's, and stands in `/v1/providers`.
        "include-operation-id-regex": "judge.talk|engagements.hand_in|settings.try_out|runs.undo|calendars.create|connections.create",
        "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "422"]}},
    },
    {
        # A cursor that this list did not give out is refused: its schema says no more than that it is a string.
        "include-method": "GET",
        "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, "422", "400", "304"]}},
    },
]
STEPS = 8  # of one chain
STATELESS = 0.6  # of all calls
Kind = tuple[str, str, str | None]  # operation, what is odd about a value, where it stands


def config(examples: int, *, deterministic: bool) -> SchemathesisConfig:
    """How schemathesis draws and what it checks."""
    return SchemathesisConfig.from_dict(
        {"generation": {"max-examples": examples, "deterministic": deterministic}, "operations": OPERATIONS}
    )


@dataclass
class Caller:
    """Sends cases, counts them, and checks each answer."""

    key: str
    numbers: Iterator[int] = field(default_factory=count)
    sent: int = 0
    done: int = 0  # answers of success
    followed: int = 0  # calls with something of an earlier answer in them
    last: str = ""
    failed: BaseException | None = None  # what a chain ended with

    def call(self, case: Any) -> Any:
        """One case, as a new request. Raises for an answer that is not as declared."""
        header = (case.headers or {}).get(idempotency.HEADER)
        if header is not None and re.fullmatch(idempotency.SHAPE, str(header)):
            case.headers[idempotency.HEADER] = f"{header[:200]}{next(self.numbers)}"
        self.sent += 1
        self.last = f"{case.method} {case.formatted_path} {case.query!r} {case.headers!r} {case.body!r}"[:4000]
        response = case.call(headers=self.headers)
        case.validate_response(response, headers=self.headers)
        self.done += response.status_code < 300
        return response

    def again(self, case: Any, response: Any) -> None:
        """A write that was done is sent once more: nothing is done, and the answer is the same. Raises Find."""
        if case.method == "GET" or response.status_code >= 300 or idempotency.HEADER not in (case.headers or {}):
            return
        self.sent += 1
        second = case.call(headers=self.headers)
        if (second.status_code, second.content) != (response.status_code, response.content):
            raise Find(f"{self.last} was answered {response.status_code}, and {second.status_code} when sent again")

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def run(cases: int, seed: int, say: Callable[[str], None]) -> tuple[int, list[Found]]:
    """So many calls at least. Returns how many were made, and what was found."""
    finds: list[Found] = []
    with place() as here:
        schema = schemathesis.openapi.from_path(FILE, config=config(50, deterministic=False))
        schema.app = here.app
        caller = Caller(here.key)
        operations = [each.ok() for each in schema.get_all_operations()]
        for label, test in documented(schema, caller.call, _settings(1, Phase.explicit)):
            with _finding(finds, caller, f"calls/{label}, as documented", say):
                test()
        say(f"{caller.sent:,} calls as documented, {caller.done:,} done")
        each = max(1, round((cases * STATELESS - caller.sent) / len(operations) / 2))
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                with _finding(finds, caller, f"calls/{operation.label}", say):
                    _operation(operation, mode, caller, each, seed)
        say(f"{caller.sent:,} calls of {len(operations)} operations, {caller.done:,} done")
        with _finding(finds, caller, "chains", say):
            chains(schema, caller, max(cases - caller.sent, round(cases * (1 - STATELESS))), seed)
        say(f"{caller.sent:,} calls, {caller.done:,} done, {caller.followed:,} along a link")
    return caller.sent, finds


def documented(
    schema: Any, call: Callable[[Any], object], drawn: settings
) -> Iterator[tuple[str, Callable[[], object]]]:
    """For each operation its label and a test that hands `call` every case that the document itself names (each bound, format, missing or
    unknown part, in each place), and as many random ones as `drawn` says."""
    load_all_checks()
    for each in get_all_tests(schema=schema, test_func=call, settings=drawn, given_kwargs=None):
        operation, test = each.ok()
        yield operation.label, test


def kind(case: Any) -> Kind | None:
    """What a case that the document names is about: cases of one kind differ only in which parameter or field it is. None for a random one."""
    about = case.meta.phase.data
    if not isinstance(about, CoveragePhaseData):
        return None
    return case.operation.label, about.scenario, about.parameter_location


def _settings(examples: int, *phases: Phase) -> settings:
    return settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck),
                    phases=phases or (Phase.generate, Phase.shrink), report_multiple_bugs=False, stateful_step_count=STEPS)  # fmt: skip


def _operation(operation: Any, mode: Any, caller: Caller, examples: int, seed: int) -> None:
    @hypothesis.seed(seed)
    @_settings(examples)
    @given(operation.as_strategy(generation_mode=mode))
    def one(case: Any) -> None:
        # A name with an empty list sends nothing: what is odd about such a case does not arrive.
        hypothesis.assume(all(value != [] for value in (case.query or {}).values()))
        caller.again(case, caller.call(case))

    try:
        one()
    except hypothesis.errors.Unsatisfiable:
        return  # nothing that goes out there could be wrong


def chains(schema: Any, caller: Caller, calls: int, seed: int) -> None:
    """Walks chains until so many calls were made. Raises for an answer that is not as declared. What one chain has made is there for
    the next, so that hypothesis finds sooner or later that it cannot draw the same again, and stops: that alone is no find, and the walk
    goes on with another seed."""
    until = caller.sent + calls
    while caller.sent < until:
        before = caller.sent
        drawn = settings(_settings(max(2, (until - caller.sent) // STEPS)), phases=(Phase.generate,))
        try:
            run_state_machine_as_test(machine(schema, caller, seed), settings=drawn)
        except hypothesis.errors.Flaky:
            if caller.failed is not None:
                raise caller.failed from None
        if caller.sent == before:
            raise Find("no chain could be walked")
        seed += 1


def machine(schema: Any, caller: Caller, seed: int) -> Any:
    """What walks along the links of the document."""

    class Chains(schema.as_state_machine()):  # type: ignore[misc]  # made by schemathesis
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            caller.sent += 1
            caller.last = f"{case.method} {case.formatted_path} {case.query!r} {case.headers!r} {case.body!r}"[:4000]
            return {"headers": caller.headers}

        def step(self, input: Any) -> Any:
            caller.followed += input.transition is not None and input.is_applied
            return super().step(input)

        def after_call(self, response: Any, case: Any) -> None:
            caller.done += response.status_code < 300

        def validate_response(self, response: Any, case: Any, **options: Any) -> None:
            excluded = CHECKS.get_by_names(_NOT_ALONG_A_CHAIN)
            try:
                case.validate_response(response, headers=caller.headers, excluded_checks=excluded)
            except BaseException as error:  # schemathesis raises groups of failures, which are no Exception
                caller.failed = error
                raise

    return hypothesis.seed(seed)(Chains)


# Two chains share ids, and what one of them removed the other one may not find again. And what was drawn to be wrong may be right by the
# time it is sent: good values from an answer are put in its place.
_NOT_ALONG_A_CHAIN = [
    "positive_data_acceptance",
    "negative_data_rejection",
    "ensure_resource_availability",
    "use_after_free",
]


@contextmanager
def _finding(finds: list[Found], caller: Caller, name: str, say: Callable[[str], None]) -> Iterator[None]:
    try:
        yield
    except BaseException as error:  # as above
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        finds.append(Found(name, caller.last, traceback.format_exc()))
        say(f"{name}: FOUND: {caller.last[:300]}")
