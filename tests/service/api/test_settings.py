"""Settings: only whoever has seen the version that stands may replace it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.api.checking import check
from tests.service.api.conftest import Client


def replace(client: Client, values: dict[str, Any], etag: str | None) -> Any:
    return client.put("/settings", values, headers={} if etag is None else {"If-Match": etag})


def test_a_change_needs_the_version_that_was_seen(client: Client) -> None:
    seen = client.get("/settings")
    etag = seen.headers["ETag"]
    assert seen.get_json()["version"] == 1

    assert "If-Match" in check(replace(client, {"daily_cap": 9}, None), 428)
    changed = replace(client, {"daily_cap": 9}, etag)

    assert changed.status_code == 200
    assert changed.headers["ETag"] != etag
    assert changed.get_json()["values"]["daily_cap"] == 9
    assert changed.get_json()["changed_by"].startswith("key:")
    assert "Version 2" in check(replace(client, {"daily_cap": 3}, etag), 412)
    assert client.get("/settings").get_json()["version"] == 2


@pytest.mark.parametrize("etag", ['"7"', 'W/"1"', "nonsense", '""'])
def test_another_etag_is_refused(client: Client, etag: str) -> None:
    check(replace(client, {}, etag), 412)


def test_any_version_may_be_replaced_by_whoever_says_so(client: Client) -> None:
    assert replace(client, {}, "*").status_code == 200


def test_what_has_not_changed_is_not_sent_again(client: Client) -> None:
    etag = client.get("/settings").headers["ETag"]
    same = client.get("/settings", headers={"If-None-Match": etag})
    assert (same.status_code, same.get_data(), same.headers["ETag"]) == (304, b"", etag)
    replace(client, {"daily_cap": 9}, etag)
    assert client.get("/settings", headers={"If-None-Match": etag}).status_code == 200


def test_what_is_left_out_takes_its_default(client: Client) -> None:
    etag = replace(client, {"daily_cap": 9}, "*").headers["ETag"]
    assert replace(client, {"text_mode": "link"}, etag).get_json()["values"]["daily_cap"] == 5


def test_what_comes_out_can_be_sent_back(client: Client) -> None:
    seen = client.get("/settings")
    values = seen.get_json()["values"]
    assert replace(client, values, seen.headers["ETag"]).get_json()["values"] == values


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"holidays_country": "Atlantis"}, "holidays_country"),
        ({"hours": {"monday": ["09:00-12:00", "11:00-17:00"]}}, "hours.monday"),
        ({"hours": {"monday": ["17:00-09:00"]}}, "hours.monday"),
        ({"hours": {"moonday": []}}, "hours.moonday"),
        ({"patience": {"direct": -1}}, "patience.direct"),
        ({"holidays": ["2026-02-30"]}, "holidays.0"),
        ({"daily_cap": 0}, "daily_cap"),
        ({"daily_kap": 3}, "daily_kap"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_and_changes_nothing(
    client: Client, values: dict[str, Any], field: str
) -> None:
    response = replace(client, values, "*")
    check(response, 422)
    assert [error["field"] for error in response.get_json()["errors"]] == [field]
    assert client.get("/settings").get_json()["version"] == 1


@pytest.mark.parametrize(
    "values", [{"daily_cap": 2.5}, {"preview": 0}, {"preview": "yes"}, {"patience": {"question": 1.5}}]
)
def test_what_merely_reads_like_a_number_or_a_yes_is_refused(client: Client, values: dict[str, Any]) -> None:
    check(replace(client, values, "*"), 422)
    assert client.get("/settings").get_json()["version"] == 1
