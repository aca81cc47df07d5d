"""Ids in little room."""

from __future__ import annotations

from random import Random

import pytest

from integrations.crm.odoo import fields
from integrations.crm.odoo.sweeping import pack, unpack


def test_ids_are_packed_and_unpacked() -> None:
    random = Random(3)
    for ids in ({1}, set(range(1, 200_001)), {random.randrange(1, 10**6) for _ in range(2_000)}, set[int]()):
        assert unpack(pack(ids)) == ids
    assert len(pack(range(1, 200_001))) < 10


@pytest.mark.parametrize("text", [None, 7, "", "?", "1+", "0", "-3", "1+zzzzzzzz"])
def test_what_is_no_packed_text_is_nothing(text: object) -> None:
    assert unpack(text) in (set(), {1})


def test_what_is_no_day_or_instant_is_none() -> None:
    assert [fields.day(each) for each in (None, False, "", "soon")] == [None] * 4
    assert [fields.instant(each) for each in (None, False, "", "soon")] == [None] * 4
