"""A second factor in a real browser, on a small phone and at a desk."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service import totp
from service.clock import real_now
from tests.browser.conftest import DESK, Site
from tests.browser.looks import CONTRAST, OpenWindow, unfold

SMALLEST = {"width": 320, "height": 640}
GOOD = "two plums and a bag of rain"


def assert_readable(page: Page, width: int) -> None:
    """Nothing scrolls sideways, and words stand out from their ground."""
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_set_up_with_a_picture_and_asked_for_at_the_next_sign_in(
    visitor: OpenWindow, owner: Any, site: Site, scheme: str
) -> None:
    size = {"light": SMALLEST, "dark": DESK}[scheme]
    who = visitor(size, color_scheme=scheme)
    page, width = who.sign_in(owner.email), size["width"]
    who.go("/account")
    for label in ("New password", "New password once more"):
        page.get_by_label(label, exact=True).fill(GOOD)
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Set it up").click()
    assert_readable(page, width)
    page.get_by_role("button", name="Set it up").click()

    picture = page.get_by_role("img", name="A picture that your app scans.")
    expect(picture).to_be_visible()
    assert (picture.locator("svg").bounding_box() or {"width": 0})["width"] > 150
    assert_readable(page, width)
    secret, here = page.locator("code.secret").inner_text().replace(" ", ""), totp.step_at(real_now())
    page.get_by_label("Code").fill(totp.code_of(secret, here))
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    expect(page.locator(".codes li")).to_have_count(10)
    assert_readable(page, width)
    recovery = page.locator(".codes li").first.inner_text()
    page.get_by_role("link", name="I have kept them").click()
    who.go("/account/factor")
    expect(page.get_by_text("10 recovery codes left.")).to_be_visible()
    assert_readable(page, width)
    who.go("/people")
    expect(page.get_by_text("Second factor set up")).to_be_visible()
    page.get_by_text("Acme", exact=True).first.click()
    page.get_by_role("button", name="Sign out").click()

    page.goto(f"{site.url}/signin?next=/tasks?show=held")
    page.get_by_label("E-mail address").fill(owner.email)
    page.get_by_label("Password").fill(GOOD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Code", exact=True)).to_be_focused()
    assert_readable(page, width)
    page.get_by_label("Code", exact=True).fill(totp.code_of(secret, here + 1))
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/tasks?show=held")

    page.goto(site.signin(owner.email))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("No phone at hand?").click()
    page.get_by_label("Recovery code").fill(recovery)
    page.get_by_role("button", name="Use it").click()
    expect(page.get_by_role("status")).to_contain_text("That recovery code is used up.")
