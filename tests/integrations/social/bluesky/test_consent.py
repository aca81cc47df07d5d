from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from joserfc.jwk import ECKey

from integrations import errors
from integrations.provider import Access, App, Setting
from integrations.social.bluesky import consent, registration
from tests.integrations.social.bluesky.authority import BASE, CALLBACK, ISSUER, Authority, setting
from tests.integrations.social.bluesky.wire import BOB, HOSTS, PDS, US

STATE = "the-state-of-this-consent"
DEVELOPMENT = "http://127.0.0.1:8000"
PEM = ECKey.generate_key("P-256", private=True).as_pem(private=True).decode()
OTHER_PEM = ECKey.generate_key("P-256", private=True).as_pem(private=True).decode()


def connect(authority: Authority, given: Setting | None = None, **instead: str) -> dict[str, Any]:
    given = given or setting(account=US.handle)
    begun = consent.begin(given, STATE)
    kept = json.loads(json.dumps(dict(begun.kept)))  # as the service keeps it
    return dict(consent.finish(given, kept, authority.consent(begun.authorize_url, **instead)))


# --- the whole way ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", [US.handle, f"@{US.handle.upper()}", f" {US.handle}. ", US.id])
def test_a_handle_or_a_did_leads_to_the_server_that_signs_the_account_in(authority: Authority, typed: str) -> None:
    held = connect(authority, setting(account=typed))
    assert (held["did"], held["pds"], held["issuer"]) == (US.id, PDS, ISSUER)
    assert held["access_token"]
    assert held["refresh_token"] == authority.refresh
    ends = datetime.fromisoformat(held["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=59) < ends <= timedelta(minutes=60)


def test_a_server_may_be_named_instead_and_whoever_signs_in_there_is_connected(authority: Authority) -> None:
    authority.signs_in = BOB
    assert connect(authority, setting(account=PDS))["did"] == BOB
    assert "login_hint" not in authority.forms("/oauth/par")[-1]


def test_a_server_that_is_no_pds_is_taken_for_one_that_signs_people_in(authority: Authority) -> None:
    assert connect(authority, setting(account=ISSUER))["did"] == US.id


def test_nothing_typed_means_bluesky_s_own_server(mock: responses.RequestsMock) -> None:
    asked = Authority(trusts={consent.DEFAULT_SERVER: ISSUER})
    asked.serve(mock)
    begun = consent.begin(setting(), STATE)
    assert begun.authorize_url.startswith(f"{ISSUER}/oauth/authorize?")


def test_the_page_is_told_who_is_expected(authority: Authority) -> None:
    consent.begin(setting(account=f"@{US.handle}"), STATE)
    assert authority.forms("/oauth/par")[-1]["login_hint"] == US.handle


def test_the_request_goes_ahead_of_the_browser_and_holds_the_state_and_a_challenge(authority: Authority) -> None:
    begun = consent.begin(setting(account=US.handle), STATE)
    query = parse_qs(urlsplit(begun.authorize_url).query)
    assert sorted(query) == ["client_id", "request_uri"]
    form = authority.forms("/oauth/par")[-1]
    assert (form["state"], form["redirect_uri"]) == (STATE, CALLBACK)
    assert begun.kept["verifier"] not in json.dumps(form)


def test_only_reading_is_asked_for(authority: Authority) -> None:
    held = connect(authority)
    asked = authority.forms("/oauth/par")[-1]["scope"].split()
    assert asked == list(registration.SCOPES)
    assert not [
        scope for scope in asked if scope.startswith(("transition:", "repo:", "blob:", "account:", "identity:"))
    ]
    assert held["scope"].split() == asked


def test_a_server_from_before_these_scopes_is_asked_for_its_own_and_nothing_stops_for_that(
    authority: Authority,
) -> None:
    authority.older = True
    held = connect(authority)
    granted = held["scope"].split()
    assert set(registration.OLDER_SCOPES) <= set(granted)
    assert {*registration.READ, *registration.CHAT} <= set(granted)


def test_each_refusal_for_want_of_a_nonce_is_answered_once(authority: Authority) -> None:
    connect(authority)
    assert len(authority.forms("/oauth/par")) == 2
    assert len(authority.forms("/oauth/token")) == 2


# --- what must not be believed ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("named", ["https://evil.example", ""])
def test_an_answer_by_another_server_connects_nothing(authority: Authority, named: str) -> None:
    with pytest.raises(errors.AuthenticationError, match="another server"):
        connect(authority, iss=named)
    assert not authority.forms("/oauth/token")


def test_an_account_that_was_not_asked_for_connects_nothing(authority: Authority) -> None:
    authority.signs_in = BOB
    with pytest.raises(errors.AuthenticationError, match="another account"):
        connect(authority)


def test_a_server_cannot_answer_for_an_account_that_lives_elsewhere(
    authority: Authority, mock: responses.RequestsMock
) -> None:
    elsewhere = "https://pds.elsewhere.example"
    authority.trusts[elsewhere] = "https://entry.elsewhere.example"
    authority.at(mock, elsewhere)
    authority.documents[BOB] = authority.document(BOB, "bob.example", elsewhere)
    authority.signs_in = BOB
    with pytest.raises(errors.AuthenticationError, match="does not live"):
        connect(authority, setting(account=PDS))


@pytest.mark.parametrize("sub", ["", "did:key:z6Mk", "../../etc", 7])
def test_an_account_that_is_none_connects_nothing(authority: Authority, sub: object) -> None:
    authority.answer = {"sub": sub}
    with pytest.raises(errors.AuthenticationError):
        connect(authority, setting(account=PDS))


@pytest.mark.parametrize("instead", [{"token_type": "Bearer"}, {"scope": "openid"}, {"scope": None}])
def test_a_token_that_is_not_bound_to_our_key_or_not_of_this_network_is_not_used(
    authority: Authority, instead: dict[str, Any]
) -> None:
    authority.answer = instead
    with pytest.raises(errors.PermissionDeniedError):
        connect(authority)


@pytest.mark.parametrize("lifetime", [None, "soon", 1e400, []])
def test_a_token_that_does_not_say_when_it_ends_is_kept_all_the_same(authority: Authority, lifetime: object) -> None:
    held = connect(authority)
    authority.answer = {"expires_in": lifetime}
    fresh = consent.refresh(setting(), held)
    assert fresh["expires_at"] is None
    assert fresh["refresh_token"] == authority.refresh  # the old one is spent: this must not be lost


def test_what_a_renewal_leaves_out_stays_as_it_was(authority: Authority) -> None:
    held = connect(authority)
    authority.answer = {"scope": None, "refresh_token": None, "token_type": None}
    fresh = consent.refresh(setting(), held)
    assert (fresh["scope"], fresh["refresh_token"]) == (held["scope"], held["refresh_token"])
    assert fresh["access_token"] != held["access_token"]


def test_a_server_that_calls_itself_otherwise_is_not_asked(authority: Authority) -> None:
    authority.replies["/.well-known/oauth-authorization-server"] = (
        200,
        {},
        json.dumps({"issuer": "https://evil.example"}),
    )
    with pytest.raises(errors.UnexpectedResponseError, match="describe itself"):
        consent.begin(setting(account=US.handle), STATE)


@pytest.mark.parametrize(
    "endpoint",
    ["http://entry.example/par", "ftp://entry.example", "", "javascript:alert(1)", 5,
     "https://entry.example/par\r\nSet-Cookie: a=b", "https://entry.example/a b", "https://me@entry.example/par"],
)  # fmt: skip
def test_endpoints_without_https_are_not_called(authority: Authority, endpoint: object) -> None:
    names = ("authorization_endpoint", "token_endpoint", "pushed_authorization_request_endpoint")
    for name in names:
        document = dict.fromkeys(names, f"{ISSUER}/x") | {"issuer": ISSUER, name: endpoint}
        authority.replies["/.well-known/oauth-authorization-server"] = (200, {}, json.dumps(document))
        with pytest.raises(errors.InvalidRequestError):
            consent.begin(setting(account=US.handle), STATE)


def test_a_consent_that_was_refused_is_a_plain_sentence(authority: Authority) -> None:
    with pytest.raises(errors.AuthenticationError, match="refused"):
        connect(authority, error="access_denied")
    with pytest.raises(errors.AuthenticationError, match=r"gave no access \(server_error\)"):
        connect(authority, error="server_error")
    with pytest.raises(errors.AuthenticationError, match=r"without an answer\. Start again"):
        connect(authority, code="")
    assert not authority.forms("/oauth/token")


@pytest.mark.parametrize(
    "typed", ["no spaces here", "localhost", "127.0.0.1", "-a.example", "a..example", "ftp://x.example"]
)
def test_what_is_neither_a_handle_nor_a_server_says_what_to_type(authority: Authority, typed: str) -> None:
    with pytest.raises(errors.NotFoundError, match="neither a handle"):
        consent.begin(setting(account=typed), STATE)


@pytest.mark.parametrize(
    "typed", ["http://pds.example", "https://u:p@pds.example", "https://pds.example/path", "https://", "https://[::1"]
)
def test_an_address_that_is_no_server_s_is_not_called(authority: Authority, typed: str) -> None:
    with pytest.raises(errors.InvalidRequestError):
        consent.begin(setting(account=typed), STATE)
    assert not authority.sent


def test_a_code_is_spent_once(authority: Authority) -> None:
    given = setting(account=US.handle)
    begun = consent.begin(given, STATE)
    query = authority.consent(begun.authorize_url)
    consent.finish(given, begun.kept, query)
    with pytest.raises(errors.AuthenticationError):
        consent.finish(given, begun.kept, query)


# --- refreshing ------------------------------------------------------------------------------------------------------------


def test_a_refresh_brings_new_tokens_and_keeps_the_key(authority: Authority) -> None:
    held = connect(authority)
    fresh = consent.refresh(setting(), held)
    assert fresh["refresh_token"] == authority.refresh != held["refresh_token"]
    assert fresh["access_token"] != held["access_token"]
    assert {name: fresh[name] for name in ("dpop_key", "issuer", "pds", "did")} == {
        name: held[name] for name in ("dpop_key", "issuer", "pds", "did")
    }


def test_a_token_that_was_spent_is_the_end_of_the_consent(authority: Authority) -> None:
    held = connect(authority)
    consent.refresh(setting(), held)
    with pytest.raises(errors.AuthenticationError, match="no longer accepts"):
        consent.refresh(setting(), held)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, '{"error": "invalid_grant"}', errors.AuthenticationError),
        (400, '{"error": "invalid_client"}', errors.InvalidRequestError),
        (401, '{"error": "invalid_client", "error_description": "Key not found"}', errors.InvalidRequestError),
        (400, '{"error": "invalid_request"}', errors.InvalidRequestError),
        (400, '{"error": "invalid_dpop_proof"}', errors.InvalidRequestError),
        (400, '{"error": "use_dpop_nonce"}', errors.TemporaryError),
        (400, "<html>a proxy</html>", errors.TemporaryError),
        (401, "", errors.TemporaryError),
        (403, "[]", errors.TemporaryError),
        (429, "{}", errors.RateLimitError),
        (500, '{"error": "server_error"}', errors.TemporaryError),
        (502, "<html>", errors.TemporaryError),
        (200, "{}", errors.UnexpectedResponseError),
        (200, "17", errors.UnexpectedResponseError),
    ],
)
def test_only_an_answer_about_the_grant_ends_a_consent(
    authority: Authority, status: int, body: str, error: type[Exception]
) -> None:
    held = connect(authority)
    authority.replies["/oauth/token"] = (status, {"Content-Type": "application/json"}, body)
    with pytest.raises(error):
        consent.refresh(setting(), held)


