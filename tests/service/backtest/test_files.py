"""Files that are wrong, and files that are read: said in a sentence, before anything is judged or written over."""

from __future__ import annotations

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
