"""An author and a contact side by side: what every kind of evidence is read from."""

from __future__ import annotations

from msgspec import Struct

from integrations.records import Contact
from service.rules.matching.naming import Likeness
from service.rules.matching.person import ContactName
from service.rules.matching.profile import Profile
from service.rules.matching.rarity import Commonness


class Pair(Struct, frozen=True):
    """`shared` are the identifiers (keys that are no names) that both have; `like` is how far the names agree."""

    profile: Profile
    contact: Contact
    name: ContactName
    shared: frozenset[str]
    like: Likeness
    seen: Commonness
