"""An author and a contact side by side: what they have in common, and what every kind of evidence is read from."""

from __future__ import annotations

from msgspec import Struct

from integrations.records import Contact
from service.rules.matching.naming import Likeness, Shown
from service.rules.matching.person import ContactName
from service.rules.matching.profile import Profile
from service.rules.matching.rarity import Commonness
from service.rules.model import Candidate


class Met(Struct, frozen=True):
    """An author and a candidate who have something in common, before anybody asks how common that is. `shared` are the identifiers (keys
    that are no names) that both have; `shown` is how much of the name the author's display name shows; `doubted` are handles (as
    `handles.plain` has them) that somebody else may have or have had, so that they decide nothing."""

    profile: Profile
    candidate: Candidate
    name: ContactName
    shared: frozenset[str]
    shown: Shown
    doubted: frozenset[str] = frozenset()


class Pair(Struct, frozen=True):
    """`shared` and `doubted` as above; `like` is how far the names agree; `mailbox` the author's handle, where an address of the contact
    begins with it."""

    profile: Profile
    contact: Contact
    name: ContactName
    shared: frozenset[str]
    like: Likeness
    seen: Commonness
    doubted: frozenset[str] = frozenset()
    mailbox: str = ""
