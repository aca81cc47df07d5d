"""Rate limits and their headers."""

from __future__ import annotations

import pytest

from sandbox.limits import Windows


def test_x_counts_down_and_then_refuses_until_the_window_opens_again(world):
    caller, now = world.x(), [1_000_000.0]
    world.state.windows._clock = lambda: now[0]
    for left in range(14, -1, -1):
        answer = caller.get("/2/dm_events")
        assert answer.status_code == 200
        assert answer.headers["x-rate-limit-limit"] == "15"
        assert answer.headers["x-rate-limit-remaining"] == str(left)
        assert answer.headers["x-rate-limit-reset"] == "1000901"
    refused = caller.get("/2/dm_events")
    assert (refused.status_code, refused.headers["x-rate-limit-remaining"]) == (429, "0")
    assert refused.json == {
        "title": "Too Many Requests",
        "detail": "Too Many Requests",
        "type": "about:blank",
        "status": 429,
    }
    now[0] += 900
    assert caller.get("/2/dm_events").status_code == 200


def test_x_keeps_a_window_for_each_endpoint_and_account(world):
    one, other = world.x(), world.x("northwind")
    one.get("/2/users/1/mentions")
    assert one.get("/2/users/1/mentions").headers["x-rate-limit-remaining"] == "298"
    assert one.get("/2/users/1/tweets").headers["x-rate-limit-remaining"] == "899"
    assert other.get("/2/users/1/mentions").headers["x-rate-limit-remaining"] == "299"


def test_hubspot_says_what_is_left_and_refuses_the_next(world):
    caller = world.hubspot()
    world.state.windows._clock = lambda: 1_000_000.0
    for left in range(109, -1, -1):
        answer = caller.get("/account-info/2026-03/details")
        assert answer.headers["X-HubSpot-RateLimit-Remaining"] == str(left)
    assert answer.headers["X-HubSpot-RateLimit-Max"] == "110"
    assert answer.headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert answer.headers["X-HubSpot-RateLimit-Daily-Remaining"] == "649890"
    assert {
        "X-HubSpot-RateLimit-Daily",
        "X-HubSpot-RateLimit-Secondly",
        "X-HubSpot-RateLimit-Secondly-Remaining",
    } <= set(answer.headers.keys())
    refused = caller.get("/account-info/2026-03/details")
    assert refused.status_code == 429
    assert (refused.json["status"], refused.json["errorType"], refused.json["policyName"]) == (
        "error",
        "RATE_LIMIT",
        "TEN_SECONDLY_ROLLING",
    )


def test_hubspots_search_has_a_limit_of_its_own_and_no_headers(world):
    caller = world.hubspot()
    world.state.windows._clock = lambda: 1_000_000.0
    answers = [caller.search("contacts") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].json["policyName"] == "SECONDLY"
    assert not [name for name, _ in answers[0].headers if name.startswith("X-HubSpot-RateLimit")]
    assert caller.get("/crm/objects/2026-09/contacts").status_code == 200


def test_limits_can_be_switched_off_and_on(world):
    caller = world.x()
    world.settings(rate_limits=False)
    answers = [caller.get("/2/dm_events") for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["x-rate-limit-remaining"] for answer in answers} == {"15"}
    world.settings(rate_limits=True)
    assert caller.get("/2/dm_events").headers["x-rate-limit-remaining"] == "14"


def test_a_window_opens_with_its_first_call():
    now = [100.0]
    windows = Windows(lambda: now[0])
    assert windows.take("a", 2, 10).reset_at == 110
    now[0] = 105
    assert windows.take("a", 2, 10).reset_at == 110
    assert not windows.take("a", 2, 10).allowed
    now[0] = 110
    room = windows.take("a", 2, 10)
    assert (room.allowed, room.remaining, room.reset_at) == (True, 1, 120)


@pytest.mark.parametrize(
    "change",
    [
        {"rate_limits": "no"},
        {"search_delay_seconds": -1},
        {"token_lifetime_seconds": 0},
        {"hint_url": "ftp://127.0.0.1/"},
        {"hint_url": "https://elsewhere.example/"},
        {"colour": 1},
    ],
)
def test_a_setting_that_cant_be_is_refused_whole(world, change):
    before = world.client.get("/control/settings").json
    refused = world.client.put("/control/settings", json={"unique_properties": False, **change})
    assert refused.status_code == 400
    assert refused.json["error"]
    assert world.client.get("/control/settings").json == before
