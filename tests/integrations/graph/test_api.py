from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
import responses

from integrations import errors
from integrations.graph.api import BATCH, Graph, listing, nested
from integrations.provider import App
from tests.integrations.graph.wire import API, APP, GONE, TOKEN, Wire, error


def _graph(app: App = APP) -> Graph:
    return Graph(API, TOKEN, app)


def test_the_token_goes_in_a_header_and_its_proof_along(wire: Wire) -> None:
    wire.put("1", name="x")
    assert _graph().get("/1", fields="name") == {"id": "1", "name": "x"}
    (request,) = wire.sent
    proof = hmac.new(APP.client_secret.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in str(request.url)
    assert f"appsecret_proof={proof}" in str(request.url)


def test_without_a_secret_there_is_no_proof(wire: Wire) -> None:
    wire.put("1")
    _graph(App("424242")).get("/1")
    assert "appsecret_proof" not in str(wire.sent[0].url)


@pytest.mark.parametrize(
    ("options", "version"), [({}, "v25.0"), ({"version": ""}, "v25.0"), ({"version": "v26.0"}, "v26.0")]
)
def test_the_version_can_be_chosen(wire: Wire, options: dict[str, str], version: str) -> None:
    wire.put("1")
    _graph(App(APP.client_id, APP.client_secret, options=options)).get("/1")
    assert str(wire.sent[0].url).startswith(f"{API}/{version}/1")


def test_a_list_is_read_by_its_cursors_to_the_end(wire: Wire) -> None:
    wire.page = 2
    for number in range(5):
        wire.put(str(number), "me/accounts")
    wire.tokens[TOKEN] = "me"
    assert sorted(row["id"] for page in _graph().pages("/me/accounts") for row in page.objects) == list("01234")
    assert len(wire.sent) == 3


def test_the_next_address_is_read_for_being_there_and_not_kept() -> None:
    body = {"data": [{"id": "1"}], "paging": {"cursors": {"after": "c"}, "next": f"https://x/?access_token={TOKEN}"}}
    found = listing(body)
    assert found.after == "c"
    assert TOKEN not in repr(found)
    assert listing({**body, "paging": {"cursors": {"after": "c"}}}).after is None
    assert listing({**body, "paging": {"cursors": {"after": "c"}}}, bare=True).after == "c"
    assert listing({"data": [], "paging": {"cursors": {"after": "c"}}}, bare=True).after is None


def test_a_list_that_goes_by_time_is_followed_without_its_token(wire: Wire) -> None:
    following = f"{API}/v25.0/1/feed?access_token={TOKEN}&limit=25&until=1774000000&__paging_token=enc_Ab%3D%3D"
    found = listing({"data": [{"id": "1"}], "paging": {"next": following}})
    assert found.after == "?until=1774000000&__paging_token=enc_Ab%3D%3D"
    wire.put("9", "1/feed")
    _graph().page("/1/feed", after=found.after, limit="25")
    (query,) = wire.calls("GET", "1/feed")
    assert (query["until"], query["__paging_token"], query["limit"]) == ("1774000000", "enc_Ab==", "25")
    assert "after" not in query
    assert listing({"data": [{"id": "1"}], "paging": {"next": f"{API}/x?access_token={TOKEN}"}}).after is None


@pytest.mark.parametrize("body", [None, 17, [], {}, {"data": None}, {"data": {}}, {"data": "x"}])
def test_what_is_no_list_says_so(body: Any) -> None:
    with pytest.raises(errors.UnexpectedResponseError):
        listing(body)


@pytest.mark.parametrize("value", [None, 17, [], {}, {"data": None}])
def test_an_inner_list_may_be_absent(value: Any) -> None:
    assert nested(value).rows == ()


def test_a_batch_answers_each_call_for_itself(wire: Wire) -> None:
    for number in range(60):
        wire.put(f"n{number}", name=str(number))
    wire.refused["n7"] = error(10, "(#10) Not for you")
    found = _graph().lookups({str(number): (f"n{number}", {"fields": "name"}) for number in range(61)})
    assert found["3"] == {"id": "n3", "name": "3"}
    assert isinstance(found["7"], errors.PermissionDeniedError)
    assert isinstance(found["60"], errors.NotFoundError)
    assert len(found) == 61
    assert len(wire.sent) == -(-61 // BATCH)
    assert TOKEN not in str(wire.sent[0].url)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(190, "gone"), errors.AuthenticationError),
        (error(32, "too often"), errors.RateLimitError),
    ],
)
def test_what_concerns_the_whole_batch_is_raised(wire: Wire, answer: Any, kind: type[Exception]) -> None:
    wire.put("1")
    wire.refused["2"] = answer
    with pytest.raises(kind):
        _graph().lookups({"1": ("1", {}), "2": ("2", {})})


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(2, "down", status=500), errors.TemporaryError),
        (error(1, "Please reduce the amount of data"), errors.TemporaryError),
        (error(100, "Tried accessing nonexisting field (message) on node type (Event)"), errors.InvalidRequestError),
    ],
)
def test_one_call_over_which_meta_breaks_every_time_does_not_cost_the_others_their_answers(
    wire: Wire, answer: Any, kind: type[Exception]
) -> None:
    wire.put("1")
    wire.refused["2"] = answer
    assert _graph().lookups({"1": ("1", {}), "2": ("2", {})}) == {"1": {"id": "1"}}
    with pytest.raises(kind):
        _graph().lookups({"2": ("2", {})})


def test_a_list_that_repeats_its_place_ends(wire: Wire) -> None:
    again = json.dumps({"data": [{"id": "1"}], "paging": {"cursors": {"after": "same"}, "next": "https://x/"}})
    wire.replies += [(200, {}, again)] * 5
    assert len(list(_graph().pages("/me/accounts"))) == 2


@pytest.mark.parametrize("body", ["{}", "[]", "[null,null]", "17", "<html>"])
def test_a_batch_that_cannot_be_read_says_so(wire: Wire, body: str) -> None:
    wire.replies.append((200, {}, body))
    with pytest.raises(errors.UnexpectedResponseError):
        _graph().lookups({"1": ("1", {})})


@pytest.mark.parametrize(
    "answer", ["null", "17", '{"code":"200","body":"{}"}', '{"code":200,"body":"[]"}', '{"code":502,"body":"<html>"}']
)
def test_a_call_that_was_left_undone_has_no_answer(wire: Wire, answer: str) -> None:
    wire.replies.append((200, {}, f"[{answer}]"))
    assert _graph().lookups({"1": ("1", {})}) == {}


def test_nothing_is_asked_for_nothing(wire: Wire) -> None:
    assert _graph().lookups({}) == {}
    assert wire.sent == []


def test_a_refusal_outside_a_batch_is_read_the_same_way(wire: Wire) -> None:
    wire.refused["1"] = GONE
    with pytest.raises(errors.NotFoundError):
        _graph().get("/1")


def test_no_secret_shows(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    graph = _graph()
    wire.refused["1"] = error(100, f"bad token {TOKEN} for {APP.client_secret}")
    with pytest.raises(errors.InvalidRequestError) as raised:
        graph.get("/1")
    for told in (str(raised.value), repr(graph), caplog.text):
        assert TOKEN not in told
        assert APP.client_secret not in told


def test_a_redirect_is_not_followed() -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{API}/v25.0/1", status=302, headers={"Location": "https://elsewhere.example/"})
        with pytest.raises(errors.UnexpectedResponseError):
            _graph().get("/1")
