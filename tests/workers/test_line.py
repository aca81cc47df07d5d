"""What a job hears where credentials are refused and there is nothing to renew them with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from integrations.errors import AuthenticationError
from integrations.oauth import NothingToRenewWithError
from integrations.provider import Access
from service import speaking
from service.credentials import Held
from service.models import Connection
from service.runtime import Runtime
from workers.access import Line


def refused(_: object) -> None:
    raise AuthenticationError("The person who connected it has removed the app")


def line(monkeypatch: pytest.MonkeyPatch, renewing: Exception) -> Line:
    def access_of(*_: Any, refused: int | None, **__: object) -> tuple[Access, Held]:
        if refused is not None:
            raise renewing
        return Access({}, {}), Held({}, 1)

    monkeypatch.setattr(speaking, "access_of", access_of)
    return Line(cast(Runtime, None), Connection(provider="capture"))


@pytest.mark.parametrize("speak", [Line.speak, Line.access])
def test_a_refusal_is_told_in_the_words_of_whoever_refused(
    monkeypatch: pytest.MonkeyPatch, speak: Callable[[Line, Callable[[Any], None]], None]
) -> None:
    with pytest.raises(AuthenticationError, match="has removed the app"):
        speak(line(monkeypatch, NothingToRenewWithError("it gave no refresh token")), refused)


def test_where_renewing_was_refused_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(AuthenticationError, match="Token revoked"):
        line(monkeypatch, AuthenticationError("Token revoked")).speak(refused)
