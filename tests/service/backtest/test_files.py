"""Files that are wrong, and files that are read: said in a sentence, before anything is judged or written over."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.backtest import call, files, intent, matching, unanswered
from service.errors import PlainError

# Each command with what it reads: the option, and a file that would be judged without a word.
READS = {
    "matching": (matching.command, {"contacts": "contact_id\n1\n", "profiles": "profile_id,network,handle\np,x,ana\n"}),
    "unanswered": (unanswered.command, {"messages": "message_id,author,created_at,text\n1,ana,2026-03-02,is it on?\n"}),
    "intent": (intent.command, {"messages": "id,text\n1,is it on?\n"}),
    "call": (call.command, {"histories": '{"id": "1", "now": "2026-03-02T09:00:00Z", "posts": []}\n'}),
}  # fmt: skip


def run(tmp_path: Path, name: str, *options: str, out: Path) -> Result:
    command, reads = READS[name]
    given = []
    for option, text in reads.items():
        (tmp_path / option).write_text(text, encoding="utf-8")
        given += [f"--{option}", str(tmp_path / option)]
    return CliRunner().invoke(command, [*given, *options, "--out", str(out)])


@pytest.mark.parametrize("name", READS)
def test_a_file_that_is_read_is_never_written_over(name: str, tmp_path: Path) -> None:
    for option, text in READS[name][1].items():
        done = run(tmp_path, name, out=tmp_path / option)
        assert isinstance(done.exception, PlainError)
        assert "would be written over" in str(done.exception)
        assert (tmp_path / option).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", READS)
def test_where_nothing_can_be_written_nothing_is_judged(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "write", lambda *_: pytest.fail("It was judged first."))
    monkeypatch.setattr(call, "write", lambda *_: pytest.fail("It was judged first."))
    done = run(tmp_path, name, out=tmp_path / "nowhere" / "out.csv")
    assert str(done.exception).endswith("out.csv cannot be written: No such file or directory.")


@pytest.mark.parametrize("name", READS)
def test_a_truth_that_is_not_there_leaves_no_file_behind(name: str, tmp_path: Path) -> None:
    done = run(tmp_path, name, "--truth", str(tmp_path / "truth.csv"), out=tmp_path / "out.csv")
    assert str(done.exception).endswith("truth.csv is not there.")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("wrong", ['"Hello, anyone?', '"Hello" anyone?', "x" * 200_000], ids=["open", "within", "long"])
def test_no_row_is_lost_to_a_quotation_mark_or_to_its_length_without_a_word(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "messages.csv").write_text(f"id,text\n1,fine\n2,{wrong}\n3,fine\n", encoding="utf-8")
    with pytest.raises(PlainError, match=r"messages\.csv cannot be read from line 3 on: "):
        files.rows(tmp_path / "messages.csv", ["id"])


def test_a_quotation_mark_within_a_cell_without_any_around_it_is_read_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "messages.csv").write_text('id,text\n1,a 5" pipe\n2,"a ""5"" pipe"\n', encoding="utf-8")
    assert [row["text"] for row in files.rows(tmp_path / "messages.csv", ["id"])] == ['a 5" pipe', 'a "5" pipe']


def test_half_a_surrogate_pair_keeps_no_verdict_from_being_written(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    (tmp_path / "histories").write_text(
        '{"id": "a\\ud800", "now": "2026-03-02T09:00:00Z", "posts": []}\n', encoding="utf-8"
    )
    done = CliRunner().invoke(call.command, ["--histories", str(tmp_path / "histories"), "--out", str(out)])
    assert done.exit_code == 0, done.exception
    assert out.read_text(encoding="utf-8").splitlines()[1].startswith("a?,0,")


@pytest.mark.parametrize(
    ("name", "option", "rows", "column"),
    [
        ("matching", "contacts", "contact_id,full_name\n1,Ana Ferrer\n1,Bo Stone\n", "contact_id"),
        ("matching", "profiles", "profile_id,network,handle\np,x,ana\np,x,bo\n", "profile_id"),
        ("unanswered", "messages", "message_id,author,created_at,text\n1,ana,2026-03-02,a?\n1,bo,2026-03-02,b?\n", "message_id"),
        ("intent", "messages", "id,text\n1,a?\n1,b?\n", "id"),
    ],
)  # fmt: skip
def test_two_rows_with_one_id_are_not_taken_for_one_without_a_word(
    name: str, option: str, rows: str, column: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(READS, name, (READS[name][0], {**READS[name][1], option: rows}))
    done = run(tmp_path, name, out=tmp_path / "out.csv")
    assert done.exit_code == 0
    assert f"has 2 rows and only 1 different {column}. Of rows with the same one the last counts." in done.stderr


TRUTHS = {
    "matching": "profile_id,contact_id\n{},1\n",
    "unanswered": "message_id,status\n{},Unanswered\n",
    "intent": "id,question\n{},Yes\n",
    "call": "id,ready\n{},no\n",
}


@pytest.mark.parametrize("name", TRUTHS)
def test_a_truth_about_nothing_that_was_judged_is_no_score_of_nought(name: str, tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(TRUTHS[name].format("elsewhere"), encoding="utf-8")
    done = run(tmp_path, name, "--truth", str(tmp_path / "truth.csv"), out=tmp_path / "out.csv")
    assert str(done.exception).startswith("Nothing is scored: no ")
    assert (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(("spelt", "ready"), [("1", 1), ("Yes", 1), ("TRUE", 1), ("0.0", 0), ("no", 0)])
def test_a_truth_says_yes_and_no_however_a_spreadsheet_spells_them(spelt: str, ready: int) -> None:
    found = [call.judge({"id": "1", "now": "2026-03-02T09:00:00Z", "posts": []}, "x")]
    assert call.agreement(found, [{"id": "1", "ready": spelt}])["there"] == ready


def test_what_a_truth_does_not_know_is_left_out_of_the_score() -> None:
    found = [call.judge({"id": "1", "now": "2026-03-02T09:00:00Z", "posts": []}, "x")]
    assert call.agreement(found, [{"id": "1", "ready": "unclear"}])["scored"] == 0


def test_how_a_truth_spells_its_statuses_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(TRUTHS["unanswered"].format("1"), encoding="utf-8")
    done = run(tmp_path, "unanswered", "--truth", str(tmp_path / "truth.csv"), out=tmp_path / "out.csv")
    assert "unanswered: precision 1.000, recall 1.000, F1 1.000 (1 in the truth)" in done.output


def test_long_work_says_every_few_seconds_how_far_it_has_come(capsys: pytest.CaptureFixture[str]) -> None:
    times = count(0.0, 2.0)
    assert list(files.told("abcdefgh", 8, "message", clock=lambda: next(times))) == list("abcdefgh")
    assert capsys.readouterr().err.splitlines() == ["2 of 8 messages judged", "5 of 8 messages judged"]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("id,text,text\n1,fine,\n", r"has the column 'text' twice\. Take one of them out"),
        ("id,text\n1,fine\n2,Hello, can you call me?\n", r"has more cells in line 3 than columns\. A cell that holds a comma"),
    ],
)  # fmt: skip
def test_no_cell_is_left_out_without_a_word(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "messages.csv").write_text(text, encoding="utf-8")
    with pytest.raises(PlainError, match=sentence):
        files.rows(tmp_path / "messages.csv", ["id"])


def test_empty_cells_beyond_the_columns_and_columns_without_a_name_are_no_matter(tmp_path: Path) -> None:
    (tmp_path / "messages.csv").write_text("id,text,,\n1,fine,,,,\n2,fine\n", encoding="utf-8")
    assert [row["text"] for row in files.rows(tmp_path / "messages.csv", ["id"])] == ["fine", "fine"]


@pytest.mark.parametrize(("name", "column"), [("intent", "call"), ("unanswered", "status"), ("call", "ready")])
def test_a_truth_that_says_nothing_gives_no_score(name: str, column: str, tmp_path: Path) -> None:
    key = "message_id" if name == "unanswered" else "id"
    (tmp_path / "truth.csv").write_text(f"{key},{column}\n1,perhaps\n", encoding="utf-8")
    done = run(tmp_path, name, "--truth", str(tmp_path / "truth.csv"), out=tmp_path / "out.csv")
    assert "Nothing is scored: " in str(done.exception)
