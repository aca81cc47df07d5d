"""Posts that are handed in, from places that Warmline cannot read itself: a forum, reviews, a network that forbids it."""

from __future__ import annotations

from collections.abc import Sequence

from integrations.clients import SocialClient
from integrations.provider import HANDED_IN, Access, Account, FormField, Install, Provider, Secret
from integrations.records import Author
from integrations.social.capture.client import CaptureClient, place_of


def _accounts(access: Access) -> Sequence[Account]:
    place = place_of(access)
    return [Account(Author(id=place, handle=place, name=place), host=place)]


PROVIDER: Provider[SocialClient] = Provider(
    key="capture",
    kind="social",
    name="Another place",
    hosts={},
    auth=Secret(),
    client=CaptureClient,
    accounts=_accounts,
    streams=(),
    form=(FormField("place", "Name of the place", "As your colleagues call it: Rider forum, Shop reviews."),),
    capabilities=frozenset({HANDED_IN}),
    install=Install(
        reads=("Nothing is fetched. Posts come in through the API, or are pasted in by hand under Add by hand.",),
        writes=("Nothing is written there.",),
        removal=("Disconnect the place. A post that is gone at its source is erased through the API, or by hand.",),
    ),
    about="Posts that another system hands in through the API, from places that Warmline cannot read: a forum, reviews.",
)
