"""The console in a real browser: what people do, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from integrations.registry import providers
from service import links, registrations
from service.models import Conversation
from service.runtime import Runtime
from tests.browser.conftest import DESK, PHONE, Site
from tests.browser.looks import CONTRAST, OpenWindow, unfold
from tests.service.console.conftest import PROVIDERS
from tests.service.console.scenes import Scene, busy_day


@pytest.fixture(autouse=True)
def _providers(monkeypatch: pytest.MonkeyPatch) -> None:
    for each in PROVIDERS:
        monkeypatch.setitem(providers(), each.key, each)


@pytest.fixture
def scene(held: Runtime, owner: Any) -> Scene:
    return busy_day(held, owner.workspace_id, preview=True)


def test_a_person_signs_in_and_sees_who_waits(visitor: OpenWindow, owner: Any, scene: Scene) -> None:
    page = visitor().sign_in(owner.email)
    expect(page.get_by_role("heading", level=1)).to_have_text("5 people are waiting")
    expect(page.get_by_role("listitem").filter(has_text="Mara Lind").first).to_contain_text("A task for Olga Berg")
    page.get_by_role("link", name="Mara Lind", exact=True).click()
    expect(page.get_by_text("I have asked twice now.")).to_be_visible()


def test_a_match_is_confirmed_with_one_press(visitor: OpenWindow, owner: Any, scene: Scene) -> None:
    who = visitor()
    page = who.sign_in(owner.email)
    page.get_by_role("link", name="Matches", exact=True).click()
    page.get_by_role("button", name="Same person: Ben Frost and Ben Frost").click()
    expect(page.get_by_role("status")).to_contain_text("Confirmed.")
    expect(page.get_by_role("button", name="Same person: Ben Frost and Ben Frost")).to_have_count(0)
    page.get_by_role("link", name="Confirmed", exact=True).click()
    page.get_by_role("button", name="Undo: Ben Frost and Ben Frost").click()
    expect(page.get_by_role("status")).to_contain_text("Undone.")


def test_the_link_in_a_task_works_for_somebody_who_is_not_signed_in(
    visitor: OpenWindow, site: Site, scene: Scene
) -> None:
    page = visitor(PHONE).page
    page.goto(links.done_link(site.app.extensions["warmline"].config, scene.workspace_id, scene.task))
    expect(page.get_by_text("Answer Mara Lind on Chirp")).to_be_visible()
    page.get_by_role("button", name="No reply needed").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("This one is closed")


def test_the_keyboard_reaches_everything_and_shows_where_it_is(visitor: OpenWindow, owner: Any, scene: Scene) -> None:
    page = visitor().sign_in(owner.email)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    seen = []
    for _ in range(40):
        seen.append(page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"))  # fmt: skip
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth")  # fmt: skip
        assert outline == "solid3px", seen[-1]
        if seen[-1] == "No reply needed: Mara Lind":
            break
        page.keyboard.press("Tab")
    assert seen[-1] == "No reply needed: Mara Lind"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Noted: nothing needed.")


def paths(scene: Scene) -> list[str]:
    return [
        "/", "/tasks", "/tasks?show=held", "/tasks?show=done", "/matches", "/conversations", f"/conversations/{scene.waiting}", "/relationships", f"/relationships/{scene.relationship}", "/figures", "/connections",
        f"/connections/{scene.crm}/preview", f"/connections/{scene.social}/disconnect", "/connect/new/chirp", "/connect/new/keyed", "/brands",
        "/settings", "/settings/keys", "/people", "/account",
    ]  # fmt: skip


@pytest.mark.parametrize("size", [PHONE, DESK, {"width": 320, "height": 640}], ids=["phone", "desk", "smallest"])
def test_no_page_scrolls_sideways(visitor: OpenWindow, owner: Any, scene: Scene, size: dict[str, int]) -> None:
    who = visitor(size)
    who.sign_in(owner.email)
    for path in paths(scene):
        page = who.go(path)
        unfold(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(visitor: OpenWindow, owner: Any, scene: Scene, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1."""
    who = visitor(DESK, color_scheme=scheme)
    who.sign_in(owner.email)
    for path in paths(scene):
        page = who.go(path)
        unfold(page)
        assert page.evaluate(CONTRAST) == [], path


