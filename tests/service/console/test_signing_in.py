from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from service import accounts
from service.runtime import Runtime


@pytest.fixture
def link(held: Runtime, owner: Any) -> str:
    return accounts.signin_link(held.db, owner.email, "")


def test_opening_the_link_spends_nothing_and_its_button_signs_in_once(
    nobody: FlaskClient, app: Flask, link: str
) -> None:
    for _ in range(3):
        assert "Sign in" in nobody.get(link).text
    answer = nobody.post(link)
    assert (answer.status_code, answer.location) == (303, "/")
    assert nobody.get("/").status_code == 200
    again = app.test_client().post(link)
    assert again.status_code == 410
    assert "used already" in again.text


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(nobody: FlaskClient, link: str) -> None:
    cookie = nobody.post(link).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie  # the test's address is plain http


def test_over_https_the_cookie_travels_only_over_https(config: Any, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from service.app import create_app

    app = create_app(replace(config, base_url="https://warmline.test"))
    assert "Secure" in app.test_client().post(link).headers["Set-Cookie"]
    app.extensions["warmline"].db.engine.dispose()
