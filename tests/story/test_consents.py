"""Consents that go wrong against the real vendors' formats: one plain sentence each, and nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from service import registrations
from tests.service.console.conftest import words_of
from tests.story.conftest import CLIENT, SECRET, THURSDAY, Story

pytestmark = pytest.mark.story


@pytest.fixture
def brand(story: Story) -> Story:
    """An account to connect, and somebody who waits for an answer from it."""
    story.outside.load(
        accounts=[{"id": 11, "handle": "acme", "name": "Acme", "brand": True}, {"id": 21, "handle": "ana", "name": "Ana Ferrer"}],
        posts=[{"id": 100, "author_id": 21, "text": "@acme Do you ship?", "created_at": (THURSDAY - timedelta(hours=20)).isoformat()}],
        owners=[{"id": 71, "email": "olga@acme.test"}],
    )  # fmt: skip
    story.set(preview=False)
    return story


def registers(story: Story, provider: str, *, client_id: str = CLIENT, secret: str = SECRET) -> None:
    host = f"{story.outside.url}/{provider}"
    registrations.set_app(story.runtime, provider, client_id, secret, {"api": host, "web": host})


def away(story: Story, provider: str) -> str:
    """The address of the consent page that the connect button leads to."""
    return story.browser.get(story.presses(f"/connect/new/{provider}").location).location


def comes_back(story: Story, provider: str, decision: str = "allow") -> str:
    """What the page says after a consent that did not go through."""
    back = urlsplit(story.outside.consents(away(story, provider), "acme", decision))
    answer = story.browser.get(f"{back.path}?{back.query}")
    assert answer.status_code == 400
    return words_of(answer)


def nothing_is_connected(story: Story) -> bool:
    return bool(story.sql("SELECT count(*) FROM connections") == [(0,)])


@pytest.mark.parametrize(("provider", "name"), [("x", "X"), ("hubspot", "HubSpot")])
def test_a_refused_consent_changes_nothing(brand: Story, provider: str, name: str) -> None:
    said = comes_back(brand, provider, "refuse")
    assert f"{name} was not connected: the consent was refused. Nothing has changed." in said
    assert nothing_is_connected(brand)


@pytest.mark.parametrize("provider", ["x", "hubspot"])
def test_a_wrong_client_id_is_said_by_the_vendor_whom_people_never_come_back_from(brand: Story, provider: str) -> None:
    registers(brand, provider, client_id="somebody-else")
    page = brand.outside.http.get(away(brand, provider), timeout=10)
    assert page.status_code == 400
    assert "client ID is not known here" in page.text
    assert nothing_is_connected(brand)


@pytest.mark.parametrize(("provider", "name"), [("x", "X"), ("hubspot", "HubSpot")])
def test_a_wrong_client_secret_names_the_command_that_mends_it(brand: Story, provider: str, name: str) -> None:
    registers(brand, provider, secret="wrong")
    said = comes_back(brand, provider)
    assert f"{name} does not accept our app registration" in said
    assert f"Check the client id and secret with `warmline providers set {provider}`." in said
    assert nothing_is_connected(brand)

    registers(brand, provider)
    assert f"{name} is connected" in brand.connects(provider, "acme")


@pytest.mark.parametrize("fault", ["garbage", "503", "drop_after"])
def test_a_token_endpoint_in_trouble_is_one_sentence_and_trying_again_connects(brand: Story, fault: str) -> None:
    brand.outside.fails("x", fault, path="/oauth2/token")
    said = comes_back(brand, "x")
    assert "X" in said
    assert "Traceback" not in said
    assert nothing_is_connected(brand)
    assert "X is connected as acme." in brand.connects("x", "acme")


def test_the_same_consent_twice_renews_one_connection(brand: Story) -> None:
    for _ in range(2):
        brand.connects("x", "acme")
    assert brand.sql("SELECT count(*) FROM connections") == [(1,)]


def test_a_crm_that_withdraws_its_consent_gets_its_tasks_once_it_is_back(brand: Story) -> None:
    brand.connects("x", "acme")
    brand.connects("hubspot")
    brand.run()
    [first] = brand.outside.open_tasks()
    brand.outside.writes("acme", "@ana Yes.", to="100")
    brand.passes(timedelta(minutes=1))
    brand.outside.writes("ana", "@acme And to Faro?", to="100")
    brand.passes(timedelta(hours=3))

    brand.outside.fails("hubspot", "revoke")
    brand.look()
    crm = brand.connection("crm")
    assert crm.status == "needs_reauth"
    assert crm.status_reason.startswith("HubSpot no longer accepts this consent")
    assert brand.connection("social").status == "active"
    assert [task.id for task in brand.outside.open_tasks()] == [first.id]

    brand.through_consent(f"/connections/{crm.id}/reconnect", "portal")
    brand.run()

    [task] = brand.outside.open_tasks()
    assert task.id != first.id
    assert "And to Faro?" in task.body
    assert brand.outside.tasks_ever_created() == 2


def test_a_refresh_whose_answer_is_lost_asks_for_a_person_and_loses_nothing(brand: Story) -> None:
    """X's refresh tokens are good once: what was lost on the way back cannot be asked for again."""
    brand.connects("x", "acme")
    brand.connects("hubspot")
    brand.run()
    brand.outside.fails("x", "expire_tokens")
    brand.outside.fails("x", "drop_after", path="/oauth2/token")
    for _ in range(3):
        brand.look()
    status, why = brand.health("social")
    assert status == "needs_reauth"
    assert why.startswith("Renewing the consent was cut short on ")
    assert "most likely nobody has revoked anything. Reconnect the account once" in why

    brand.through_consent(f"/connections/{brand.connection('social').id}/reconnect", "acme")
    brand.outside.writes("acme", "@ana Yes.", to="100")
    brand.passes(timedelta(minutes=1))
    brand.run()
    assert brand.outside.open_tasks() == []
    assert brand.health("social") == ("active", "")
