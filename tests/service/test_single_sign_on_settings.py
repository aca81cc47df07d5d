"""What the environment may say about single sign-on, and about whose word on addresses is believed."""

from __future__ import annotations

import pytest

from service import config
from service.config import SingleSignOn
from service.errors import PlainError

NAMES = ("WARMLINE_OIDC_ISSUER", "WARMLINE_OIDC_CLIENT_ID", "WARMLINE_OIDC_CLIENT_SECRET", "WARMLINE_OIDC_ONLY", "WARMLINE_ALLOW_HOSTS", "WARMLINE_TRUSTED_PROXIES")  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **values: str) -> config.Config:
    for name, value in values.items():
        monkeypatch.setenv(f"WARMLINE_{name}", value)
    return config.load(follow=False)


def test_without_an_issuer_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).single_sign_on is None
    assert load(monkeypatch, OIDC_ONLY="false").single_sign_on is None


def test_an_issuer_is_named_as_it_names_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch, OIDC_ISSUER="https://id.example.com/realms/acme", OIDC_CLIENT_ID="warmline", OIDC_CLIENT_SECRET="s",
        OIDC_ONLY="true",
    )  # fmt: skip
    assert found.single_sign_on == SingleSignOn("https://id.example.com/realms/acme", "warmline", "s", only=True)
    assert "'s'" not in repr(found)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"OIDC_ISSUER": "https://id.example.com"}, "WARMLINE_OIDC_CLIENT_ID is not set"),
        ({"OIDC_CLIENT_ID": "warmline"}, "WARMLINE_OIDC_ISSUER is not set"),
        ({"OIDC_ONLY": "true"}, "WARMLINE_OIDC_ISSUER is not set"),
        ({"OIDC_CLIENT_SECRET": "very-secret"}, "WARMLINE_OIDC_ISSUER is not set"),
        ({"OIDC_ISSUER": "http://id.example.com", "OIDC_CLIENT_ID": "w"}, "is no address of an issuer"),
        ({"OIDC_ISSUER": "id.example.com", "OIDC_CLIENT_ID": "w"}, "is no address of an issuer"),
        ({"OIDC_ISSUER": "https://u:p@id.example.com", "OIDC_CLIENT_ID": "w"}, "is no address of an issuer"),
        ({"OIDC_ISSUER": "https://id.example.com?x=1", "OIDC_CLIENT_ID": "w"}, "is no address of an issuer"),
        ({"OIDC_ISSUER": "https://id.example.com", "OIDC_CLIENT_ID": "w", "OIDC_ONLY": "perhaps"}, "WARMLINE_OIDC_ONLY has to be true or false"),
    ],
)  # fmt: skip
def test_half_a_setting_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, str], sentence: str
) -> None:
    with pytest.raises(PlainError, match=sentence) as refused:
        load(monkeypatch, **values)
    assert "very-secret" not in str(refused.value)


def test_one_without_https_has_to_be_allowed_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(
        monkeypatch,
        OIDC_ISSUER="http://id.lan:8080/realms/acme",
        OIDC_CLIENT_ID="warmline",
        ALLOW_HOSTS="crm.lan id.lan",
    )
    assert found.single_sign_on


def test_proxies_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).trusted_proxies == ("127.0.0.1",)
    assert load(monkeypatch, TRUSTED_PROXIES="10.0.0.1, 10.0.0.2").trusted_proxies == ("10.0.0.1", "10.0.0.2")
