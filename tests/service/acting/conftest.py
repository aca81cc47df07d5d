"""A workspace at a known time in which somebody decides."""

from __future__ import annotations

import pytest

from service.runtime import Runtime
from tests.conftest import Member
from tests.service.acting.acts import NOW, Acts, Pair, Waiting
from tests.service.rows import Rows


@pytest.fixture
def rows(held: Runtime, owner: Member, monkeypatch: pytest.MonkeyPatch) -> Rows:
    monkeypatch.setenv("WARMLINE_NOW", NOW.isoformat())
    return Rows(held.db, owner.workspace_id, NOW)


@pytest.fixture
def act(rows: Rows) -> Acts:
    return Acts(rows)


@pytest.fixture
def pair(rows: Rows) -> Pair:
    return Pair(rows)


@pytest.fixture
def waiting(rows: Rows) -> Waiting:
    return Waiting(rows)
