"""Hosts that somebody types into a request of the API: whatever they mean, the answer is a refusal in a sentence, and nobody inside is called.

Every spelling, through every provider's own calls, is tried in tests/integrations/test_hostile_hosts.py; here is the way to there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import pytest

from integrations import hosts
from integrations.registry import providers
from service import registrations
from service.runtime import Runtime
from tests.integrations import hostile
from tests.integrations.hostile import Inside
from tests.service.api.conftest import Client

SOME = 5  # of so many forms one: they are in order of their kinds, so each kind is among them


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    found = hostile.listening()
    found.lead(monkeypatch)
    yield found
    for each in found.sockets:
        each.close()


def test_no_connection_leads_inside(client: Client, held: Runtime, inside: Inside) -> None:
    named = [each for each in providers().values() if any(field.type == "host" for field in each.form)]
    for each in named:
        registrations.set_app(held, each.key, "client", "a secret of our registration")
    for provider, typed in zip(cycle(named), hostile.forms(inside.port)[::SOME], strict=False):
        [field, *_] = hosts.host_fields(provider)
        form = {each.name: "k-1" for each in provider.form if not each.choices} | {field.name: typed}
        answer = client.post("/connections", {"provider": provider.key, "form": form})
        assert answer.status_code in (201, 400, 422), (typed, answer.text)
        if answer.status_code != 201:  # a page of the provider's own is where its browser goes, and not we
            assert answer.json["detail"].endswith("."), (typed, answer.text)
        assert inside.arrived() == 0, typed


def test_no_calendar_leads_inside(client: Client, inside: Inside) -> None:
    for number, typed in enumerate(hostile.forms(inside.port)[::SOME]):
        answer = client.post("/calendars", {"email": f"o{number}@acme.test", "url": f"https://{typed}/a.ics"})
        assert answer.status_code in (201, 400, 422), (typed, answer.text)
        assert inside.arrived() == 0, typed
