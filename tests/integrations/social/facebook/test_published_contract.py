"""Against Meta's published definitions, which are not part of the repository."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from integrations.provider import Access
from integrations.social.facebook import HOOK_FIELDS, PROVIDER
from tests.integrations.graph.contract import Contract, check, contract
from tests.integrations.graph.wire import APP, NOW, USER_TOKEN
from tests.integrations.social.facebook.wire import US, Facebook

pytestmark = pytest.mark.shared
KINDS = {"55": "User", "424242": "Application", "t_": "UnifiedThread", f"{US.id}_": "PagePost", US.id: "Page", "9009_": "PagePost", "": "Comment"}  # fmt: skip


@pytest.fixture(scope="module")
def published(shared: Path) -> Contract:
    found = contract(shared)
    if found is None:
        pytest.skip("Meta's definitions are not in the shared folder")
    return found


def _everything(page: Facebook) -> None:
    """Asks for all that can be asked for."""
    page.wire.page = 2
    old, post, talk = page.post(at=NOW - timedelta(days=90)), page.post(), page.talk()
    comments = [page.comment(post) for _ in range(5)]
    messages = [page.message(talk) for _ in range(5)]
    client = page.client(account=None)
    client.whoami()
    tagged = page.tag()
    for stream in PROVIDER.streams:
        list(client.pull(stream.name, None, [old]))
    client.recheck([post, f"comment:{post}:{comments[0]}", f"dm:{talk}:{messages[0]}", tagged])
    page.wire.tokens[USER_TOKEN] = page.wire.put("55")
    page.wire.put("9", "55/accounts", access_token="t")
    assert PROVIDER.accounts is not None
    assert PROVIDER.check is not None
    assert PROVIDER.accounts(Access(hosts=dict(PROVIDER.hosts), credentials={"access_token": USER_TOKEN}, app=APP))
    page.wire.put("debug_token", data={"is_valid": True})
    PROVIDER.check(page.access())


@pytest.mark.rule("contract")
def test_every_field_that_is_asked_for_is_published(page: Facebook, published: Contract) -> None:
    _everything(page)
    assert check(published, page.wire, KINDS) > 60
    edges = {path.partition("/")[2] for path, _ in page.wire.asked}
    assert {"feed", "tagged", "comments", "conversations", "messages", "accounts", "subscribed_apps", ""} <= edges


@pytest.mark.rule("contract")
def test_every_parameter_is_one_that_the_edge_takes(page: Facebook, published: Contract) -> None:
    _everything(page)
    seen = 0
    for path in {path for path, _ in page.wire.asked}:
        kind, edge = (
            ("PagePost", "comments") if path.endswith("/comments") else ("Page", path.removeprefix(f"{US.id}/"))
        )
        for query in page.wire.calls("GET", path) if edge in ("comments", "feed", "tagged", "conversations") else ():
            published.params(kind, edge, {name: value for name, value in query.items() if name != "appsecret_proof"})
            seen += 1
    assert seen > 6


@pytest.mark.rule("contract")
def test_a_page_can_be_subscribed_to_what_is_wanted_of_it(published: Contract) -> None:
    assert set(HOOK_FIELDS) <= set(published.choices("pagesubscribed_apps_subscribed_fields_enum_param"))


def test_the_oracle_itself_refuses_what_meta_would(published: Contract) -> None:
    for fields in (
        "id,favourites",
        "comments{favourites}",
        "comments.order(random){id}",
        "comments{parent{favourites}}",
    ):
        with pytest.raises(AssertionError):
            published.fields("PagePost", fields)
    with pytest.raises(AssertionError):
        published.params("Page", "conversations", {"platform": "telegram"})