def test_the_first_page_keeps_itself_up_to_date(visitor: OpenWindow, owner: Any, scene: Scene, held: Runtime) -> None:
    who = visitor()
    page = who.page
    page.clock.install()
    who.sign_in(owner.email)
    page.evaluate("document.activeElement.blur()")
    with held.db.tenant(scene.workspace_id) as session:
        session.execute(update(Conversation).where(Conversation.id != scene.waiting).values(waiting_since=None))
    page.clock.run_for(11_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("1 person is waiting")
    assert page.title().startswith("1 waiting")


def test_the_first_page_stays_put_under_somebody_who_is_using_it(
    visitor: OpenWindow, owner: Any, scene: Scene, held: Runtime
) -> None:
    who = visitor()
    page = who.page
    page.clock.install()
    who.sign_in(owner.email)
    page.get_by_role("button", name="No reply needed: Mara Lind").focus()
    with held.db.tenant(scene.workspace_id) as session:
        session.execute(update(Conversation).values(waiting_since=None))
    page.clock.run_for(31_000)
    expect(page.get_by_role("button", name="No reply needed: Mara Lind")).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_have_text("5 people are waiting")


@pytest.fixture
def consent(serve: Callable[[Any], str], site: Site, held: Runtime) -> list[dict[str, list[str]]]:
    """A provider's consent page on another address, which sends people on once more within itself, as real ones do, and
    then refuses. Returns the queries that it was asked with."""
    asked: list[dict[str, list[str]]] = []

    def provider(environ: dict[str, Any], start: Any) -> list[bytes]:
        query = parse_qs(environ["QUERY_STRING"])
        if environ["PATH_INFO"] == "/authorize":
            asked.append(query)
            start("302 Found", [("Location", f"{elsewhere}/login?{environ['QUERY_STRING']}")])
            return [b""]
        back = f"{query['redirect_uri'][0]}?error=access_denied&state={query['state'][0]}"
        start("200 OK", [("Content-Type", "text/html")])
        return [f'<!doctype html><link rel="icon" href="data:,"><a href="{back}">Refuse</a>'.encode()]

    address = serve(provider)
    elsewhere = address.replace("127.0.0.1", "localhost")
    registrations.set_app(held, "chirp", "client", "not-a-secret", {"web": address, "api": address})
    return asked


def test_connecting_leads_to_the_consent_page_and_back(
    visitor: OpenWindow, owner: Any, consent: list[dict[str, list[str]]], site: Site
) -> None:
    """Through a form, two servers of the provider and back, under a policy that lets forms post to ourselves only."""
    who = visitor()
    who.expected = "status of 400"
    page = who.sign_in(owner.email)
    page.get_by_role("link", name="Connections").click()
    page.get_by_role("link", name="Connect Chirp").click()
    page.get_by_role("button", name="Continue to Chirp").click()
    page.get_by_role("link", name="Refuse").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Not connected")
    expect(page.get_by_text("the consent was refused. Nothing has changed.")).to_be_visible()
    assert consent[0]["redirect_uri"] == [f"{site.url}/oauth/chirp/callback"]
    page.get_by_role("link", name="Try Chirp again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Chirp")


def test_a_password_is_set_and_signs_in_by_the_keyboard_alone(visitor: OpenWindow, owner: Any, site: Site) -> None:
    who = visitor(PHONE)
    page = who.sign_in(owner.email)
    who.go("/account")
    for label in ("New password", "New password once more"):
        page.get_by_label(label, exact=True).fill("two plums and a bag of rain")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Saved. Everywhere else you are signed out now.")
    expect(page.get_by_role("heading", name="Browsers that are known")).to_be_visible()
    page.get_by_text("Acme", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto(f"{site.url}/signin?next=/tasks?show=held")
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(owner.email)
    page.keyboard.press("Tab")
    page.keyboard.type("two plums and a bag of rain")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/tasks?show=held")
