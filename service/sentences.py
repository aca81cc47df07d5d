"""Pieces of sentences for console, API and commands: counts, and what is wrong with a value, in words that say what to send instead."""

from __future__ import annotations

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


def count_of(number: int, noun: str, plural: str | None = None) -> str:
    """ "1 post", "1,240 posts"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def plainly(sentence: str) -> str:
    """The sentence in plain words; one of our own stays as it is."""
    return _PLAIN.get(sentence, sentence)
