"""Against Meta's published definitions, which are not part of the repository."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from integrations.provider import Access
from integrations.social.instagram import PAGE_FIELDS, PROVIDER
from tests.integrations.graph.contract import Contract, check, contract
from tests.integrations.graph.wire import APP, NOW, USER_TOKEN
from tests.integrations.social.instagram.wire import PAGE, US, Instagram

pytestmark = pytest.mark.shared
KINDS = {
    "55": "User",
    "424242": "Application",
    US.id: "IGUser",
    PAGE: "Page",
    "179": "IGMedia",
    "178": "IGComment",
    "": "UnifiedThread",
}


@pytest.fixture(scope="module")
def published(shared: Path) -> Contract:
    found = contract(shared)
    if found is None:
        pytest.skip("Meta's definitions are not in the shared folder")
    return found


def _everything(account: Instagram) -> None:
    """Asks for all that can be asked for."""
    account.wire.page = 2
    old, medium, talk = account.medium(at=NOW - timedelta(days=90)), account.medium(), account.talk()
    comments = [account.comment(medium) for _ in range(5)]
    replies = [account.reply(comments[4]) for _ in range(5)]
    messages = [account.message(talk) for _ in range(5)]
    client = account.client(account=None)
    tagged = account.tag()
    for stream in PROVIDER.streams:
        list(client.pull(stream.name, None, [old]))
    client.recheck(
        [medium, f"comment:{medium}:{replies[0]}", f"dm:{talk}:{messages[0]}", tagged, f"comment:{medium}:1780"]
    )
    account.wire.tokens[USER_TOKEN] = account.wire.put("55")
    account.wire.put("9", "55/accounts", access_token="t", instagram_business_account={"id": "1784", "username": "x"})
    assert PROVIDER.accounts is not None
    assert PROVIDER.check is not None
    assert PROVIDER.accounts(Access(hosts=dict(PROVIDER.hosts), credentials={"access_token": USER_TOKEN}, app=APP))
    account.wire.put("debug_token", data={"is_valid": True})
    PROVIDER.check(account.access())


@pytest.mark.rule("contract")
def test_every_field_that_is_asked_for_is_published(account: Instagram, published: Contract) -> None:
    _everything(account)
    assert check(published, account.wire, KINDS) > 60
    edges = {path.partition("/")[2] for path, _ in account.wire.asked}
    assert {
        "media",
        "tags",
        "comments",
        "replies",
        "conversations",
        "messages",
        "accounts",
        "subscribed_apps",
        "",
    } <= edges


@pytest.mark.rule("contract")
def test_the_inbox_of_instagram_is_asked_for_by_a_name_that_is_published(
    account: Instagram, published: Contract
) -> None:
    _everything(account)
    for query in account.wire.calls("GET", f"{PAGE}/conversations"):
        published.params(
            "Page", "conversations", {name: value for name, value in query.items() if name != "appsecret_proof"}
        )
    assert account.wire.calls("GET", f"{PAGE}/conversations")


@pytest.mark.rule("contract")
def test_the_linked_page_can_be_subscribed_to_what_is_wanted_of_it(published: Contract) -> None:
    assert set(PAGE_FIELDS) <= set(published.choices("pagesubscribed_apps_subscribed_fields_enum_param"))


def test_the_oracle_itself_refuses_what_meta_would(published: Contract) -> None:
    for fields in (
        "id,favourites",
        "comments{favourites}",
        "comments{replies{favourites}}",
        "comments{from{name}}",
        "owner{email}",
    ):
        with pytest.raises(AssertionError):
            published.fields("IGMedia", fields)
