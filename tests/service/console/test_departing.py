"""Having the workspace deleted: typed out, undone, and a receipt for whoever holds its link."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from service import departing
from service.runtime import Runtime
from service.store import departures
from tests.conftest import Member
from tests.service.commands import Run, on_the_database
from tests.service.commands import run as run
from tests.service.console.conftest import Browser, words_of

__all__ = ["run"]  # a fixture


def standing(held: Runtime, owner: Member) -> Any:
    with held.db.globally() as session:
        return departures.of(session, owner.workspace_id)


@pytest.mark.parametrize("typed", ["", "acme", "Rival"])
def test_without_the_name_typed_out_nothing_happens(olga: Browser, held: Runtime, owner: Member, typed: str) -> None:
    answer = olga.post("/settings/leave", {"name": typed})
    assert answer.status_code == 400
    assert "Type the workspace's name" in answer.text.replace("&#39;", "'")
    assert standing(held, owner) is None


def test_it_says_when_and_can_be_kept(olga: Browser, held: Runtime, owner: Member) -> None:
    answer = olga.post("/settings/leave", {"name": "Acme", "purge": "on"})
    assert "Keep this link" in answer.text
    assert standing(held, owner).purge
    assert "is to be deleted on" in words_of(olga.get("/"))
    assert "Keep the workspace" in olga.get("/settings/leave").text
    assert olga.post("/settings/leave/keep").headers["Location"].endswith("?done=kept")
    assert standing(held, owner) is None
    assert "is to be deleted" not in olga.get("/").text
    assert olga.post("/settings/leave/keep").status_code == 400


def test_the_link_shows_how_far_it_has_come_to_whoever_holds_it(
    olga: Browser, nobody: FlaskClient, held: Runtime, owner: Member
) -> None:
    page = olga.post("/settings/leave", {"name": "Acme"}).text
    [path] = re.findall(r"http://warmline\.test(/left/[\w-]+)", page)
    assert path not in olga.get("/settings/leave").text
    told = nobody.get(path)
    assert (told.status_code, "is to be deleted" in told.text) == (200, True)
    assert "Acme" not in told.text
    assert nobody.get("/left/made-up").status_code == 404

    with held.db.tenant(owner.workspace_id) as session:
        departures.begin(session, owner.workspace_id)
        departures.note(session, owner.workspace_id, ["Chirp: Chirp was told that we left."])
        departures.finish(session, owner.workspace_id, departing.last_lines(held))
    told = nobody.get(path)
    assert "The workspace is deleted" in told.text
    assert "Chirp was told that we left." in told.text
    assert olga.get("/").status_code == 401


def test_the_command_asks_undoes_and_says_how_far_it_has_come(
    run: Run, held: Runtime, owner: Member, config: Any
) -> None:
    env, workspace = on_the_database(config), str(owner.workspace_id)
    code, out, _ = run("leave", workspace, **env)
    assert (code, "Until then --keep undoes it." in out, "/left/" in out) == (0, True, True)
    code, out, _ = run("leave", workspace, "--receipt", **env)
    assert (code, out.startswith("To be deleted on")) == (0, True)
    assert run("leave", workspace, "--keep", **env)[1] == "Kept. Everything goes on where it stopped.\n"
    code, _, err = run("leave", workspace, "--keep", **env)
    assert (code, "Nobody has asked" in err) == (1, True)
    code, _, err = run("leave", workspace, "--now", "--wait", "0", **env)
    assert (code, "It is not done yet." in err) == (1, True)
    code, _, err = run("leave", "0198c0de-0000-7000-8000-000000000000", **env)
    assert (code, err) == (1, "warmline: There is no such workspace.\n")
    with held.db.tenant(owner.workspace_id) as session:
        departures.begin(session, owner.workspace_id)
        departures.finish(session, owner.workspace_id, departing.last_lines(held))
    code, out, _ = run("leave", workspace, "--receipt", "--json", **env)
    assert (code, '"begun": true' in out, "Backups made before today" in out) == (0, True, True)
