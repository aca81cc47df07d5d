"""Recovery codes: what somebody who has lost their authenticator app signs in with. Each is good once.

They have 120 bits, so that a plain hash of them may be kept (OWASP ASVS 5, 6.5.2, asks for 112); whoever needs one mostly pastes it.
"""

from __future__ import annotations

import secrets

NUMBER = 10
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32: none that is taken for another
_LENGTH, _GROUP = 24, 4
_READ_AS = str.maketrans("OIL", "011")


def new() -> list[str]:
    """Ten new codes, as they are shown."""
    return [_shown("".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))) for _ in range(NUMBER)]


def normal(typed: str) -> str | None:
    """A code as it is compared: without what separates its groups, in capitals, and with letters that look like digits read as those.
    None for what cannot be one."""
    letters = "".join(each for each in typed.upper() if each.isalnum()).translate(_READ_AS)
    return letters if len(letters) == _LENGTH and set(letters) <= set(_LETTERS) else None


def _shown(letters: str) -> str:
    return "-".join(letters[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))
