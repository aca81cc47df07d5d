"""What every network promises where things go wrong: no loss, the right error, no secret told, no call to somebody else."""

from __future__ import annotations

import json
import logging
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import pytest

from integrations import errors
from integrations.http import LONGEST_WAIT
from integrations.records import Engagement, Page
from tests.integrations.contract.line import (
    ELSEWHERE,
    GARBAGE,
    LIMITED,
    NOT_THERE,
    OUTAGES,
    READING,
    REDIRECTS,
    WAIT,
    Fault,
    Line,
    Wire,
    broken_row,
    limited_until,
    status,
)
from tests.integrations.contract.secrets import secrets_in, told
from tests.integrations.contract.worlds import Network, World, pull

ENOUGH = 60  # more calls than any pull here makes


def _until_it_breaks(
    network: Network, cursor: str | None
) -> tuple[list[Page[Engagement]], errors.IntegrationError | None]:
    pages: list[Page[Engagement]] = []
    try:
        for page in islice(network.client().pull(network.stream, cursor), ENOUGH):
            pages.append(page)
    except errors.IntegrationError as error:
        return pages, error
    return pages, None


@pytest.mark.rule("half_way")
@pytest.mark.parametrize("what", ["dropped", "torn", "502 with a web page"])
def test_a_pull_that_breaks_off_at_any_call_goes_on_without_a_loss(network: Network, line: Line, what: str) -> None:
    everything = {network.speak(f"number {number}") for number in range(23)}
    for call in range(ENOUGH):
        line.fail(OUTAGES[what], after=call)
        before = line.broken
        pages, error = _until_it_breaks(network, None)
        line.mend()
        if line.broken == before:
            break
        assert isinstance(error, errors.TemporaryError)
        rest = pull(network, pages[-1].cursor if pages else None)
        assert {item.id for page in pages for item in page.items} | {item.id for item in rest} == everything
    else:
        pytest.fail("the pull never came to its end")
    assert call > 1, "one call is not enough to break off between two"


@pytest.mark.rule("statuses")
@pytest.mark.parametrize("name", READING)
def test_a_status_on_the_first_call_means_the_same_everywhere(network: Network, line: Line, name: str) -> None:
    network.speak("hello")
    line.fail(READING[name])
    with pytest.raises(READING[name].means):
        pull(network)


@pytest.mark.rule("statuses")
def test_what_is_not_there_says_nothing_about_the_consent(world: World, wire: Wire) -> None:
    world.speak("hello")
    wire.fail(NOT_THERE)
    with pytest.raises(errors.IntegrationError) as raised:
        pull(world)
    assert not isinstance(raised.value, errors.AuthenticationError)


@pytest.mark.rule("retry_after")
@pytest.mark.parametrize("name", LIMITED)
def test_a_limit_says_how_long_to_wait(world: World, wire: Wire, name: str) -> None:
    world.speak("hello")
    wire.fail(LIMITED[name])
    with pytest.raises(errors.RateLimitError) as raised:
        pull(world)
    assert 1 <= raised.value.retry_after <= LONGEST_WAIT
    if name == "in seconds":
        assert raised.value.retry_after == pytest.approx(WAIT, abs=2)


@pytest.mark.rule("retry_after")
def test_a_limit_may_end_at_a_date(world: World, wire: Wire) -> None:
    world.speak("hello")
    wire.fail(limited_until(WAIT))
    with pytest.raises(errors.RateLimitError) as raised:
        pull(world)
    assert raised.value.retry_after == pytest.approx(WAIT, abs=30)


@pytest.mark.rule("outage")
@pytest.mark.parametrize("name", OUTAGES)
def test_an_outage_is_a_failure_in_passing(network: Network, line: Line, name: str) -> None:
    network.speak("hello")
    line.fail(OUTAGES[name])
    with pytest.raises(errors.TemporaryError):
        pull(network)
    assert len(pull(network)) == 1


@pytest.mark.rule("garbage")
@pytest.mark.parametrize("name", GARBAGE)
def test_a_success_that_is_none_says_so(network: Network, line: Line, name: str) -> None:
    network.speak("hello")
    line.fail(GARBAGE[name])
    with pytest.raises(errors.UnexpectedResponseError):
        pull(network)


@pytest.mark.rule("redirects")
@pytest.mark.parametrize("name", REDIRECTS)
def test_no_redirect_is_followed(world: World, wire: Wire, name: str) -> None:
    world.speak("hello")
    wire.fail(REDIRECTS[name])
    with pytest.raises(errors.IntegrationError) as raised:
        pull(world)
    assert not isinstance(raised.value, errors.AuthenticationError)
    assert ELSEWHERE not in {urlsplit(str(request.url)).hostname for request in wire.sent}


@pytest.mark.rule("broken_row")
@pytest.mark.parametrize("instead", [{}, {"id": None}, None, 17, []], ids=json.dumps)
def test_one_row_that_cannot_be_read_is_passed_over(world: World, wire: Wire, instead: Any) -> None:
    kept = {world.speak("before"), world.speak("after")}
    world.speak("the odd one out")
    wire.fail(Fault(broken_row("the odd one out", instead), errors.UnexpectedResponseError, work=True))
    assert {item.id for item in pull(world)} == kept
    assert wire.broken


@pytest.mark.rule("secrets")
@pytest.mark.parametrize("code", [400, 401, 403, 500])
def test_no_secret_is_told(world: World, wire: Wire, caplog: pytest.LogCaptureFixture, code: int) -> None:
    caplog.set_level(logging.DEBUG)
    world.speak("hello")
    client = world.client()
    pages = list(client.pull(world.stream, None))
    secrets = secrets_in(wire.sent, world)
    echo = " and ".join(sorted(secrets))
    body = json.dumps(dict.fromkeys(("error", "message", "detail", "title", "error_description"), f"Not with {echo}"))
    wire.fail(Fault(status(code, body), errors.IntegrationError))
    with pytest.raises(errors.IntegrationError) as raised:
        list(client.pull(world.stream, None))
    for text in (repr(client), repr(pages), *told(raised.value), caplog.text):
        assert not [secret for secret in secrets if secret in text]