def test_a_refresh_token_is_never_quoted(authority: Authority) -> None:
    held = connect(authority)
    echo = json.dumps({"error": "invalid_grant", "error_description": f"Unknown token {held['refresh_token']}"})
    authority.replies["/oauth/token"] = (400, {}, echo)
    with pytest.raises(errors.AuthenticationError) as raised:
        consent.refresh(setting(), held)
    assert held["refresh_token"] not in str(raised.value)


def test_an_account_that_moved_within_its_server_is_followed(
    authority: Authority, mock: responses.RequestsMock
) -> None:
    held = connect(authority)
    new = "https://morel.example"
    authority.trusts[new] = ISSUER
    authority.at(mock, new)
    authority.documents[US.id] = authority.document(US.id, US.handle, new)
    assert consent.refresh(setting(), held)["pds"] == new


def test_an_account_that_moved_away_has_to_be_connected_again_and_spends_nothing(
    authority: Authority, mock: responses.RequestsMock
) -> None:
    held = connect(authority)
    new = "https://pds.elsewhere.example"
    authority.trusts[new] = "https://entry.elsewhere.example"
    authority.at(mock, new)
    authority.documents[US.id] = authority.document(US.id, US.handle, new)
    with pytest.raises(errors.AuthenticationError, match="moved"):
        consent.refresh(setting(), held)
    assert authority.refresh == held["refresh_token"]


