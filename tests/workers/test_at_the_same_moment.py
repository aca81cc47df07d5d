"""What happens while somebody is deciding is not lost on them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.store import deciding, due
from tests.service.locks import waits_for_a_lock
from tests.workers.conftest import World


@pytest.mark.parametrize("what", ["an answer", "a deletion"])
def test_what_comes_while_a_wait_is_being_decided_has_it_decided_again(connected: World, what: str) -> None:
    """It was due already, and whoever decides it has read its posts before these changed."""
    connected.says("@brand Do you ship to Porto?", id="q1")
    connected.run()
    assert len(connected.in_crm()) == 1
    if what == "an answer":
        connected.answers("We do.", id="r1", to="q1")
    else:
        connected.social.delete("q1")
    workspace, db = connected.workspace_id, connected.runtime.db
    with db.tenant(workspace) as session:
        due.decide_conversations(session, workspace, conversation_ids=[connected.task().conversation_id or workspace])
    connected.due("own" if what == "an answer" else "recheck")
    pulls = [each for each in connected.claim() if each.job == "pull"]

    with ThreadPoolExecutor(1) as pool:
        with db.tenant(workspace) as session:
            [talk] = deciding.due_conversations(session, workspace, connected.now, 10)
            news = pool.submit(lambda: [connected.work(each) for each in pulls])
            while not (news.done() or waits_for_a_lock(connected.runtime)):
                pass
            deciding.save_conversations(session, workspace, [(talk.id, None, None, [])], settings=1, now=connected.now)
        news.result()
    connected.run()

    assert connected.in_crm() == []
