"""Fields of what comes in."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

LINE = r"^[^\x00-\x20\x7f]([^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?$"
EMAIL = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+\.[^@\s\x00-\x1f\x7f-\x9f]+$"
LINK = r"^https?://[^\x00-\x20\x7f]+$"
COLLEAGUE = r"^[a-z0-9_]+:[^\x00-\x20\x7f]+$"


# For what is only looked for, and may be spelt in any way: what no database can hold is nowhere to be found.
KEPT = validate.Regexp(
    r"^[^\x00\ud800-\udfff]+$", error="It holds a character that nobody can type. Type it anew, and try again."
)


class Line(fields.String):
    """One line of text that PostgreSQL and people can read: no control characters, no blanks at its ends. `pattern`
    narrows it further; it is matched as JSON Schema does."""

    def __init__(
        self, *, longest: int, pattern: str = LINE, sentence: str, metadata: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(
            validate=validate.Length(1, longest), metadata={"pattern": pattern, **(metadata or {})}, **kwargs
        )
        self._pattern, self._refusal = re.compile(pattern.removesuffix("$") + r"\Z"), sentence

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not self._pattern.match(text) or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise ValidationError(self._refusal)
        return text


class Whole(fields.Integer):
    """A whole number as JSON Schema has it: 2.0 is one, 2.5 and "2" are none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _validated(self, value: Any) -> Any:
        return super()._validated(int(value) if isinstance(value, float) and value.is_integer() else value)


class Prose(fields.String):
    """Text of several lines, `longest` characters at most. What no database can keep (NUL, half a surrogate pair) is left
    out, as it is where a network serves it."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(max=longest), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        return "".join(letter for letter in text if letter != "\x00" and not "\ud800" <= letter <= "\udfff")