def test_a_directory_that_is_down_does_not_stop_a_refresh(authority: Authority) -> None:
    held = connect(authority)
    authority.replies[f"/{US.id}"] = (503, {}, "")
    assert consent.refresh(setting(), held)["pds"] == PDS


def test_a_refresh_for_somebody_else_is_not_believed(authority: Authority) -> None:
    held = connect(authority)
    authority.answer = {"sub": BOB}
    with pytest.raises(errors.AuthenticationError, match="another account"):
        consent.refresh(setting(), held)


def test_credentials_without_a_refresh_token_have_run_out(authority: Authority) -> None:
    authority.answer = {"refresh_token": None}
    with pytest.raises(errors.AuthenticationError, match="run out"):
        consent.refresh(setting(), connect(authority))


# --- leaving -----------------------------------------------------------------------------------------------------------------


def test_disconnecting_takes_the_consent_back(authority: Authority) -> None:
    held = connect(authority)
    consent.revoke(setting(), held)
    assert authority.revoked == [held["refresh_token"]]


@pytest.mark.parametrize(
    ("path", "reply", "error"),
    [
        ("/oauth/revoke", (500, {}, ""), errors.TemporaryError),
        ("/.well-known/oauth-authorization-server", (404, {}, ""), errors.NotFoundError),
    ],
)
def test_a_server_that_takes_no_notice_is_not_said_to_have(
    authority: Authority, path: str, reply: Any, error: type[Exception]
) -> None:
    held = connect(authority)
    authority.replies[path] = reply
    with pytest.raises(error):
        consent.revoke(setting(), held)
    assert authority.revoked == []


