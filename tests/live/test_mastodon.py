"""Mastodon's client API as a real server speaks it: from registering there to a token that is given back.

Opt-in (`make test-live`); see `tests.live.takahe` for what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from integrations import consents
from integrations.errors import AuthenticationError
from integrations.provider import Access, Account, App, Setting
from integrations.records import Engagement, Gone, Kind
from integrations.social.mastodon import PROVIDER
from service import embedded
from tests.live.takahe import BRAND, CUSTOMER, Takahe, running, until

pytestmark = pytest.mark.rule("live", provider="mastodon")

ALLOWED = ("127.0.0.1",)
WAY = consents.way(PROVIDER)


@pytest.fixture(scope="session")
def there(template: embedded.Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Takahe]:
    with running(template, tmp_path_factory.mktemp("takahe")) as found:
        yield found


class Brand:
    """The brand's account, connected as a person connects it."""

    def __init__(self, there: Takahe) -> None:
        here = "http://127.0.0.1:8123"
        place = urlsplit(there.web).netloc
        given = Setting(
            App(), {"web": there.web}, {"server": place}, here, f"{here}/oauth/mastodon/callback", True, ALLOWED
        )
        assert PROVIDER.auth.kind == "oauth2"
        assert PROVIDER.auth.register
        app = PROVIDER.auth.register(given)
        self.setting = Setting(app, given.hosts, given.form, here, given.redirect_uri, True, ALLOWED)
        begun = consents.begin(WAY, self.setting, "state_1-2.3")
        query = dict(parse_qsl(urlsplit(there.consents(begun.authorize_url, BRAND)).query))
        assert query["state"] == "state_1-2.3"
        self.credentials = consents.finish(WAY, self.setting, begun.kept, query)
        assert PROVIDER.accounts
        (self.account,) = PROVIDER.accounts(self._access())

    def _access(self, account: Account | None = None) -> Access:
        who, options = (account.author, account.options) if account else (None, {})
        return Access(self.setting.hosts, self.credentials, who, options, guarded=True, allow_hosts=ALLOWED)

    def client(self) -> Any:
        return PROVIDER.client(self._access(self.account))

    def pull(self, stream: str, cursor: str | None = None, *threads: str) -> tuple[dict[str, Engagement], str | None]:
        found: dict[str, Engagement] = {}
        for page in self.client().pull(stream, cursor, threads):
            found |= {item.id: item for item in page.items}
            cursor = page.cursor
        return found, cursor


@pytest.fixture
def brand(there: Takahe) -> Brand:
    return Brand(there)


def test_connecting_asks_for_what_the_server_honours_and_learns_the_whole_handle(brand: Brand) -> None:
    assert brand.account.author.handle == BRAND
    assert brand.account.options == {"software": "takahe"}
    assert brand.credentials["scope"] == "read"


def test_a_talk_is_read_from_every_side_and_followed(there: Takahe, brand: Brand) -> None:
    asked = there.writes(CUSTOMER, f"@{BRAND} is the red helmet in stock? https://shop.example/h?a=1&b=2 #hiking")
    ours = there.writes(BRAND, f"@{CUSTOMER} yes, two left", to=asked)
    again = there.writes(CUSTOMER, f"@{BRAND} can we talk? <b>&", to=ours)
    private = there.writes(CUSTOMER, f"@{BRAND} between us", visibility="direct")
    until(lambda: {asked, again, private} <= brand.pull("mentions")[0].keys())

    found, cursor = brand.pull("mentions")
    assert {each: found[each].kind for each in (asked, again, private)} == {
        asked: Kind.MENTION,
        again: Kind.REPLY,
        private: Kind.DIRECT,
    }
    assert found[asked].text == f"@{BRAND} is the red helmet in stock? https://shop.example/h?a=1&b=2 #hiking"
    assert found[again].text == f"@{BRAND} can we talk? <b>&"
    assert found[asked].author.handle == CUSTOMER
    assert found[asked].url.startswith(there.web)
    own, _ = brand.pull("own")
    assert (own[ours].kind, own[ours].in_reply_to) == (Kind.OWN, asked)
    thread, _ = brand.pull("conversations", None, asked)
    assert thread.keys() >= {ours, again}
    seen = {**found, **own, **thread}
    assert {seen[each].thread for each in (asked, ours, again)} == {asked}
    assert brand.pull("mentions", cursor)[0] == {}
    for stream in PROVIDER.streams:
        brand.pull(stream.name)

    there.edits(CUSTOMER, asked, f"@{BRAND} is the blue helmet in stock?")
    there.deletes(CUSTOMER, again)
    answers = {each.id: each for each in brand.client().recheck([asked, again, ours])}
    assert isinstance(edited := answers[asked], Engagement)
    assert (edited.text, edited.edited_at is not None) == (f"@{BRAND} is the blue helmet in stock?", True)
    assert answers[again] == Gone(again)
    assert isinstance(answers[ours], Engagement)


def test_a_token_that_is_given_back_is_dead(brand: Brand) -> None:
    consents.revoke(WAY, brand.setting, brand.credentials)
    with pytest.raises(AuthenticationError):
        brand.client().whoami()
