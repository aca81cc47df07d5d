"""Mastodon's client API as real servers speak it: from registering there to a token that is given back.

Opt-in (`make test-live`); see `tests.live.takahe` and `tests.live.gotosocial` for what they need. What only one of them has stands in tests of its own.
"""

from __future__ import annotations

import pytest

from integrations import consents
from integrations.errors import AuthenticationError
from integrations.records import Engagement, Gone, Kind
from integrations.social.mastodon import PROVIDER
from tests.live.fediverse import WAY, Brand, Server, until

pytestmark = pytest.mark.rule("live", provider="mastodon")


@pytest.fixture(params=["takahe", "gotosocial"])
def there(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def brand(there: Server) -> Brand:
    return Brand(there)


def test_connecting_asks_for_what_the_server_honours_and_learns_the_whole_handle(there: Server, brand: Brand) -> None:
    assert brand.account.author.handle == there.brand
    assert brand.account.options == {"software": there.software}
    assert brand.credentials["scope"] == there.granted


def test_a_talk_is_read_from_every_side_and_followed(there: Server, brand: Brand) -> None:
    us, ada = there.brand, there.customer
    asked = there.writes(ada, f"@{us} is the red helmet in stock? https://shop.example/h?a=1&b=2 #hiking")
    ours = there.writes(us, f"@{ada} yes, two left", to=asked)
    again = there.writes(ada, f"@{us} can we talk? <b>&", to=ours)
    private = there.writes(ada, f"@{us} between us", visibility="direct")
    brand.sees("mentions", asked, again, private)

    found, cursor = brand.pull("mentions")
    assert {each: found[each].kind for each in (asked, again, private)} == {
        asked: Kind.MENTION,
        again: Kind.REPLY,
        private: Kind.DIRECT,
    }
    assert found[asked].text == f"@{us} is the red helmet in stock? https://shop.example/h?a=1&b=2 #hiking"
    assert found[again].text == f"@{us} can we talk? <b>&"
    assert found[asked].author.handle == ada
    assert found[asked].url.startswith(there.pages)
    own, _ = brand.pull("own")
    assert (own[ours].kind, own[ours].in_reply_to) == (Kind.OWN, asked)
    thread, _ = brand.pull("conversations", None, asked)
    assert thread.keys() >= {ours, again}
    seen = {**found, **own, **thread}
    assert {seen[each].thread for each in (asked, ours, again)} == {asked}
    assert brand.pull("mentions", cursor)[0] == {}
    for stream in PROVIDER.streams:
        brand.pull(stream.name)

    there.edits(ada, asked, f"@{us} is the blue helmet in stock?")
    there.deletes(ada, again)
    until(lambda: Gone(again) in brand.client().recheck([asked, again, ours]))
    answers = {each.id: each for each in brand.client().recheck([asked, again, ours])}
    assert isinstance(edited := answers[asked], Engagement)
    assert (edited.text, edited.edited_at is not None) == (f"@{us} is the blue helmet in stock?", True)
    assert isinstance(answers[ours], Engagement)


def test_a_token_that_is_given_back_is_dead(brand: Brand) -> None:
    consents.revoke(WAY, brand.setting, brand.credentials)
    with pytest.raises(AuthenticationError):
        brand.client().whoami()
