"""Codes of authenticator apps and recovery codes: none is good outside its time, and what people type is read kindly."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import recovery, totp

# RFC 6238, appendix B, for SHA-1: the secret is "12345678901234567890", and the last six of eight digits are those of six.
PUBLISHED = base64.b32encode(b"12345678901234567890").decode()
VECTORS = (
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
)
instants = st.integers(946_684_800, 7_258_118_400).map(lambda at: datetime.fromtimestamp(at, UTC))  # 2000 to 2200
secrets = st.binary(min_size=totp.SECRET, max_size=totp.SECRET).map(lambda raw: base64.b32encode(raw).decode())


@pytest.mark.parametrize(("at", "code"), VECTORS)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    instant = datetime.fromtimestamp(at, UTC)
    assert totp.code_of(PUBLISHED, totp.step_at(instant)) == code
    assert totp.step_of(PUBLISHED, code, instant) == at // 30


@given(secrets, instants, st.integers(-200, 200))
def test_a_code_is_good_in_its_half_minute_and_those_beside_it_and_never_else(
    secret: str, now: datetime, off: int
) -> None:
    here = totp.step_at(now)
    code = totp.code_of(secret, here + off)
    good = {totp.code_of(secret, here + each) for each in (-1, 0, 1)}
    assert (totp.step_of(secret, code, now) is not None) == (code in good)
    if abs(off) <= totp.DRIFT:
        found = totp.step_of(secret, code, now)
        assert found is not None
        assert totp.code_of(secret, found) == code


def test_of_two_half_minutes_with_the_same_code_the_later_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one use of it is the last."""
    monkeypatch.setattr(totp, "code_of", lambda secret, step: "123456")
    now = datetime(2026, 3, 12, 9, tzinfo=UTC)
    assert totp.step_of("any", "123456", now) == totp.step_at(now) + 1


@pytest.mark.parametrize(
    "odd", ["", "12345", "1234567", "28708a", "٢٨٧٠٨٢", "２８７０８２", "-28708", "287082\0", "2 8 7 0 8", "x" * 5000]
)
def test_what_is_no_code_is_none(odd: str) -> None:
    assert totp.step_of(PUBLISHED, odd, datetime.fromtimestamp(59, UTC)) is None


def test_spaces_in_a_code_do_not_matter() -> None:
    assert totp.step_of(PUBLISHED, " 287 082\n", datetime.fromtimestamp(59, UTC)) == 1


def test_an_app_reads_the_key_and_whose_it_is_from_the_picture() -> None:
    secret = totp.new_secret()
    parts = urlsplit(totp.address(secret, "olga+x@acme.test (Acme & Sons)"))
    said = parse_qs(parts.query)
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/Warmline:olga+x@acme.test (Acme & Sons)"
    assert said == {
        "secret": [secret],
        "issuer": ["Warmline"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }
    assert len(base64.b32decode(secret)) == totp.SECRET
    assert totp.written(secret).replace(" ", "") == secret


def test_every_secret_and_every_recovery_code_is_another() -> None:
    assert len({totp.new_secret() for _ in range(100)}) == 100
    made = [each for _ in range(10) for each in recovery.new()]
    assert len(set(made)) == len(made) == 10 * recovery.NUMBER
    for each in made:
        assert len(recovery.normal(each) or "") * 5 >= 112  # bits: OWASP ASVS 5, 6.5.2, for a plain hash


@given(st.integers(0, 9), st.sampled_from(("-", " ", "", "–", ". ")), st.booleans())
def test_a_recovery_code_is_read_however_it_is_typed(which: int, between: str, small: bool) -> None:
    shown = recovery.new()[which]
    typed = shown.replace("-", between).replace("0", "O").replace("1", "l")
    assert recovery.normal(typed.lower() if small else typed) == shown.replace("-", "")


@given(st.text(max_size=40))
def test_whatever_is_typed_a_recovery_code_is_one_or_none(typed: str) -> None:
    found = recovery.normal(typed)
    assert found is None or (len(found) == 24 and found.isascii())


def test_codes_of_both_kinds_are_never_taken_for_each_other() -> None:
    assert recovery.normal("287082") is None
    later = datetime.fromtimestamp(59, UTC) + timedelta(days=1)
    assert totp.step_of(PUBLISHED, recovery.new()[0], later) is None
