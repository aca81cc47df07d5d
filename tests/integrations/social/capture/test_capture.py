"""A place that nobody can be asked about knows its name, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.errors import InvalidRequestError
from integrations.provider import HANDED_IN, Access
from integrations.records import Author
from integrations.registry import get, handed_in
from integrations.social.capture import PROVIDER
from integrations.social.capture.client import LONGEST


def access(**options: Any) -> Access:
    return Access(hosts={}, credentials={}, options=options)


def test_it_is_found_by_what_it_can_do() -> None:
    assert handed_in() == ["capture"]
    assert HANDED_IN in get("capture").capabilities


def test_a_place_is_an_account_of_its_own() -> None:
    assert PROVIDER.accounts is not None
    [account] = PROVIDER.accounts(access(place="  Rider   forum "))
    assert (account.author.name, account.host) == ("Rider forum", "Rider forum")
    assert PROVIDER.client(access(place="Rider forum")).whoami().handle == "Rider forum"


def test_an_account_that_is_known_stays_what_it_is() -> None:
    known = Author("b1", "Rider forum")
    client = PROVIDER.client(Access(hosts={}, credentials={}, options={"place": "Rider forum"}, account=known))
    assert client.whoami() == known


@pytest.mark.parametrize("place", ["", "   ", "a" * (LONGEST + 1)])
def test_a_place_without_a_name_that_can_be_shown_is_refused(place: str) -> None:
    with pytest.raises(InvalidRequestError, match="needs a name"):
        PROVIDER.client(access(place=place)).whoami()


def test_nothing_is_read_and_nobody_is_asked() -> None:
    client = PROVIDER.client(access(place="Rider forum"))
    assert [page.items for page in client.pull("mentions", None)] == [()]
    assert list(client.recheck(["1", "2"])) == []
