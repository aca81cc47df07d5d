"""`warmline backtest call`: histories go in, verdicts come out, and with a truth how well they agree."""

from __future__ import annotations

import copy
import csv
import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.backtest.call import agreement, command, judge
from service.errors import PlainError
from tests.service.rules.histories import table

TABLE = table()
SHARED = Path(os.environ.get("WARMLINE_SHARED") or Path(__file__).parents[4] / "shared") / "data" / "call_histories"


def run(tmp_path: Path, *more: str, items: list[dict[str, Any]] | None = None) -> tuple[Result, list[dict[str, str]]]:
    histories, out = tmp_path / "histories.jsonl", tmp_path / "out.csv"
    lines = [json.dumps(item) for item in ([told.item for told in TABLE] if items is None else items)]
    histories.write_text("\n".join(lines), encoding="utf-8")
    done = CliRunner().invoke(
        command, ["--histories", str(histories), "--out", str(out), *more], catch_exceptions=False
    )
    with out.open(encoding="utf-8", newline="") as file:
        return done, list(csv.DictReader(file))


def truth_of(tmp_path: Path) -> Path:
    path = tmp_path / "truth.csv"
    rows = [f'"{told.id}",{int(told.ready)},{told.stage},{told.stage},{"met" if told.stage else ""}' for told in TABLE]
    path.write_text("\n".join(["id,ready,stage1,stage2,stage3", *rows]), encoding="utf-8")
    return path


def test_every_history_gets_a_verdict_with_score_stage_and_reasons(tmp_path: Path) -> None:
    done, rows = run(tmp_path)
    assert done.stdout == f"{len(TABLE)} histories, {sum(row['ready'] == '1' for row in rows)} ready for a call.\n"
    assert [row["id"] for row in rows] == [told.id for told in TABLE]
    assert list(rows[0]) == ["id", "ready", "score", "stage", "reasons"]
    assert {row["stage"] for row in rows} == {"aware", "in_contact", "conversing", "ready", "talked", "met"}
    assert all((row["ready"] == "1") == (float(row["score"]) >= 0.5) for row in rows)


def test_with_a_truth_it_says_how_well_they_agree(tmp_path: Path) -> None:
    done, _ = run(tmp_path, "--truth", str(truth_of(tmp_path)), "--json")
    figures = json.loads(done.stdout)
    assert figures["scored"] == len(TABLE)
    assert figures["kappa"] >= 0.8
    assert figures["precision_at_recall_65"] >= 0.9
    assert figures["stage"] >= 0.85
    plain, _ = run(tmp_path, "--truth", str(truth_of(tmp_path)))
    assert f"Kappa {figures['kappa']:.2f}, precision" in plain.output
    assert "scored highest" in plain.output


def test_figures_of_a_known_confusion() -> None:
    found = [judge(told.item, told.id) for told in TABLE if told.why in ("asked", "do_not_call", "planned")][:8]
    truth = [{"id": each.id, "ready": str(int(each.ready))} for each in found]
    assert agreement(found, truth)["kappa"] == 1
    truth[0]["ready"] = str(int(not found[0].ready))
    wrong = agreement(found, truth)
    assert wrong["kappa"] < 1
    assert wrong["scored"] == 8
    assert wrong["stage"] == 0  # nobody said


@pytest.mark.parametrize("told", TABLE[::9], ids=lambda told: told.id)
def test_order_and_repeated_lines_of_a_file_change_nothing(told) -> None:
    mixed = copy.deepcopy(told.item)
    mixed["posts"] = [*reversed(mixed["posts"]), *mixed["posts"][:2]]
    assert judge(mixed, "x").as_row() == judge(told.item, "x").as_row()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda item: item.pop("posts"), "has no 'posts'"),
        (lambda item: item.update(now="yesterday"), "now is 'yesterday' and should be a time such as"),
        (lambda item: item.update(now=5), "now is 5 and should be a time such as"),
        (lambda item: item.update(now="0001-01-01T00:00:00Z"), "should be a time such as"),
        (lambda item: item.update(timezone="Mars/Base"), "timezone is 'Mars/Base' and should be a time zone"),
        (lambda item: item.update(timezone="../etc"), "timezone is '../etc' and should be a time zone"),
        (lambda item: item.update(posts={}), "posts is {} and should be a list"),
        (lambda item: item.update(posts=[3]), "post 1 is 3 and should be an object"),
        (lambda item: item.update(contact="Ana"), "contact is 'Ana' and should be an object or null"),
        (lambda item: item.update(contact={"do_not_call": "no"}), "do_not_call of contact is 'no' and should be true"),
        (lambda item: item.update(contact={"deal": "maybe"}), "should be none, open, won or lost"),
        (lambda item: item["posts"][0].update(kind="shout"), "kind of post 1 is 'shout' and should be mention,"),
        (lambda item: item["posts"][0].update(kind=[]), "kind of post 1 is [] and should be mention,"),
        (lambda item: item["posts"][0].update(at=None), "at of post 1 is null and should be a time"),
        (lambda item: item["posts"][0].update(thread=[1]), "thread of post 1 is [1] and should be a text or a number"),
        (lambda item: item["posts"][0].pop("kind"), "post 1 has no 'kind'"),
        (lambda item: item["posts"][0].update(direction="outbound"), "is 'outbound' and should be in or out."),
        (lambda item: item.update(activities=[{"at": item["now"], "kind": "fax"}]), "kind of activity 1 is 'fax'"),
        (lambda item: item.update(meetings=[{"start": None}]), "meeting 1 has no 'end'"),
    ],
)
def test_a_line_that_is_no_history_is_named_with_what_is_wrong(change, sentence) -> None:
    item = copy.deepcopy(TABLE[0].item)
    change(item)
    with pytest.raises(PlainError, match=r"Line 7 of h\.jsonl") as error:
        judge(item, "Line 7 of h.jsonl")
    assert sentence in str(error.value)


def test_the_help_shows_a_history_that_is_judged() -> None:
    shown = CliRunner().invoke(command, ["--help"]).output
    text = shown[shown.index("{") : shown.rindex("}") + 1]
    assert judge(json.loads(text), "x").stage == "talked"


def test_a_history_with_nothing_in_it_is_somebody_who_is_aware() -> None:
    found = judge({"id": "e", "now": "2026-05-20T10:00:00Z", "posts": []}, "x")
    assert (found.ready, found.stage) == (False, "aware")


@pytest.mark.shared
def test_the_verdicts_agree_with_three_readers() -> None:
    if not SHARED.exists():
        pytest.skip(f"{SHARED} is not there.")
    found = [
        judge(json.loads(line), "x") for line in (SHARED / "histories.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    with (SHARED / "truth.csv").open(encoding="utf-8", newline="") as file:
        figures = agreement(found, csv.DictReader(file))
    assert figures["kappa"] >= 0.65
    assert figures["precision_at_recall_65"] >= 0.9
