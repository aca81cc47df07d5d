"""What a person typed into a provider's form, read: tidied, completed, and refused in a sentence where it cannot be meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from integrations import hosts
from integrations.errors import InvalidRequestError
from integrations.provider import FormField

_LONGEST = 2000  # characters; more is no name, key or password


def read(fields: Sequence[FormField], typed: Mapping[str, str], allow: Sequence[str] = ()) -> dict[str, str]:
    """Value of each field by name; an empty one that is not required, and has no default, is left out. `allow` are hosts that
    `hosts.server` lets pass. Raises InvalidRequestError."""
    values = {field.name: _value(field, typed.get(field.name, ""), allow) for field in fields}
    return {name: value for name, value in values.items() if value}


def shown(fields: Sequence[FormField], values: Mapping[str, str]) -> dict[str, str]:
    """Of these values, those that are not secret."""
    return {field.name: values[field.name] for field in fields if field.type != "secret" and field.name in values}


def server(fields: Sequence[FormField], values: Mapping[str, str]) -> str:
    """Host and port of the first server that was named; "" where there is none."""
    named = (values.get(field.name, "") for field in fields if field.type == "host")
    return next((hosts.place(each) for each in named if each), "")


def _value(field: FormField, typed: str, allow: Sequence[str]) -> str:
    text = typed.strip() or field.default
    if not text:
        if field.required:
            raise InvalidRequestError(f"{field.label} is missing")
        return ""
    if len(text) > _LONGEST or not text.isprintable():
        raise InvalidRequestError(f"{field.label} cannot be read. Give one line of text")
    if field.choices and text not in [value for value, _ in field.choices]:
        offered = ", ".join(value for value, _ in field.choices)
        raise InvalidRequestError(f"{field.label} is one of {offered}")
    return _READ[field.type](text, allow)


_READ: Mapping[str, Callable[[str, Sequence[str]], str]] = {
    "text": lambda text, allow: text,
    "secret": lambda text, allow: text,
    "host": hosts.server,
}
