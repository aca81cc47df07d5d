"""What every network and every CRM promises where reading goes wrong: no loss, the right error, no secret told, no call to
somebody else."""

from __future__ import annotations

import json
import logging
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import pytest

from integrations import errors
from integrations.http import LONGEST_WAIT
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
    Wire,
    broken_row,
    limited_until,
    status,
)
from tests.integrations.contract.reading import Reading
from tests.integrations.contract.secrets import refusing, secrets_in, told

ENOUGH = 60  # more calls than any pull here makes


def _until_it_breaks(reading: Reading, stream: str) -> tuple[list[Any], errors.IntegrationError | None]:
    pages: list[Any] = []
    try:
        for page in islice(reading.pages(None, stream), ENOUGH):
            pages.append(page)
    except errors.IntegrationError as error:
        return pages, error
    return pages, None


@pytest.mark.rule("half_way")
@pytest.mark.parametrize("what", ["dropped", "torn", "502 with a web page"])
def test_a_pull_that_breaks_off_at_any_call_goes_on_without_a_loss(reading: Reading, what: str) -> None:
    for stream in reversed(reading.streams):  # the first fills up, and some streams look at each of its records
        reading.fill(stream)
        everything = reading.ids(None, stream)
        assert everything
        for call in range(ENOUGH):
            before = reading.line.broken
            reading.line.fail(OUTAGES[what], after=call)
            pages, error = _until_it_breaks(reading, stream)
            reading.line.mend()
            if reading.line.broken == before:
                break
            assert isinstance(error, errors.TemporaryError)
            seen = {each.id for page in pages for each in page.items}
            assert seen | reading.ids(pages[-1].cursor if pages else None, stream) == everything
        else:
            pytest.fail("the pull never came to its end")
        assert call > 0


@pytest.mark.rule("statuses")
@pytest.mark.parametrize("name", READING)
def test_a_status_on_the_first_call_means_the_same_everywhere(reading: Reading, name: str) -> None:
    reading.add("hello")
    reading.line.fail(READING[name])
    with pytest.raises(READING[name].means):
        reading.ids()


@pytest.mark.rule("statuses")
def test_what_is_not_there_says_nothing_about_the_consent(reading: Reading) -> None:
    reading.add("hello")
    reading.line.fail(NOT_THERE)
    with pytest.raises(errors.IntegrationError) as raised:
        reading.ids()
    assert not isinstance(raised.value, errors.AuthenticationError)


@pytest.mark.rule("retry_after")
@pytest.mark.parametrize("name", LIMITED)
def test_a_limit_says_how_long_to_wait(reading_over_http: Reading, name: str) -> None:
    reading_over_http.add("hello")
    reading_over_http.line.fail(LIMITED[name])
    with pytest.raises(errors.RateLimitError) as raised:
        reading_over_http.ids()
    assert 1 <= raised.value.retry_after <= LONGEST_WAIT
    if name == "in seconds":
        assert raised.value.retry_after == pytest.approx(WAIT, abs=2)


@pytest.mark.rule("retry_after")
def test_a_limit_may_end_at_a_date(reading_over_http: Reading) -> None:
    reading_over_http.add("hello")
    reading_over_http.line.fail(limited_until(WAIT))
    with pytest.raises(errors.RateLimitError) as raised:
        reading_over_http.ids()
    assert raised.value.retry_after == pytest.approx(WAIT, abs=30)


@pytest.mark.rule("outage")
@pytest.mark.parametrize("name", OUTAGES)
def test_an_outage_is_a_failure_in_passing(reading: Reading, name: str) -> None:
    added = reading.add("hello")
    reading.line.fail(OUTAGES[name])
    with pytest.raises(errors.TemporaryError):
        reading.ids()
    assert added in reading.ids()


@pytest.mark.rule("garbage")
@pytest.mark.parametrize("name", GARBAGE)
def test_a_success_that_is_none_says_so(reading: Reading, name: str) -> None:
    reading.add("hello")
    reading.line.fail(GARBAGE[name])
    with pytest.raises(errors.UnexpectedResponseError):
        reading.ids()


@pytest.mark.rule("redirects")
@pytest.mark.parametrize("name", REDIRECTS)
def test_no_redirect_is_followed(reading_over_http: Reading, name: str) -> None:
    reading_over_http.add("hello")
    reading_over_http.line.fail(REDIRECTS[name])
    with pytest.raises(errors.IntegrationError) as raised:
        reading_over_http.ids()
    assert not isinstance(raised.value, errors.AuthenticationError)
    assert ELSEWHERE not in {urlsplit(str(request.url)).hostname for request in _wire(reading_over_http).sent}


@pytest.mark.rule("broken_row")
@pytest.mark.parametrize("instead", [{}, {"id": None}, None, 17, []], ids=json.dumps)
def test_one_row_that_cannot_be_read_is_passed_over(reading_over_http: Reading, instead: Any) -> None:
    before, odd = reading_over_http.add("before"), reading_over_http.add("Odd one out")
    kept = {before, reading_over_http.add("after")}
    fault = Fault(broken_row("Odd one out", instead), errors.UnexpectedResponseError, work=True)
    _wire(reading_over_http).fail_all(fault)
    assert reading_over_http.ids() & {*kept, odd} == kept


@pytest.mark.rule("secrets")
@pytest.mark.parametrize("code", [200, 400, 401, 403, 500])
def test_no_secret_is_told(reading_over_http: Reading, caplog: pytest.LogCaptureFixture, code: int) -> None:
    caplog.set_level(logging.DEBUG)
    wire = _wire(reading_over_http)
    reading_over_http.add("hello")
    client = reading_over_http.client()
    pages = list(client.pull(reading_over_http.streams[0], None))
    secrets = secrets_in(wire.sent, reading_over_http.actor)
    body = refusing(reading_over_http.actor, f"Not with {' and '.join(sorted(secrets))}")
    wire.fail(Fault(status(code, body), errors.IntegrationError))
    with pytest.raises(errors.IntegrationError) as raised:
        list(client.pull(reading_over_http.streams[0], None))
    for text in (repr(client), repr(pages), *told(raised.value), caplog.text):
        assert not [secret for secret in secrets if secret in text]


@pytest.mark.rule("secrets")
@pytest.mark.parametrize("code", [400, 403, 500])
def test_what_a_refusal_says_is_told_so_that_a_secret_in_it_would_be(reading_over_http: Reading, code: int) -> None:
    body = refusing(reading_over_http.actor, "Not with an umbrella")
    reading_over_http.line.fail(Fault(status(code, body), errors.IntegrationError))
    with pytest.raises(errors.IntegrationError, match="Not with an umbrella"):
        reading_over_http.ids()


def _wire(reading: Reading) -> Wire:
    assert isinstance(reading.line, Wire)
    return reading.line
