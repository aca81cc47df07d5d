"""Who gets a task: a responder answers, the contact's owner calls."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.records import TaskKind
from service.rules.model import Held, OwnerRef

# In which order the two are asked for.
ORDER = {
    TaskKind.UNANSWERED: ("responder", "contact_owner"),
    TaskKind.READY_FOR_CALL: ("contact_owner", "responder"),
}


def route(
    kind: TaskKind, *, responder_email: str, contact_owner_id: str | None, owners: Sequence[OwnerRef]
) -> OwnerRef | Held:
    """The owner in the CRM whom a task of this kind goes to. `responder_email` is the connection's responder, compared
    without regard to case; only active owners count. Held, with what to do about it, where there is nobody."""
    active = [owner for owner in owners if owner.active]
    email = responder_email.strip().casefold()
    found = {
        "responder": next((owner for owner in active if email and owner.email.strip().casefold() == email), None),
        "contact_owner": next((owner for owner in active if owner.owner_id == contact_owner_id), None),
    }
    return next((owner for who in ORDER[kind] if (owner := found[who])), None) or Held(_nobody(responder_email.strip()))


def _nobody(email: str) -> str:
    if not email:
        return "Nobody can be given this task. Set a responder for the connection who is an active user of the CRM."
    return (
        f"Nobody can be given this task: {email} is not an active user of the CRM. "
        "Add them there, or set another responder for the connection."
    )
