"""OpenID Connect as a relying party: what is asked for, and what of an answer is believed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from joserfc.jwk import ECKey, RSAKey

from integrations import openid
from integrations.errors import IntegrationError, TemporaryError, UnexpectedResponseError
from integrations.openid import Identified, NotSignedInError, OpenID
from tests.integrations import issuer as fake
from tests.integrations.issuer import CALLBACK, CLIENT, ISSUER, SECRET, Claims, Issuer

NONCE, VERIFIER = "n" * 43, "v" * 43


@pytest.fixture(scope="module")
def rsa_key() -> RSAKey:
    return fake.rsa()


@pytest.fixture(scope="module")
def ec_key() -> ECKey:
    return fake.ec()


@pytest.fixture
def there(rsa_key: RSAKey) -> Iterator[Issuer]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        found = Issuer(rsa_key)
        found.answer(mock)
        yield found


@pytest.fixture
def here() -> OpenID:
    return OpenID(ISSUER, CLIENT, SECRET, CALLBACK)


def go(here: OpenID, there: Issuer, *, nonce: str = NONCE, verifier: str = VERIFIER) -> Identified:
    url = here.begin(state="s", nonce=NONCE, verifier=VERIFIER)
    return here.finish(there.consent(url), nonce=nonce, verifier=verifier)


def test_it_is_asked_for_the_code_flow_with_pkce_and_a_nonce_and_for_no_more_than_the_address(
    here: OpenID, there: Issuer
) -> None:
    url = here.begin(state="s", nonce=NONCE, verifier=VERIFIER)
    parts, query = urlsplit(url), dict(parse_qsl(urlsplit(url).query))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/authorize"
    assert query["code_challenge"] != VERIFIER
    assert {name: query[name] for name in ("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge_method")} == {
        "response_type": "code", "client_id": CLIENT, "redirect_uri": CALLBACK, "scope": "openid email", "state": "s", "nonce": NONCE,
        "code_challenge_method": "S256",
    }  # fmt: skip
    assert SECRET not in url


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_who_somebody_is_comes_from_a_token_that_holds(alg: str, here: OpenID, there: Issuer, ec_key: ECKey) -> None:
    if alg == "ES256":
        there.key, there.alg = ec_key, alg
    assert go(here, there) == Identified(ISSUER, "sub-olga", "olga@acme.test", True)


def later(by: int) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **{name: claims[name] + by for name in ("iat", "exp")}}


def without(name: str) -> Callable[[Claims], Claims]:
    return lambda claims: {key: value for key, value in claims.items() if key != name}


WRONG_CLAIMS: dict[str, Callable[[Claims], Claims]] = {
    "another issuer": lambda claims: {**claims, "iss": "https://evil.test"},
    "the issuer with a slash": lambda claims: {**claims, "iss": ISSUER + "/"},
    "another client": lambda claims: {**claims, "aud": "another"},
    "several clients": lambda claims: {**claims, "aud": [CLIENT, "another"], "azp": CLIENT},
    "another authorised party": lambda claims: {**claims, "azp": "another"},
    "another nonce": lambda claims: {**claims, "nonce": "another"},
    "no nonce": without("nonce"),
    "no subject": without("sub"),
    "an empty subject": lambda claims: {**claims, "sub": ""},
    "no audience": without("aud"),
    "no end": without("exp"),
    "no issuer": without("iss"),
    "no instant": without("iat"),
    "run out": later(-1000),
    "made in a far future": lambda claims: {**claims, "nbf": claims["iat"] + 1000},
    "an end that is no number": lambda claims: {**claims, "exp": "soon"},
    "another access token": lambda claims: {**claims, "at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("name", WRONG_CLAIMS)
def test_a_token_that_says_something_else_signs_nobody_in(name: str, here: OpenID, there: Issuer) -> None:
    there.change = WRONG_CLAIMS[name]
    with pytest.raises(NotSignedInError) as refused:
        go(here, there)
    assert "id.test said about you" in str(refused.value)


def test_clocks_may_differ_by_a_minute(here: OpenID, there: Issuer) -> None:
    there.change = later(-330)
    assert go(here, there).subject == "sub-olga"


def with_the_public_key_as_a_secret(there: Issuer, claims: Claims) -> str:
    return fake.keyed(claims, there.key.as_pem(private=False), kid=there.key.kid)


FORGED: dict[str, Callable[[Issuer, Claims], str]] = {
    "unsigned": lambda there, claims: fake.unsigned(claims),
    "by another key under the same name": lambda there, claims: there.signed(claims, fake.rsa(there.key.kid)),
    "by a key that the token brings along": lambda there, claims: _bringing(there, claims),
    "by the public key as a secret": with_the_public_key_as_a_secret,
    "by our client secret": lambda there, claims: fake.keyed(claims, SECRET.encode()),
    "by the shared key that stands among the published ones": lambda there, claims: fake.keyed(
        claims, b"secret", kid="shared"
    ),
    "with a changed body": lambda there, claims: _changed(there.signed(claims), there.signed({**claims, "sub": "x"})),
    "cut off": lambda there, claims: there.signed(claims).rpartition(".")[0],
    "no token": lambda there, claims: "nonsense",
    "nothing": lambda there, claims: "",
}


def _bringing(there: Issuer, claims: Claims) -> str:
    own = fake.rsa("mine")
    return there.signed(claims, own, jwk=own.as_dict(private=False), jku="https://evil.test/keys")


def _changed(one: str, other: str) -> str:
    return ".".join([*one.split(".")[:1], other.split(".")[1], one.split(".")[2]])


@pytest.mark.filterwarnings(
    "ignore"
)  # joserfc warns of keys that are too short for what they are used for, which is the point
@pytest.mark.parametrize("name", FORGED)
def test_a_token_that_the_issuer_did_not_sign_signs_nobody_in(name: str, here: OpenID, there: Issuer) -> None:
    there.sign = lambda claims: FORGED[name](there, claims)
    with pytest.raises(NotSignedInError):
        go(here, there)


def test_a_code_that_was_used_already_is_refused(here: OpenID, there: Issuer) -> None:
    back = there.consent(here.begin(state="s", nonce=NONCE, verifier=VERIFIER))
    here.finish(back, nonce=NONCE, verifier=VERIFIER)
    with pytest.raises(NotSignedInError):
        here.finish(back, nonce=NONCE, verifier=VERIFIER)


def test_a_code_of_another_sign_in_is_refused(here: OpenID, there: Issuer) -> None:
    with pytest.raises(NotSignedInError):
        go(here, there, verifier="w" * 43)
    with pytest.raises(NotSignedInError):
        go(here, there, nonce="m" * 43)


def test_an_answer_of_another_server_is_refused_before_the_code_is_shown_to_anybody(
    here: OpenID, there: Issuer
) -> None:
    for says in ("https://evil.test", ISSUER + "/", ""):
        there.says_iss = says
        with pytest.raises(NotSignedInError, match=r"did not come from id\.test"):
            go(here, there)
    assert there.spent == []
    there.says_iss = ISSUER
    assert go(here, there).subject == "sub-olga"


def test_where_the_issuer_announces_that_it_names_itself_an_answer_without_a_name_is_refused(
    here: OpenID, there: Issuer
) -> None:
    there.metadata = {"authorization_response_iss_parameter_supported": True}
    with pytest.raises(NotSignedInError, match=r"did not come from id\.test"):
        go(here, there)
    there.says_iss = ISSUER
    assert go(here, there).subject == "sub-olga"


def test_an_issuer_that_calls_itself_otherwise_is_not_believed(here: OpenID, there: Issuer) -> None:
    for name in ("https://evil.test", ISSUER + "/", None):
        there.metadata = {"issuer": name}
        with pytest.raises(UnexpectedResponseError, match="calls itself"):
            go(here, there)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "address", ["http://id.test/x", "javascript:alert(1)", "https://user@id.test/x", "/x", "", None]
)
def test_addresses_without_https_are_not_used(name: str, address: str | None, here: OpenID, there: Issuer) -> None:
    there.metadata = {name: address}
    with pytest.raises(UnexpectedResponseError, match=name):
        go(here, there)


def test_an_address_that_the_issuer_has_not_verified_is_not_called_so(here: OpenID, there: Issuer) -> None:
    for verified in (False, None, "true", 1):
        there.email_verified = verified
        assert not go(here, there).email_verified
    there.email_verified, there.email = True, None  # type: ignore[assignment]
    assert go(here, there) == Identified(ISSUER, "sub-olga", "", False)


def test_keys_that_have_changed_are_looked_for_again_and_not_at_every_try(
    here: OpenID, there: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(openid.time, "monotonic", lambda: clock[0])
    go(here, there)
    go(here, there)
    assert there.looked == 1
    there.key = fake.rsa("r2")
    with pytest.raises(NotSignedInError):
        go(here, there)
    clock[0] += openid.KEYS_AGAIN + 1
    assert go(here, there).subject == "sub-olga"
    assert there.looked == 2


def test_a_consent_that_was_refused_is_a_sentence(here: OpenID, there: Issuer) -> None:
    here.begin(state="s", nonce=NONCE, verifier=VERIFIER)
    for params, sentence in (({"error": "access_denied"}, "did not sign you in"), ({}, "without an answer")):
        with pytest.raises(NotSignedInError, match=sentence):
            here.finish(params, nonce=NONCE, verifier=VERIFIER)


def test_an_issuer_that_is_away_is_said_to_be(here: OpenID) -> None:
    with responses.RequestsMock() as mock:
        mock.get(f"{ISSUER}/.well-known/openid-configuration", status=503)
        with pytest.raises(TemporaryError):
            here.begin(state="s", nonce=NONCE, verifier=VERIFIER)


def test_what_it_published_an_hour_ago_will_do_while_it_is_away(
    here: OpenID, there: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr(openid.time, "monotonic", lambda: clock[0])
    here.begin(state="s", nonce=NONCE, verifier=VERIFIER)
    clock[0] += openid.KEPT + 1
    there.metadata = {"issuer": "https://evil.test"}
    assert here.begin(state="s", nonce=NONCE, verifier=VERIFIER).startswith(ISSUER)


@pytest.mark.parametrize("body", ["[]", "nonsense", '{"keys": 7}', '{"keys": [{"kty": "RSA"}]}', "{}"])
def test_keys_that_cannot_be_read_sign_nobody_in(body: str, here: OpenID, rsa_key: RSAKey) -> None:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        there: Any = Issuer(rsa_key)
        mock.get(f"{ISSUER}/keys", body=body)
        there.answer(mock)
        with pytest.raises(IntegrationError):
            go(here, there)


def test_our_secret_is_told_nobody_else(here: OpenID, there: Issuer) -> None:
    assert SECRET not in repr(here) + repr(here.__dict__)
    there.sign = lambda claims: SECRET
    with pytest.raises(NotSignedInError) as refused:
        go(here, there)
    assert SECRET not in str(refused.value)
