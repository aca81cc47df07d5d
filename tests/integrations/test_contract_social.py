"""What every network promises, and our fake of one: what is read, and how a pull goes on.

What they promise where things go wrong is in `test_contract_faults.py`. Each provider's tests folder has a `world.py` that makes
things happen there (see `tests/integrations/contract/worlds.py`).
"""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import islice
from typing import Any

import pytest

from integrations import errors
from integrations.provider import OAuth2, Provider
from integrations.records import Engagement, Gone, Kind
from tests.integrations.contract.able import able
from tests.integrations.contract.worlds import SOCIAL, Network, World, pull


def test_there_is_a_provider_to_hold_to_the_contract() -> None:
    assert SOCIAL


@pytest.mark.rule("manifest")
def test_the_manifest_is_whole(provider: Provider[Any]) -> None:
    names = [stream.name for stream in provider.streams]
    assert len(set(names)) == len(names) > 0
    assert all(stream.label and stream.every >= timedelta(seconds=30) for stream in provider.streams)
    assert all(host.startswith("https://") for host in provider.hosts.values())
    assert provider.about.endswith(".")
    if isinstance(provider.auth, OAuth2):
        known = {*provider.auth.scopes, *provider.auth.optional_scopes}
        assert {scope for stream in provider.streams for scope in stream.scopes} <= known
        for url in (provider.auth.authorize_url, provider.auth.token_url):
            assert url.format(**provider.hosts).startswith("https://")


@pytest.mark.rule("whoami")
def test_whoami_names_the_account(network: Network) -> None:
    who = network.client().whoami()
    assert who.id
    assert who.handle
    assert not who.handle.startswith("@")


@pytest.mark.rule("full_pull")
def test_what_others_say_is_read_with_its_words_time_and_address(provider: Provider[Any], world: World) -> None:
    post_id = world.speak("Is it in stock? 🦺")
    (item,) = pull(world)
    assert (item.id, item.text, item.kind) == (post_id, "Is it in stock? 🦺", Kind.MENTION)
    assert item.author.id != world.client().whoami().id
    assert item.created_at.tzinfo is UTC
    assert item.url.startswith(tuple(host.partition("{")[0] for host in provider.hosts.values()))
    assert item.thread


@pytest.mark.rule("full_pull")
def test_our_own_answers_are_ours_and_stand_in_the_same_thread(provider: Provider[Any], world: World) -> None:
    asked = world.speak("Is it in stock?")
    answered = world.answer(asked)
    found: dict[str, Engagement] = {}
    for stream in provider.streams:
        for page in world.client().pull(stream.name, None, ()):
            found |= {item.id: item for item in page.items}
    assert found[answered].kind is Kind.OWN
    assert found[answered].thread == found[asked].thread
    assert found[answered].in_reply_to == asked


@pytest.mark.rule("resume")
def test_stopping_after_any_page_and_coming_back_loses_nothing(network: Network) -> None:
    everything = {network.speak(f"number {number}") for number in range(23)}
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(30):
        page = next(network.client().pull(network.stream, cursor))
        seen |= {item.id for item in page.items}
        cursor = page.cursor
    assert seen == everything


@pytest.mark.rule("resume")
def test_a_pull_goes_on_from_any_cursor_that_was_saved(network: Network) -> None:
    everything = {network.speak(f"number {number}") for number in range(23)}
    seen: set[str] = set()
    for page in list(network.client().pull(network.stream, None)):
        seen |= {item.id for item in page.items}
        assert seen | {item.id for item in pull(network, page.cursor)} == everything


@pytest.mark.rule("news")
def test_what_comes_later_comes_with_the_cursor(network: Network) -> None:
    network.speak("first")
    *_, last = network.client().pull(network.stream, None)
    later = network.speak("second")
    assert later in {item.id for item in pull(network, last.cursor)}


@pytest.mark.rule("full_pull")
def test_a_full_pull_brings_each_post_and_ends(network: Network) -> None:
    everything = {network.speak(f"number {number}") for number in range(23)}
    pages = list(islice(network.client().pull(network.stream, None), 100))
    assert len(pages) < 100
    assert {item.id for page in pages for item in page.items} == everything
    assert pages[-1].cursor


@pytest.mark.rule("replayed_page")
def test_a_page_that_is_read_again_brings_the_same_records(network: Network) -> None:
    for number in range(13):
        network.speak(f"number {number}")
    cursors = [None, *(page.cursor for page in network.client().pull(network.stream, None))]
    for cursor in cursors:
        first, second = (list(network.client().pull(network.stream, cursor)) for _ in range(2))
        assert [page.items for page in first] == [page.items for page in second]


