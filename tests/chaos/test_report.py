"""What is told of a run that has not ended as it should: whether it was late or never, and where to begin to look."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import uuid4

from chaos import compare, report
from chaos.compare import Differences
from chaos.record import Episode, Size
from service.runtime import Runtime
from tests.conftest import Member
from tests.service.rows import Rows

SIZE = Size(7, 20, 500, None, 5)
KEY = f"unanswered-{'0a' * 16}"


def test_what_came_late_is_told_from_what_never_came_and_neither_is_well() -> None:
    late, never = (report.words(Episode(SIZE, late=seconds)) for seconds in (140.4, None))
    assert "140 s, late:  back to normal after the last fault (within 120 s)" in late
    assert "not  back to normal" in never
    assert {words.splitlines()[-1] for words in (late, never)} == {"Not as it should be."}


def test_a_task_about_which_something_differs_is_shown_as_it_stands_with_us_without_its_words(
    held: Runtime, owner: Member
) -> None:
    rows = Rows(held.db, owner.workspace_id, datetime.now(UTC))
    social, crm = rows.connection(), rows.connection(kind="crm", provider="fakecrm", streams=())
    author = rows.author("ada")
    talk = rows.conversation(social, author)
    rows.task(crm=crm, author=author, conversation=talk, key=KEY, content={"body": "She asked."})
    found = Differences()
    found.add(compare.STALE, [f"30000010409 ({KEY})", f"30000010410 (unanswered-{uuid4().hex})"])
    [told] = map(json.loads, compare.rows_of(held, owner.workspace_id, found))
    assert (told["task"]["key"], told["conversation"]["id"]) == (KEY, str(talk))
    assert "She asked." not in json.dumps(told)
