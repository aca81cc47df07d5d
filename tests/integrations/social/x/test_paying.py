"""What is bought: never more than the meter allows, never a profile that nobody wants, and nothing that only comes along."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import requests

from integrations.errors import PermissionDeniedError, SpendingLimitError, TemporaryError
from integrations.records import Engagement
from tests.integrations.social.x.wire import NOW, US, Wire, dm, snowflake, tweet

MENTIONS = f"/2/users/{US.id}/mentions"


@dataclass
class Purse:
    """A meter with so many reads left, whatever they are."""

    left: int = 10_000
    asked: list[tuple[str, int]] = field(default_factory=list)
    told: dict[str, list[str]] = field(default_factory=dict)
    voided: list[str] = field(default_factory=list)

    def ask(self, name: str, most: int, least: int = 1) -> int:
        if self.left < least:
            raise SpendingLimitError("The ceiling is reached.", until=datetime(2026, 4, 1, tzinfo=UTC))
        self.asked.append((name, min(most, self.left)))
        return min(most, self.left)

    def tell(self, name: str, ids: Collection[str]) -> None:
        self.left -= len(ids)
        self.told.setdefault(name, []).extend(ids)

    def void(self, name: str) -> None:
        self.voided.append(name)


def everybody(posts: Sequence[Engagement]) -> set[str]:
    return {post.author.id for post in posts}


def nobody(posts: Sequence[Engagement]) -> set[str]:
    return set()


def mentions(wire: Wire, count: int) -> list[str]:
    times = [NOW - timedelta(hours=1) + timedelta(seconds=number) for number in range(count)]
    wire.add(*(tweet(snowflake(at), at=at) for at in times))
    return [snowflake(at) for at in times]


def test_a_page_is_no_larger_than_what_is_left_and_what_came_is_kept(wire: Wire) -> None:
    mentions(wire, 150)
    purse = Purse(left=120)
    pull = wire.client(meter=purse, wanted=nobody).pull("mentions", None)
    first, second = next(pull), next(pull)
    with pytest.raises(SpendingLimitError):
        next(pull)
    assert (len(first.items), len(second.items), purse.left) == (100, 20, 0)
    assert [query["max_results"] for query in wire.queries(MENTIONS)] == ["100", "20"]
    rest = list(wire.client(meter=Purse(), wanted=nobody).pull("mentions", second.cursor))
    assert sum(len(page.items) for page in rest) == 30


def test_less_than_the_smallest_page_buys_nothing(wire: Wire) -> None:
    mentions(wire, 10)
    with pytest.raises(SpendingLimitError):
        list(wire.client(meter=Purse(left=4), wanted=nobody).pull("mentions", None))
    assert wire.sent == []


def test_every_row_is_billed_under_its_id_and_nothing_comes_along(wire: Wire) -> None:
    asked, ours = snowflake(NOW - timedelta(hours=2)), snowflake(NOW - timedelta(hours=1))
    wire.add(tweet(asked, at=NOW - timedelta(hours=2)), tweet(ours, US.id, "Yes", reply_to=(asked, "9")))
    event = snowflake(NOW - timedelta(hours=3))
    wire.write(dm(event, "9", NOW - timedelta(hours=3)))
    purse = Purse()
    client = wire.client(meter=purse, wanted=nobody)
    for stream in ("own", "messages"):
        list(client.pull(stream, None))
    assert purse.told == {"post": [ours], "dm_event": [f"dm:{event}"]}
    assert not any(
        "expansions" in query for query in [*wire.queries(f"/2/users/{US.id}/tweets"), *wire.queries("/2/dm_events")]
    )


@pytest.mark.parametrize("stream", ["mentions", "messages", "ancestors", "recheck"])
def test_a_profile_is_bought_for_whom_somebody_wants_and_for_nobody_else(wire: Wire, stream: str) -> None:
    at = NOW - timedelta(minutes=5)
    wire.add(tweet(snowflake(at), "9", at=at))
    wire.write(dm(snowflake(at), "9", at))

    def read(wanted: object, purse: Purse) -> list[str]:
        client = wire.client(meter=purse, wanted=wanted)
        if stream == "recheck":
            found = [each for each in client.recheck([snowflake(at)]) if isinstance(each, Engagement)]
        else:
            found = [item for page in client.pull(stream, None, [snowflake(at)]) for item in page.items]
        return [item.author.handle for item in found]

    with_profile, without = Purse(), Purse()
    assert read(nobody, without) == [""]
    assert "user" not in without.told
    if stream == "ancestors":
        return  # who stands further up in a thread speaks to somebody else
    assert read(everybody, with_profile) == ["ada"]
    assert with_profile.told["user"] == ["9"]


def test_whoever_wrote_on_several_pages_is_bought_once_and_known_on_each(wire: Wire) -> None:
    mentions(wire, 250)
    purse, asked = Purse(), list[str]()

    def wanted(posts: Sequence[Engagement]) -> set[str]:
        asked.extend(post.author.id for post in posts)
        return everybody(posts)

    pages = list(wire.client(meter=purse, wanted=wanted).pull("mentions", None))
    assert len(pages) == 3
    assert {item.author.handle for page in pages for item in page.items} == {"ada"}
    assert purse.told["user"] == ["9"]
    assert len(asked) == 100  # nobody is asked again about somebody who is known


def test_our_own_profile_is_never_bought(wire: Wire) -> None:
    wire.add(tweet(snowflake(NOW - timedelta(hours=1)), US.id, at=NOW - timedelta(hours=1)))
    purse = Purse()
    ((item,),) = [page.items for page in wire.client(meter=purse, wanted=everybody).pull("own", None)]
    assert (item.author.handle, "user" in purse.told) == (US.handle, False)


def test_posts_that_are_paid_for_are_kept_where_profiles_are_not_affordable(wire: Wire) -> None:
    ids = mentions(wire, 5)
    (page,) = wire.client(meter=Purse(left=5), wanted=everybody).pull("mentions", None)
    assert ({item.id for item in page.items}, {item.author.handle for item in page.items}) == (set(ids), {""})


def test_a_refused_call_is_void_and_one_of_which_nobody_knows_is_not(wire: Wire) -> None:
    purse = Purse()
    wire.replies.append((403, {}, "{}"))
    with pytest.raises(PermissionDeniedError):
        list(wire.client(meter=purse, wanted=nobody).pull("mentions", None))
    assert purse.voided == ["post"]
    wire.replies.append((504, {}, ""))
    with pytest.raises(TemporaryError):
        list(wire.client(meter=purse, wanted=nobody).pull("mentions", None))
    assert purse.voided == ["post"]


def test_a_call_that_x_does_not_take_now_or_that_never_reached_it_is_void(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    purse = Purse()
    wire.replies.append((503, {}, ""))
    with pytest.raises(TemporaryError):
        list(wire.client(meter=purse, wanted=nobody).pull("mentions", None))
    assert purse.voided == ["post"]

    def unreachable(*_: object, **__: object) -> None:
        raise requests.exceptions.ConnectTimeout

    client = wire.client(meter=purse, wanted=nobody)
    monkeypatch.setattr(requests.Session, "send", unreachable)
    with pytest.raises(TemporaryError):
        list(client.pull("mentions", None))
    assert purse.voided == ["post", "post"]


def test_somebody_who_is_gone_stays_a_bare_id(wire: Wire) -> None:
    del wire.users["9"]
    mentions(wire, 1)
    purse = Purse()
    ((item,),) = [page.items for page in wire.client(meter=purse, wanted=everybody).pull("mentions", None)]
    assert (item.author.id, item.author.handle, "user" in purse.told) == ("9", "", False)


def test_every_price_and_cap_says_where_and_when_it_was_read() -> None:
    from integrations.social.x import PROVIDER

    names = {price.name for price in PROVIDER.prices}
    assert names == {"post", "dm_event", "user"}
    for price in PROVIDER.prices:
        assert price.dollars > 0
        assert price.source.startswith("https://")
        assert price.read_on is not None
        assert price.label
    assert all(cap.name in names and cap.read_on for cap in PROVIDER.caps)


def test_a_colleague_who_is_known_by_handle_alone_is_looked_up_once_somebody_else_writes(wire: Wire) -> None:
    wire.add(tweet(snowflake(NOW - timedelta(hours=2)), US.id, at=NOW - timedelta(hours=2)))
    purse = Purse()
    client = wire.client(meter=purse, wanted=nobody, listed=("ada",))
    list(client.pull("own", None))
    assert "user" not in purse.told
    mentions(wire, 3)
    items = [item for page in client.pull("mentions", None) for item in page.items]
    assert {item.author.handle for item in items} == {"ada"}
    list(client.pull("mentions", None))
    assert purse.told["user"] == ["9"]
