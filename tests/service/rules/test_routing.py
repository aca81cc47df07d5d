from __future__ import annotations

import pytest

from integrations.records import TaskKind
from service.rules.model import Held, OwnerRef
from service.rules.routing import route

RUI, EVA, OLD = (
    OwnerRef("1", "rui@warm.test"),
    OwnerRef("2", "Eva@warm.test"),
    OwnerRef("3", "old@warm.test", active=False),
)
OWNERS = (OLD, RUI, EVA)


@pytest.mark.parametrize(
    ("kind", "responder", "contact_owner", "expected"),
    [
        (TaskKind.UNANSWERED, "eva@warm.test", "1", EVA),
        (TaskKind.UNANSWERED, "gone@warm.test", "1", RUI),
        (TaskKind.UNANSWERED, "old@warm.test", "1", RUI),
        (TaskKind.READY_FOR_CALL, "eva@warm.test", "1", RUI),
        (TaskKind.READY_FOR_CALL, " EVA@warm.test ", "3", EVA),
        (TaskKind.READY_FOR_CALL, "eva@warm.test", None, EVA),
    ],
)
def test_a_responder_answers_and_the_contacts_owner_calls(kind, responder, contact_owner, expected):
    assert route(kind, responder_email=responder, contact_owner_id=contact_owner, owners=OWNERS) == expected


@pytest.mark.parametrize(
    ("responder", "says"), [("gone@warm.test", "gone@warm.test is not an active user"), ("", "Set a responder")]
)
def test_where_there_is_nobody_the_task_is_held_with_what_to_do(responder, says):
    held = route(
        TaskKind.UNANSWERED, responder_email=responder, contact_owner_id="3", owners=(*OWNERS[:1], OwnerRef("9", ""))
    )
    assert isinstance(held, Held)
    assert says in held.reason
    assert held.until is None
