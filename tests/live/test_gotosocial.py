"""What of Mastodon's client API only GoToSocial has, or has in its own way, and what comes from another server, as real ones do it.

Opt-in (`make test-live`); see `tests.live.gotosocial` for what it needs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from integrations.errors import PermissionDeniedError
from integrations.provider import App
from integrations.records import Gone, Kind
from integrations.social.mastodon import PROVIDER, feeds
from tests.live import gotosocial
from tests.live.fediverse import Brand, Server, until
from tests.live.gotosocial import BRAND, CUSTOMER, STRANGER

pytestmark = pytest.mark.rule("live", provider="mastodon")

EVERYBODY = {"always": ["public"]}
ASKED_FIRST = {
    "can_reply": {"always": ["author"], "with_approval": ["public"]},
    "can_favourite": EVERYBODY,
    "can_reblog": EVERYBODY,
}
REQUESTS = "/api/v1/interaction_requests"


@pytest.fixture
def there(gotosocial: Server) -> Server:
    return gotosocial


@pytest.fixture
def brand(there: Server) -> Brand:
    return Brand(there)


def _rechecked(brand: Brand, status_id: str) -> Any:
    (found,) = brand.client().recheck([status_id])
    return found


# --- connecting ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [{"client_id": "01HW0000000000000000000000"}, {"client_secret": "another"}])
def test_a_registration_that_the_server_has_lost_is_told_from_one_that_it_knows(
    brand: Brand, lost: dict[str, str]
) -> None:
    assert PROVIDER.auth.kind == "oauth2"
    assert PROVIDER.auth.knows
    assert PROVIDER.auth.knows(brand.setting)
    app: App = replace(brand.setting.app, **lost)  # type: ignore[arg-type]
    assert not PROVIDER.auth.knows(replace(brand.setting, app=app))


@pytest.mark.parametrize(
    ("stream", "scope"), [("mentions", "read:notifications"), ("own", "read:statuses"), ("messages", "read:statuses")]
)
def test_a_scope_that_was_not_granted_is_named(there: Server, brand: Brand, stream: str, scope: str) -> None:
    client = brand.client(there.token(BRAND, "read:accounts"))
    with pytest.raises(PermissionDeniedError) as refused:
        list(client.pull(stream, None))
    assert refused.value.scope == scope


def test_the_profile_of_whoever_writes_is_read(there: Server, brand: Brand) -> None:
    form = {
        "display_name": "Ada Fell",
        "note": "Walks & maps.\n#hiking",
        "fields_attributes[0][name]": "Ort",
        "fields_attributes[0][value]": "Graz",
        "fields_attributes[1][name]": "Work",
        "fields_attributes[1][value]": "https://fell.example",
    }
    there.calls(CUSTOMER, "PATCH", "/api/v1/accounts/update_credentials", data=form)
    asked = there.writes(CUSTOMER, f"@{BRAND} hello")
    ada = brand.sees("mentions", asked)[asked].author
    assert (ada.name, ada.bio, ada.location, ada.website) == (
        "Ada Fell",
        "Walks & maps.\n#hiking",
        "Graz",
        "https://fell.example",
    )
    assert (ada.url, ada.bot) == (f"{there.pages}/@ada", False)


# --- what is said ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ({"status": f"@{BRAND} one\ntwo\n\nthree"}, f"@{BRAND} one\ntwo\n\nthree"),
        (
            {"status": f"@{BRAND} **when** is *it* `here`?\n\n- red\n- blue", "content_type": "text/markdown"},
            f"@{BRAND} when is it here?\n\n- red\n- blue",
        ),
        ({"status": f"@{BRAND} 1 < 2 & 3 > 2"}, f"@{BRAND} 1 < 2 & 3 > 2"),
        (
            {"status": f"@{BRAND} mail me@home.example or see https://größe.example/ü?a=1&b=ä"},
            f"@{BRAND} mail me@home.example or see https://größe.example/ü?a=1&b=ä",
        ),
        ({"status": f"@{BRAND} broken", "spoiler_text": "size < 2 & up"}, f"size < 2 & up\n\n@{BRAND} broken"),
        (
            {"status": f"@{BRAND} which?", "poll": {"options": ["red", "blue & green"], "expires_in": 3600}},
            f"@{BRAND} which?\n\n- red\n- blue & green",
        ),
    ],
)
def test_words_are_read_as_they_were_written(there: Server, brand: Brand, said: dict[str, Any], read: str) -> None:
    asked = str(there.calls(CUSTOMER, "POST", "/api/v1/statuses", json=said)["id"])
    assert brand.sees("mentions", asked)[asked].text == read


def test_an_answer_that_names_nobody_is_found_in_its_thread(there: Server, brand: Brand) -> None:
    ours = there.writes(BRAND, "new helmets are in")
    answer = there.writes(CUSTOMER, "in red, too?", to=ours)
    below = there.writes(CUSTOMER, "or in blue", to=answer)
    thread, _ = brand.pull("conversations", None, ours)
    assert {each: thread[each].kind for each in (answer, below)} == {answer: Kind.REPLY, below: Kind.COMMENT}
    assert {thread[each].thread for each in (answer, below)} == {ours}


def test_an_answer_that_waits_for_approval_is_read_and_stays_the_same_post_when_it_is_let_through(
    there: Server, brand: Brand
) -> None:
    ours = there.writes(BRAND, "ask us anything", interaction_policy=ASKED_FIRST)
    waiting = there.writes(CUSTOMER, f"@{BRAND} how much is it?", to=ours)
    found = brand.sees("mentions", waiting)[waiting]
    assert (found.kind, found.thread, found.text) == (Kind.REPLY, ours, f"@{BRAND} how much is it?")
    _, cursor = brand.pull("mentions")
    _answer_to_request(there, waiting, "authorize")
    until(lambda: brand.pull("mentions", cursor)[0].get(waiting) == found)
    assert _rechecked(brand, waiting) == found


def test_an_answer_that_is_not_let_through_is_gone(there: Server, brand: Brand) -> None:
    ours = there.writes(BRAND, "ask us something", interaction_policy=ASKED_FIRST)
    waiting = there.writes(CUSTOMER, f"@{BRAND} buy my things", to=ours)
    brand.sees("mentions", waiting)
    _answer_to_request(there, waiting, "reject")
    until(lambda: _rechecked(brand, waiting) == Gone(waiting))


def _answer_to_request(there: Server, waiting: str, answer: str) -> None:
    (asked,) = (each for each in there.calls(BRAND, "GET", REQUESTS) if (each.get("reply") or {}).get("id") == waiting)
    there.calls(BRAND, "POST", f"{REQUESTS}/{asked['id']}/{answer}")


def test_a_talk_stays_one_when_its_first_post_is_taken_back(there: Server, brand: Brand) -> None:
    first = there.writes(CUSTOMER, f"@{BRAND} which one?")
    ours = there.writes(BRAND, f"@{CUSTOMER} the red one", to=first)
    again = there.writes(CUSTOMER, f"@{BRAND} why?", to=ours)
    last = there.writes(CUSTOMER, f"@{BRAND} hello?", to=again)
    before = brand.sees("mentions", first, again, last)
    there.deletes(CUSTOMER, first)
    until(lambda: _rechecked(brand, first) == Gone(first))
    assert _rechecked(brand, again) == before[again]
    assert _rechecked(brand, last) == before[last]
    assert _rechecked(brand, ours).thread == first


def test_what_a_filter_of_the_accounts_hides_is_not_told(there: Server, brand: Brand) -> None:
    words = {"keywords_attributes": [{"keyword": "plume"}], "context": ["notifications"], "title": "no plumes"}
    made = there.calls(BRAND, "POST", "/api/v2/filters", json={**words, "filter_action": "hide"})
    hidden = there.writes(CUSTOMER, f"@{BRAND} has it a plume?")
    shown = there.writes(CUSTOMER, f"@{BRAND} has it a visor?")
    assert hidden not in brand.sees("mentions", shown)
    there.calls(BRAND, "DELETE", f"/api/v2/filters/{made['id']}")
    made = there.calls(BRAND, "POST", "/api/v2/filters", json={**words, "filter_action": "warn"})
    brand.sees("mentions", hidden)
    there.calls(BRAND, "DELETE", f"/api/v2/filters/{made['id']}")


def test_both_sides_of_a_private_talk_are_read_also_when_the_last_word_was_taken_back(
    there: Server, brand: Brand
) -> None:
    theirs = there.writes(CUSTOMER, f"@{BRAND} in private", visibility="direct")
    ours = there.writes(BRAND, f"@{CUSTOMER} gladly", to=theirs, visibility="direct")
    last = there.writes(CUSTOMER, f"@{BRAND} never mind", to=ours, visibility="direct")
    found = brand.sees("messages", theirs, ours, last)
    assert {found[each].kind for each in (theirs, ours, last)} == {Kind.DIRECT}
    assert {found[each].thread for each in (theirs, ours, last)} == {theirs}
    there.deletes(CUSTOMER, last)
    until(lambda: last not in brand.pull("messages")[0])
    assert brand.sees("messages", theirs, ours).keys() >= {theirs, ours}


# --- lists -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stream", "page", "who", "post"),
    [
        ("mentions", "MENTIONS", CUSTOMER, {"status": f"@{BRAND} hello"}),
        ("own", "PAGE", BRAND, {"status": "hello"}),
        ("messages", "TALKS", CUSTOMER, {"status": f"@{BRAND} psst", "visibility": "direct"}),
    ],
)
def test_pages_follow_one_another_to_the_end(
    there: Server, brand: Brand, monkeypatch: pytest.MonkeyPatch, stream: str, page: str, who: str, post: dict[str, str]
) -> None:
    written = {str(there.calls(who, "POST", "/api/v1/statuses", json=post)["id"]) for _ in range(7)}
    whole = brand.sees(stream, *written)
    monkeypatch.setattr(feeds, page, 3)
    pages = list(brand.client().pull(stream, None))
    assert {item.id for each in pages for item in each.items} == whole.keys()
    assert len(pages) > 2
    assert not [note for each in pages for note in each.notes]
    assert brand.pull(stream, pages[-1].cursor)[0] == {}
    half_way, _ = brand.pull(stream, pages[0].cursor)
    assert half_way.keys() == whole.keys() - {item.id for item in pages[0].items}


# --- another server --------------------------------------------------------------------------------------------


def test_somebody_on_another_server_is_read_followed_and_lost(two: gotosocial.Network, brand: Brand) -> None:
    there, elsewhere = two.here, two.elsewhere
    first = elsewhere.calls(STRANGER, "POST", "/api/v1/statuses", json={"status": f"@{BRAND} do you ship to Graz?"})
    asked = _here(there, first["uri"])
    found = brand.sees("mentions", asked)[asked]
    assert (found.kind, found.author.handle) == (Kind.MENTION, STRANGER)
    assert (found.url, found.text) == (first["url"], f"@{BRAND} do you ship to Graz?")

    ours = there.writes(BRAND, f"@{STRANGER} yes, we do", to=asked)
    uri = there.calls(BRAND, "GET", f"/api/v1/statuses/{ours}")["uri"]
    second = elsewhere.writes(STRANGER, f"@{BRAND} thanks", to=_here(elsewhere, uri))
    again = _here(there, elsewhere.calls(STRANGER, "GET", f"/api/v1/statuses/{second}")["uri"])
    answer = brand.sees("mentions", again)[again]
    assert (answer.kind, answer.thread, answer.in_reply_to) == (Kind.REPLY, asked, ours)

    elsewhere.edits(STRANGER, first["id"], f"@{BRAND} do you ship to Linz?")
    until(lambda: getattr(_rechecked(brand, asked), "text", "") == f"@{BRAND} do you ship to Linz?")
    elsewhere.deletes(STRANGER, second)
    until(lambda: _rechecked(brand, again) == Gone(again))


def _here(server: Server, uri: str) -> str:
    """The id that a server has given a post of another one, once that has reached it."""
    found: list[str] = []

    def arrived() -> bool:
        seen = server.calls(server.brand, "GET", "/api/v2/search", params={"q": uri, "type": "statuses"})
        found.extend(each["id"] for each in seen["statuses"])
        return bool(found)

    until(arrived)
    return found[0]