def test_a_consent_page_may_have_parameters_of_its_own(authority: Authority) -> None:
    names = ("authorization_endpoint", "token_endpoint", "pushed_authorization_request_endpoint")
    document = {"issuer": ISSUER, **dict.fromkeys(names, f"{ISSUER}/oauth/par")}
    document["authorization_endpoint"] = f"{ISSUER}/oauth/authorize?tenant=1"
    authority.replies["/.well-known/oauth-authorization-server"] = (200, {}, json.dumps(document))
    query = parse_qs(urlsplit(consent.begin(setting(account=US.handle), STATE).authorize_url).query)
    assert query["tenant"] == ["1"]
    assert {"client_id", "request_uri"} <= query.keys()


def test_a_server_without_a_way_of_taking_back_says_so(authority: Authority) -> None:
    held = connect(authority)
    names = ("authorization_endpoint", "token_endpoint", "pushed_authorization_request_endpoint")
    document = {"issuer": ISSUER, **dict.fromkeys(names, f"{ISSUER}/x")}
    authority.replies["/.well-known/oauth-authorization-server"] = (200, {}, json.dumps(document))
    with pytest.raises(errors.NotFoundError, match="no way"):
        consent.revoke(setting(), held)


def test_a_consent_that_is_not_used_is_given_back_at_once(authority: Authority) -> None:
    authority.signs_in = BOB
    with pytest.raises(errors.AuthenticationError, match="another account"):
        connect(authority)
    assert authority.revoked == [authority.refresh]
    authority.replies["/oauth/revoke"] = (500, {}, "")
    with pytest.raises(errors.AuthenticationError, match="another account"):
        connect(authority)


# --- who we are ---------------------------------------------------------------------------------------------------------------


def test_a_public_client_is_known_by_its_document_and_signs_nothing(authority: Authority) -> None:
    connect(authority)
    form = authority.forms("/oauth/token")[-1]
    assert form["client_id"] == f"{BASE}/.well-known/warmline/bluesky/client-metadata.json"
    assert "client_assertion" not in form


def test_a_confidential_client_signs_every_request_with_its_key(authority: Authority) -> None:
    authority.app = App(options={"private_key": PEM})
    held = connect(authority, setting(private_key=PEM, account=US.handle))
    consent.refresh(setting(private_key=PEM), held)
    signed = [form["client_assertion"] for path in ("/oauth/par", "/oauth/token") for form in authority.forms(path)]
    assert (
        len(set(signed)) == len(signed) == 6
    )  # a server may take each signature once, also those of what it sent back
    assert held["client_key"] == ECKey.import_key(PEM).thumbprint()


