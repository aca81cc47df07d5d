"""What is wrong with a value, in words that say what to send instead."""

from __future__ import annotations

import pytest
from marshmallow import ValidationError, validate

from service.sentences import plainly


@pytest.mark.parametrize(
    ("validator", "value", "sentence"),
    [
        (validate.Range(0, 60_000), -3, "Give a number from 0 to 60,000."),
        (validate.Range(1), 0, "Give a number from 1 on."),
        (validate.Range(max=5), 6, "Give a number up to 5."),
        (validate.OneOf(["quote", "link"]), "novel", "Give one of these: quote, link."),
        (validate.Length(max=200), "x" * 201, "It is too long: 200 is the most."),
        (validate.Length(1, 60), "", "Give at least 1 and at most 60."),
    ],
)
def test_whatever_a_library_says_of_a_wrong_value_is_said_plainly(
    validator: validate.Validator, value: object, sentence: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        validator(value)
    assert [plainly(str(each)) for each in refused.value.messages] == [sentence]
