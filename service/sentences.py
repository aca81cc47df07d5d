"""Pieces of sentences for console, API and commands: counts, and what is wrong with a value, in words that say what to send instead."""

from __future__ import annotations

import re

_PLAIN = {
    "Missing data for required field.": "This is required.",
    "Field may not be null.": "This may not be empty.",
    "Unknown field.": "There is nothing of this name here.",
    "Invalid input type.": "Send a JSON object here: {...}.",
    "Not a valid aware datetime.": "Say which time zone: end it with Z or an offset, such as 2026-03-12T09:00:00Z.",
    "Not a valid datetime.": "Give a time such as 2026-03-12T09:00:00Z. In an address, + is written %2B.",
    "Not a valid date.": "Give a day such as 2026-12-24.",
    "Not a valid boolean.": "Give true or false.",
    "Not a valid integer.": "Give a whole number.",
    "Not a valid number.": "Give a number.",
    "Not a valid string.": "Give text.",
    "Not a valid list.": "Give a list: [...].",
    "Not a valid mapping type.": "Send a JSON object here: {...}.",
    "Not a valid UUID.": "Give an id, such as 01a21a42-a1ed-7f4a-b073-ea517845f1ab.",
    "Not a valid email address.": "Give an e-mail address.",
}

# The same for sentences with a value in them.
_PATTERNS = (
    (re.compile(r"Must be greater than or equal to (\S+) and less than or equal to (\S+)\."), "Give a number from {} to {}."),
    (re.compile(r"Must be greater than or equal to (\S+)\."), "Give a number from {} on."),
    (re.compile(r"Must be less than or equal to (\S+)\."), "Give a number up to {}."),
    (re.compile(r"Must be one of: (.+)\."), "Give one of these: {}."),
    (re.compile(r"Longer than maximum length (\d+)\."), "It is too long: {} is the most."),
    (re.compile(r"Length must be between 1 and (\d+)\."), "Give at least 1 and at most {}."),
)  # fmt: skip


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """ "1 post", "1,240 posts"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def plainly(sentence: str) -> str:
    """The sentence in plain words; one of our own stays as it is."""
    found = ((match, plain) for pattern, plain in _PATTERNS if (match := pattern.fullmatch(sentence)))
    match, plain = next(found, (None, _PLAIN.get(sentence, sentence)))
    return plain.format(*map(_number, match.groups())) if match else plain


def _number(text: str) -> str:
    return f"{int(text):,}" if text.isdecimal() else text