@pytest.mark.rule("overlap")
def test_coming_back_when_nothing_is_new_ends_and_invents_nothing(network: Network) -> None:
    everything = {network.speak(f"number {number}") for number in range(13)}
    cursor = None
    for _ in range(4):
        pages = list(islice(network.client().pull(network.stream, cursor), 100))
        assert len(pages) < 100
        assert {item.id for page in pages for item in page.items} <= everything
        cursor = pages[-1].cursor
    later = network.speak("one more")
    assert later in {item.id for item in pull(network, cursor)}


@pytest.mark.rule("late_item")
def test_what_is_indexed_late_is_found_behind_the_newest(world: World) -> None:
    hide, show = able(world, "hide"), able(world, "show")
    late = world.speak("this one is slow")
    hide(late)
    seen = [world.speak(f"number {number}") for number in range(7)]
    *_, last = world.client().pull(world.stream, None)
    show(late)
    found = {item.id for item in pull(world, last.cursor)}
    assert late in found
    assert seen


@pytest.mark.rule("renamed")
def test_whoever_takes_another_name_is_the_same_author_by_the_new_one(world: World) -> None:
    rename = able(world, "rename")
    before = world.speak("Is it in stock?")
    *_, last = world.client().pull(world.stream, None)
    [first] = last.items
    rename("ada_rides")
    after = world.speak("Hello?")
    later = {item.id: item for item in pull(world, last.cursor)}[after].author
    assert later.id == first.author.id
    assert (later.handle or later.name).startswith("ada_rides")
    assert [item.author for item in world.client().recheck([before]) if isinstance(item, Engagement)] == [later]


@pytest.mark.rule("clock_skew")
@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_hours_off_loses_nothing(world: World, hours: int) -> None:
    able(world, "skew")(hours * 3600)
    first = world.speak("first")
    pages = list(world.client().pull(world.stream, None))
    assert first in {item.id for page in pages for item in page.items}
    second = world.speak("second")
    assert second in {item.id for item in pull(world, pages[-1].cursor)}
    assert {each.id for each in world.client().recheck([first, second])} == {first, second}


@pytest.mark.rule("any_cursor")
@pytest.mark.parametrize("cursor", ["", "garbage", "{}", "null", "-1", "🦺"])
def test_a_cursor_that_cannot_be_read_starts_over(network: Network, cursor: str) -> None:
    post_id = network.speak("hello")
    assert [item.id for item in pull(network, cursor)] == [post_id]


@pytest.mark.rule("unicode")
@pytest.mark.parametrize("text", ["", "ا" * 10_000, "\u200fשלום", "👩‍👩‍👧‍👦" * 50, "a\x00b"])
def test_no_text_is_too_odd(world: World, text: str) -> None:
    world.speak(text)
    assert [item.text for item in pull(world)] == [text.replace("\x00", "")]


@pytest.mark.rule("edited", "deleted")
def test_a_recheck_tells_what_changed_and_what_is_gone(network: Network) -> None:
    kept, changed, gone = network.speak("kept"), network.speak("before"), network.speak("gone")
    network.edit(changed, "after")
    network.delete(gone)
    answers = {each.id: each for each in network.client().recheck([kept, changed, gone])}
    assert answers[gone] == Gone(gone)
    assert {each.id: each.text for each in answers.values() if isinstance(each, Engagement)} == {
        kept: "kept",
        changed: "after",
    }
    assert list(network.client().recheck([])) == []


@pytest.mark.rule("statuses")
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, errors.InvalidRequestError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (429, errors.RateLimitError),
        (500, errors.TemporaryError),
        (503, errors.TemporaryError),
    ],
)
@pytest.mark.parametrize("body", ["{}", "<html>", ""])
def test_a_status_means_the_same_everywhere(world: World, status: int, body: str, error: type[Exception]) -> None:
    if body == "<html>" and status in (401, 403):
        error = errors.TemporaryError  # a firewall's page is no word about the grant: no network may end one for that
    world.refuse(status, body)
    with pytest.raises(error):
        pull(world)


@pytest.mark.rule("garbage")
@pytest.mark.parametrize("body", ["<html>it works</html>", "[1", "17"])
def test_a_success_that_cannot_be_read_says_so(world: World, body: str) -> None:
    world.refuse(200, body)
    with pytest.raises(errors.UnexpectedResponseError):
        pull(world)
