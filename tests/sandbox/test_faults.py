"""Faults: each does what its name says, exactly as often as asked."""

from __future__ import annotations

import json
import threading

import pytest
import requests

from sandbox.faults import Fault
from tests.sandbox.helpers import to_contact

ME = "/2/users/me"
TASK = {"properties": {"hs_timestamp": "2026-07-01T09:00:00Z"}, "associations": to_contact("101")}
TASKS = "/crm/objects/2026-09/tasks"


@pytest.mark.parametrize("fault", ["429", "500", "502", "503"])
@pytest.mark.parametrize("provider", ["x", "hubspot"])
def test_the_next_calls_answer_a_status_and_do_no_work(world, provider, fault):
    caller = world.x() if provider == "x" else world.hubspot()
    call = (lambda: caller.get(ME)) if provider == "x" else (lambda: caller.post(TASKS, TASK))
    world.fault(provider=provider, fault=fault, count=2)
    assert [call().status_code for _ in range(3)][:2] == [int(fault)] * 2
    assert call().status_code in (200, 201)
    assert world.client.get("/control/counts").json["tasks_ever_created"] == (2 if provider == "hubspot" else 0)


def test_a_429_says_when_to_come_back(world):
    caller = world.x()
    world.fault(provider="x", fault="429", count=1, seconds=120)
    answer = caller.get(ME)
    assert answer.headers["x-rate-limit-remaining"] == "0"
    assert 100 < int(answer.headers["x-rate-limit-reset"]) - world.state.oauth._clock() < 130


def test_a_fault_strikes_where_it_was_aimed(world):
    x, hubspot = world.x(), world.hubspot()
    world.fault(provider="x", path=r"/users/\d+/mentions$", method="get", fault="500", count=1)
    assert x.get(ME).status_code == 200
    assert hubspot.get(TASKS).status_code == 200
    assert x.get("/2/users/1/mentions").status_code == 500
    assert x.get("/2/users/1/mentions").status_code == 200


def test_people_and_controls_are_spared(world):
    world.fault(provider="*", fault="500", count=1)
    for path in ("/", "/network", "/crm", "/x/bob", "/control/counts", "/faults"):
        assert world.client.get(path).status_code < 400, path
    assert world.x_redeem("anything").status_code == 500


def test_garbage_is_a_success_that_nobody_can_read(world):
    caller = world.hubspot()
    world.fault(provider="hubspot", fault="garbage", count=1)
    answer = caller.get(TASKS)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    with pytest.raises(ValueError):
        json.loads(answer.text)


def test_what_is_asked_twice_is_done_twice_and_answered_once(world):
    caller = world.hubspot()
    world.fault(provider="hubspot", fault="twice", count=1)
    answer = caller.post(TASKS, TASK)
    assert answer.status_code == 201
    assert world.client.get("/control/counts").json["tasks_ever_created"] == 2
    assert caller.post(TASKS, TASK).status_code == 201
    assert world.client.get("/control/counts").json["tasks_ever_created"] == 3


def test_a_fault_is_over_when_its_time_is(world, monkeypatch):
    caller, now = world.x(), [1000.0]
    monkeypatch.setattr("sandbox.faults.time.monotonic", lambda: now[0])
    world.state.faults.add(Fault("x", "500", 5, within=3.0, begun=now[0]))
    assert caller.get(ME).status_code == 500
    now[0] += 3.5
    assert caller.get(ME).status_code == 200


def test_a_slow_answer_comes_all_the_same(world, monkeypatch):
    caller, waited = world.x(), []
    monkeypatch.setattr(world.state.faults, "hang", waited.append)
    world.fault(provider="x", fault="slow", count=1, seconds=2.5)
    assert [caller.get(ME).status_code for _ in range(2)] == [200, 200]
    assert waited == [2.5]


def test_tokens_can_be_made_to_expire_and_a_refresh_helps(world):
    caller = world.x()
    world.fault(provider="x", fault="expire_tokens", count=1)
    assert caller.get(ME).status_code == 401
    fresh = world.x_token(grant_type="refresh_token", refresh_token=caller.tokens["refresh_token"]).json
    caller.headers = {"Authorization": f"Bearer {fresh['access_token']}"}
    assert caller.get(ME).status_code == 200


def test_a_consent_can_be_withdrawn_and_then_nothing_helps(world):
    caller, other = world.x(), world.hubspot()
    world.fault(provider="x", fault="revoke", count=1)
    assert caller.get(ME).status_code == 401
    assert world.x_token(grant_type="refresh_token", refresh_token=caller.tokens["refresh_token"]).status_code == 400
    assert other.get(TASKS).status_code == 200


@pytest.mark.parametrize(
    ("fault", "created"), [("drop_before", 0), ("drop_after", 1), ("timeout_before", 0), ("timeout_after", 1)]
)
def test_a_call_left_without_an_answer_has_done_its_work_or_not(world, address, fault, created):
    caller = world.hubspot()
    world.fault(provider="hubspot", fault=fault, count=1, seconds=0.05)
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{address}/hubspot{TASKS}", json=TASK, headers=caller.headers, timeout=10)
    assert world.client.get("/control/counts").json["tasks_ever_created"] == created
    assert requests.post(f"{address}/hubspot{TASKS}", json=TASK, headers=caller.headers, timeout=10).status_code == 201


def test_a_timeout_outlasts_an_impatient_caller(world, address):
    caller = world.hubspot()
    world.fault(provider="hubspot", fault="timeout_after", count=1, seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"{address}/hubspot{TASKS}", json=TASK, headers=caller.headers, timeout=0.2)
    assert world.client.get("/control/counts").json["tasks_ever_created"] == 1


def test_counts_are_exact_among_many_callers(world):
    caller, statuses = world.x(), []
    world.settings(rate_limits=False)
    world.fault(provider="x", fault="503", count=7)

    def call():
        client = world.app.test_client()
        statuses.extend(client.get(f"/x{ME}", headers=caller.headers).status_code for _ in range(5))

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(503), statuses.count(200)) == (7, 13)


def test_faults_are_listed_and_cleared(world):
    world.fault(provider="x", fault="500", count=3)
    world.client.get(f"/x{ME}")
    (listed,) = world.client.get("/faults").json["faults"]
    assert (listed["fault"], listed["done"], listed["left"]) == ("500", 1, 2)
    assert world.client.delete("/faults").status_code == 204
    assert world.client.get("/faults").json == {"faults": []}
    assert world.client.get(f"/x{ME}").status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {}, {"fault": "fire"}, {"fault": "500", "provider": "myspace"}, {"fault": "500", "count": 0}, {"fault": "500", "count": True},
        {"fault": "500", "path": "("}, {"fault": "timeout_after", "seconds": -1}, {"fault": "500", "colour": "red"},
    ],
)  # fmt: skip
def test_a_fault_that_is_none_is_refused(world, body):
    refused = world.client.post("/faults", json=body)
    assert refused.status_code == 400
    assert refused.json["error"]