def test_a_session_stays_with_the_key_that_it_began_with_while_that_is_kept(authority: Authority) -> None:
    authority.app = App(options={"private_key": PEM})
    held = connect(authority, setting(private_key=PEM, account=US.handle))
    both = f"{OTHER_PEM}\n{PEM}"
    authority.app = App(options={"private_key": both})
    given = setting(private_key=both)
    for kid, signs in ((held["client_key"], PEM), ("", OTHER_PEM), ("a key that is gone", OTHER_PEM)):
        key = registration.signing_key(given, kid)
        assert key is not None
        assert key.thumbprint() == ECKey.import_key(signs).thumbprint()
    assert consent.refresh(given, held)["refresh_token"] == authority.refresh


def test_on_loopback_it_is_the_development_client(authority: Authority) -> None:
    held = connect(authority, setting(DEVELOPMENT, PEM, account=US.handle))
    form = authority.forms("/oauth/par")[-1]
    query = parse_qs(urlsplit(form["client_id"]).query)
    assert form["client_id"].startswith("http://localhost?")
    assert query["redirect_uri"] == [f"{DEVELOPMENT}/oauth/bluesky/callback"] == [form["redirect_uri"]]
    assert set(form["scope"].split()) <= set(query["scope"][0].split())
    assert held["client_key"] == ""


@pytest.mark.parametrize(
    ("base", "words"), [("http://localhost:8000", "127.0.0.1"), ("http://warmline.example", "https"), ("", "https")]
)
def test_an_address_of_ours_that_no_server_accepts_is_told_before_anybody_is_sent_away(
    authority: Authority, base: str, words: str
) -> None:
    with pytest.raises(errors.InvalidRequestError, match=words):
        consent.begin(setting(base, account=US.handle), STATE)
    assert not authority.forms("/oauth/par")


def test_the_documents_say_what_we_are() -> None:
    public = json.loads(registration.metadata(BASE, App()))
    assert public["client_id"] == f"{BASE}/.well-known/warmline/bluesky/client-metadata.json"
    assert public["redirect_uris"] == [CALLBACK]
    assert (public["token_endpoint_auth_method"], public["dpop_bound_access_tokens"]) == ("none", True)
    assert {*registration.SCOPES, *registration.OLDER_SCOPES} == set(public["scope"].split())
    confidential = json.loads(registration.metadata(BASE, App(options={"private_key": PEM})))
    assert confidential["token_endpoint_auth_method"] == "private_key_jwt"
    assert confidential["jwks_uri"] == f"{BASE}/.well-known/warmline/bluesky/jwks.json"


def test_only_the_public_halves_of_our_keys_are_published() -> None:
    [key, other] = json.loads(registration.jwks(BASE, App(options={"private_key": PEM + OTHER_PEM})))["keys"]
    assert key["kid"] == ECKey.import_key(PEM).thumbprint()
    assert other["kid"] != key["kid"]
    assert "d" not in {*key, *other}
    assert json.loads(registration.jwks(BASE, App())) == {"keys": []}


def test_a_key_on_one_line_is_read_too() -> None:
    assert len(registration.keys_of(App(options={"private_key": PEM.replace("\n", "\\n")}))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----",
        ECKey.generate_key("P-384", private=True).as_pem(private=True).decode(),
        ECKey.generate_key("P-256", private=True).as_pem(private=False).decode(),
    ],
)
def test_a_key_of_another_kind_is_told(text: str) -> None:
    with pytest.raises(errors.InvalidRequestError, match="P-256"):
        registration.keys_of(App(options={"private_key": text}))


def test_a_consent_that_ends_by_itself_says_what_would_change_that(authority: Authority) -> None:
    def told(base: str, held: dict[str, Any]) -> list[str]:
        return list(registration.check(Access(HOSTS, held, base_url=base)))

    [sentence] = told(BASE, connect(authority))
    assert "private_key=@FILE" in sentence
    authority.app = App(options={"private_key": PEM})
    assert told(BASE, connect(authority, setting(private_key=PEM, account=US.handle))) == []
    assert told(DEVELOPMENT, connect(authority, setting(DEVELOPMENT, account=US.handle))) == []
    assert told(BASE, {"access_token": "of an app password's session"}) == []


def test_nothing_secret_is_shown(authority: Authority) -> None:
    given = setting(private_key=PEM, account=US.handle)
    begun = consent.begin(replace(given, app=App()), STATE)
    for text in (repr(begun), begun.authorize_url):
        assert begun.kept["verifier"] not in text
        assert begun.kept["dpop_key"]["d"] not in text
