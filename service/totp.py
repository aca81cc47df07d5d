"""Codes of authenticator apps (RFC 6238): six digits that follow from a shared secret and the half minute.

SHA-1, six digits and thirty seconds are what every such app expects; several leave out of account what an address says otherwise.
A clock may be one step off either way (RFC 6238, 5.2), so three codes are good at any moment, and each of them once.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from datetime import datetime

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

ISSUER = "Warmline"  # as apps show it
STEP = 30  # seconds
DIGITS = 6
DRIFT = 1  # steps
SECRET = 20  # bytes: as long as what HMAC-SHA-1 gives, which is what RFC 4226 (R6) recommends
_CODE = re.compile(rf"[0-9]{{{DIGITS}}}")


def new_secret() -> str:
    """A new secret, in base32, as apps take it: 160 random bits in 32 letters."""
    return base64.b32encode(secrets.token_bytes(SECRET)).decode()


def step_at(instant: datetime) -> int:
    """The number of this half minute, counted from 1970."""
    return int(instant.timestamp()) // STEP


def code_of(secret: str, step: int) -> str:
    """The code of this half minute."""
    return _totp(secret).generate(step * STEP).decode()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The half minute that this code is of, where it is good at `now`. Spaces in it do not matter. All three are compared, whichever
    fits; of two that are alike by chance the later one counts, so that neither is good again once it is used."""
    typed, here = "".join(code.split()), step_at(now)
    if not _CODE.fullmatch(typed):
        return None
    steps = range(here - DRIFT, here + DRIFT + 1)
    fits = [step for step in steps if hmac.compare_digest(code_of(secret, step), typed)]
    return max(fits, default=None)


def address(secret: str, account: str) -> str:
    """What a QR code holds: `otpauth://totp/...`, under which an app shows `account`."""
    return _totp(secret).get_provisioning_uri(account, ISSUER)


def written(secret: str) -> str:
    """The secret for somebody who types it: in groups of four."""
    return " ".join(re.findall(".{1,4}", secret))


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP)  # noqa: S303 - keyed (HMAC): its collisions help nobody
