"""What is imported is not looked through by the garbage collector, neither meanwhile nor afterwards."""

from __future__ import annotations

import gc

import pytest

from service.importing import importing


def test_what_is_made_meanwhile_is_not_looked_through_afterwards() -> None:
    before = gc.get_freeze_count()
    with importing():
        assert not gc.isenabled()
        made = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert gc.get_freeze_count() >= before + len(made)


def test_the_collector_works_again_after_an_import_that_failed() -> None:
    with pytest.raises(ImportError), importing():
        raise ImportError("no module of this name")
    assert gc.isenabled()
