"""The page of whom the team is in touch with, and how regularly its accounts write."""

from __future__ import annotations

import re
from typing import Any

import pytest

from service.clock import business_now
from service.runtime import Runtime
from tests.service.console.conftest import Browser, words_of
from tests.service.console.scenes import Scene, Stage, busy_day


@pytest.fixture
def scene(held: Runtime, owner: Any) -> Scene:
    return busy_day(held, owner.workspace_id)


def test_the_list_says_who_at_which_stage_since_when_and_why(olga: Browser, scene: Scene) -> None:
    words = words_of(olga.get("/relationships"))
    assert (
        "Mara Lind Conversing @maralind on Chirp · Lind & Daughters You had gone back and forth 3 times. 2 days ago"
        in words
    )
    assert "Ben Frost Ready to talk @benfrost on Chirp He asked what a team plan costs. 1 day ago" in words
    assert "Somebody without a name Aware on Chirp Nothing has gone back and forth yet." in words


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?stage=ready to talk", {"Ben Frost"}),
        ("?stage=aware", {"ליאת כהן", "Somebody without a name"}),
        ("?stage=met", set()),
        ("?q=mARa", {"Mara Lind"}),
        ("?q=daughters", {"Mara Lind"}),
        ("?q=@benf", {"Ben Frost"}),
        ("?q=ליאת", {"ליאת כהן"}),
        ("?q=benfrost&stage=conversing", set()),
        ("?q=%25", set()),
    ],
)
def test_it_is_narrowed_by_stage_and_by_a_part_of_a_name(
    olga: Browser, scene: Scene, query: str, found: set[str]
) -> None:
    answer = olga.get(f"/relationships{query}")
    assert answer.status_code == 200
    assert set(re.findall(r'<h2><a href="/relationships/[^"]*"><bdi>([^<]*)</bdi></a></h2>', answer.text)) == found


def test_a_stage_that_does_not_exist_is_no_page(olga: Browser, scene: Scene) -> None:
    assert olga.get("/relationships?stage=married").status_code == 404


def test_one_relationship_has_every_step_the_reasons_and_a_link_to_the_person(olga: Browser, scene: Scene) -> None:
    page = olga.get(f"/relationships/{scene.relationship}")
    words = words_of(page)
    assert words.index("You had gone back and forth 3 times.") < words.index("You answered them for the first time.")
    assert "Why no call now You go back and forth, and nobody has asked to talk." in words
    [person] = re.findall(r'href="(/persons/[^"]*)"', page.text)
    assert "Mara Lind" in words_of(olga.get(person))


def test_more_than_a_page_goes_on_where_it_stopped_and_keeps_what_was_looked_for(
    held: Runtime, olga: Browser, owner: Any, scene: Scene
) -> None:
    with held.db.tenant(owner.workspace_id) as session:
        stage = Stage(session, owner.workspace_id, business_now())
        for number in range(60):
            author = stage.author(f"ana{number}", f"Ana {number}")
            stage.relationship({"brand": scene.brand}, author=author, stage="aware", reasons=[], steps=[])
    first = olga.get("/relationships?q=ana&stage=aware")
    [more] = re.findall(r'href="([^"]*)" rel="next"', first.text)
    rest = olga.get(more.replace("&amp;", "&"))
    names = [re.findall(r"<bdi>(Ana \d+)</bdi></a></h2>", each.text) for each in (first, rest)]
    assert [len(each) for each in names] == [50, 10]
    assert len({*names[0], *names[1]}) == 60


def test_the_figures_say_how_regularly_each_account_writes_and_how_much_of_it_is_broadcast(
    olga: Browser, scene: Scene
) -> None:
    words = words_of(olga.get("/figures"))
    assert "@acme on Chirp 1 1 100 % 1 of 14 1 of 2 13 days" in words
