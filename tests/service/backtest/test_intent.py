"""`warmline backtest intent`: messages in, probabilities out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.backtest.intent import COLUMNS, command
from service.errors import PlainError

MESSAGES = """id,text,reply_to_text,reply_to_author
q,how do I change my address?,,
t,thanks so much!,"Done, it is changed.",brand
a,"iPhone 12, version 17",Which phone do you use?,brand
c,could you give me a call tomorrow?,,
p,how much is the family plan?,,
"""
TRUTH = """id,label,call,price
q,yes,no,no
t,no,0,no
a,yes,no,no
c,yes,1,no
p,unclear,no,yes
elsewhere,yes,yes,yes
"""
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def run(messages: str, *options: str, truth: str = "") -> Result:
        (tmp_path / "messages.csv").write_text(messages, encoding="utf-8")
        if truth:
            (tmp_path / "truth.csv").write_text(truth, encoding="utf-8")
            options = (*options, "--truth", str(tmp_path / "truth.csv"))
        files = ["--messages", str(tmp_path / "messages.csv"), "--out", str(tmp_path / "out.csv")]
        return CliRunner().invoke(command, [*files, *options])

    return run


def written(tmp_path: Path) -> dict[str, dict[str, str]]:
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        assert tuple(reader.fieldnames or ()) == COLUMNS
        return {row["id"]: row for row in reader}


def test_every_message_gets_a_probability_for_each_intent(run: Run, tmp_path: Path) -> None:
    done = run(MESSAGES)
    assert done.exit_code == 0, done.output
    rows = written(tmp_path)
    assert list(rows) == ["q", "t", "a", "c", "p"]
    assert all(0 <= float(row[name]) <= 1 for row in rows.values() for name in COLUMNS[1:])
    assert {id_ for id_, row in rows.items() if float(row["needs_answer"]) >= 0.5} == {"q", "a", "c", "p"}
    assert max(rows, key=lambda id_: float(rows[id_]["call"])) == "c"
    assert max(rows, key=lambda id_: float(rows[id_]["price"])) == "p"


def test_what_a_message_replies_to_counts(run: Run, tmp_path: Path) -> None:
    run("id,text,reply_to_text,reply_to_author\n1,iPhone,Which phone do you use?,brand\n2,iPhone,,\n")
    rows = written(tmp_path)
    assert float(rows["1"]["needs_answer"]) > float(rows["2"]["needs_answer"])


def test_the_truth_is_scored_where_it_says_yes_or_no(run: Run) -> None:
    done = run(MESSAGES, "--json", truth=TRUTH)
    said = json.loads(done.stdout)
    assert said["messages"] == 5
    assert set(said) == {"messages", "needs_answer", "call", "price"}
    assert said["needs_answer"] == {"said": 3, "right": 3, "there": 3, "precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert said["call"]["there"] == said["price"]["there"] == 1


def test_the_scores_are_said_in_words(run: Run) -> None:
    lines = run(MESSAGES, truth=TRUTH).stdout.splitlines()
    assert lines[0].startswith("5 messages judged. Written to ")
    assert "needs_answer: precision 1.000, recall 1.000, F1 1.000 (3 in the truth)" in lines


@pytest.mark.parametrize(
    ("messages", "truth", "sentence"),
    [
        ("id,body\n1,hello\n", "", "has no column 'text'"),
        (MESSAGES, "id,mood\nq,good\n", "has none of the columns needs_answer, call"),
    ],
)
def test_a_file_without_what_it_needs_is_refused_in_words(run: Run, messages: str, truth: str, sentence: str) -> None:
    done = run(messages, truth=truth)
    assert isinstance(done.exception, PlainError)
    assert sentence in str(done.exception)


def test_a_file_with_a_header_alone_is_no_mistake(run: Run, tmp_path: Path) -> None:
    assert run("id,text\n").exit_code == 0
    assert written(tmp_path) == {}
    assert run(MESSAGES, truth="id,needs_answer\n").exit_code == 0
