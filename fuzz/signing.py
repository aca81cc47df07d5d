"""Signing in at each provider, whose every answer is drawn from its own words; and an issuer of ours, which signs whatever it is told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any

import responses
from hypothesis import strategies as st

from fuzz import odd
from fuzz.providers import EndlessError, Stranger, changed_answers, lawful, storable
from fuzz.target import Find, Target, bounded
from integrations import errors, oauth
from integrations.hosts import resolve
from integrations.openid import OpenID
from integrations.provider import Access, App, Consent, OAuth2, Secret, Setting
from integrations.records import Author
from integrations.registry import AnyProvider, providers
from tests.integrations import issuer as fake
from tests.integrations.contract.line import Fault, Request, Work, answer, tapped

CALLS = 200
CODE, SECRET, TOKEN = "code-that-is-spent-once", "a-client-secret-of-ours", "a-token-that-is-secret"


def targets() -> Iterator[Target]:
    """The ways of signing in of every provider, consents in a provider's own steps, and single sign-on."""
    for key, provider in providers().items():
        packages = (f"integrations.{provider.kind}.{key}", "integrations.oauth", "integrations.graph.login")
        yield Target(f"signing in/{key}", odd.about(packages, _answers), partial(_signing, provider))
        if isinstance(provider.auth, Consent):
            yield Target(
                f"consents/{key}", odd.about(packages, changed_answers), partial(_consenting, provider, provider.auth)
            )
    yield Target("signing in/single sign-on", _claims(), _identifying)


def _answers(words: tuple[str, ...]) -> st.SearchStrategy[Any]:
    body = st.one_of(
        st.dictionaries(st.sampled_from(words), odd.values(words), max_size=8),
        st.dictionaries(st.sampled_from(words), odd.values(words), max_size=4).map(lambda more: {"access_token": "t" * 20, **more}),
        odd.values(words),
    ).map(lambda value: odd.as_bytes(value).decode("latin-1"))  # fmt: skip
    one = st.fixed_dictionaries(
        {"status": st.one_of(st.just(200), st.sampled_from(odd.STATUSES)), "headers": odd.headers, "body": st.one_of(body, body, odd.octets)}
    )  # fmt: skip
    return st.fixed_dictionaries({"do": st.integers(0, 20), "answers": st.lists(one, min_size=1, max_size=4),
                                  "callback": st.dictionaries(st.sampled_from(("code", "state", "iss", "error", "error_description", "scope")), odd.text, max_size=4)})  # fmt: skip


@contextmanager
def _signing(provider: AnyProvider) -> Iterator[Callable[[Any], None]]:
    with tapped() as wire:

        def check(given: Any) -> None:
            sent: list[Request] = []
            size = sum(len(each["body"]) for each in given["answers"])

            def act(request: Request, work: Work) -> Any:
                sent.append(request)
                if len(sent) > CALLS:
                    raise EndlessError(f"more than {CALLS} calls for one input")
                it = given["answers"][min(len(sent), len(given["answers"])) - 1]
                return answer(request, it["status"], it["body"].encode("latin-1"), {"Content-Type": "application/json", **it["headers"]})  # fmt: skip

            wire.fail_all(Fault(act, errors.IntegrationError))
            steps = _steps(provider, given["callback"])
            with bounded(lambda: size):
                try:
                    storable(steps[given["do"] % len(steps)]())
                except EndlessError as error:
                    raise Find(str(error)) from None
                except errors.IntegrationError as error:
                    if any(secret in f"{error} {error!r}" for secret in (SECRET, TOKEN, CODE)):
                        raise Find(f"a secret is told in {type(error).__name__}") from None

        yield check


@contextmanager
def _consenting(provider: AnyProvider, auth: Consent) -> Iterator[Callable[[Any], None]]:
    """A consent in the provider's own steps, with somebody who consents and a server that answers well, but for what is changed in the
    answers to the last step. Whom to ask stands in the provider's tests folder: `authority.consenting`."""
    authority = import_module(f"tests.integrations.{provider.kind}.{provider.key}.authority")
    with authority.consenting() as (setting, consents), tapped() as wire:

        def check(given: Any) -> None:
            begun = auth.begin(setting, "state")
            query = consents(begun.authorize_url)
            kept = json.loads(json.dumps(dict(begun.kept)))  # as the service keeps it
            finish = partial(auth.finish, setting, kept, query)
            last = given["do"] % 4
            held = finish() if last > 1 else {}
            steps: tuple[Callable[[], Any], ...] = (
                partial(auth.begin, setting, "state"),
                finish,
                partial(auth.refresh, setting, held),
                partial(auth.revoke or auth.refresh, setting, held),
            )
            stranger = Stranger(given)
            wire.fail_all(Fault(stranger.act, errors.IntegrationError))
            try:
                with bounded(lambda: stranger.size):
                    lawful(lambda: [steps[last]()], stranger)
            finally:
                wire.mend()

        yield check


class _Held(dict[str, Any]):
    """Credentials as a provider kept them: under any name that it asks for there is something."""

    def __missing__(self, name: str) -> str:
        return f"https://{name.replace('_', '-')}.example"


def _steps(provider: AnyProvider, callback: Mapping[str, str]) -> list[Callable[[], Any]]:
    """Every step of signing in, of renewing and of looking around that the manifest has."""
    form = {each.name: each.default or "somewhere.example" for each in (*provider.form, *provider.also_form)}
    app = App("client-id", SECRET)
    setting = Setting(
        app, resolve(provider, app, form), form, "https://warmline.example", "https://warmline.example/back"
    )
    held = _Held({"access_token": TOKEN, "refresh_token": TOKEN + "-2", "scope": "read", **form})
    access = Access(setting.hosts, held, Author("1", "ada"), form, app=app, base_url=setting.base_url)
    steps: list[Callable[[], Any]] = [lambda: provider.client(replace(access, account=None)).whoami()]
    for auth in filter(None, (provider.auth, provider.also)):
        steps += _ways(provider.name, auth, setting, held, callback)
    if provider.accounts:
        steps.append(partial(provider.accounts, access))
    if provider.check:
        steps.append(partial(provider.check, access))
    return steps


def _ways(name: str, auth: OAuth2 | Consent | Secret, setting: Setting, held: Mapping[str, Any], callback: Mapping[str, str]) -> Iterator[Callable[[], Any]]:  # fmt: skip
    if isinstance(auth, OAuth2):
        yield lambda: oauth.finish(name, auth, setting, {"verifier": "v" * 43}, {"code": CODE, **callback})
        yield lambda: oauth.refresh(name, auth, setting, held)
        yield lambda: oauth.revoke(name, auth, setting, held)
        if auth.exchange:
            yield partial(auth.exchange, setting, held)
        if auth.register:
            yield partial(auth.register, setting)
        if auth.knows:
            yield partial(auth.knows, setting)
    if isinstance(auth, Consent):
        yield lambda: auth.begin(setting, "state")
    if isinstance(auth, Secret):
        if auth.sign_in:
            yield partial(auth.sign_in, setting, held)
        if auth.refresh:
            yield partial(auth.refresh, setting, held)
    revoke = getattr(auth, "revoke", None)
    if revoke:
        yield lambda: revoke(setting, held)


# --- single sign-on ---------------------------------------------------------------------------------------------

CLAIMS = ("iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "auth_time", "email", "email_verified", "amr", "acr")  # fmt: skip


def _claims() -> st.SearchStrategy[Any]:
    words = (*CLAIMS, "kid", "alg", "typ", "crit", "b64", "jwk", "keys", "kty", "use", "n", "e", "x", "y", "crv", "access_token", "id_token", "issuer", "token_endpoint", "jwks_uri", "authorization_endpoint",
             "token_endpoint_auth_methods_supported", "authorization_response_iss_parameter_supported")  # fmt: skip
    some = st.dictionaries(st.sampled_from(words), odd.values(words), max_size=3)
    return st.fixed_dictionaries(
        {"claims": some, "metadata": some, "keys": st.one_of(st.none(), st.none(), odd.values(words)), "token": st.one_of(st.none(), st.none(), odd.text),
         "callback": st.dictionaries(st.sampled_from(("code", "iss", "error", "state")), odd.text, max_size=2)}
    )  # fmt: skip


@contextmanager
def _identifying() -> Iterator[Callable[[Any], None]]:
    key = fake.ec()

    def check(given: Any) -> None:
        there = fake.Issuer(
            key, alg="ES256", metadata=given["metadata"], change=lambda claims: {**claims, **given["claims"]}
        )
        if given["token"] is not None:
            there.sign = lambda _: given["token"]
        if given["keys"] is not None:
            there._keys = lambda _: (200, {}, json.dumps(given["keys"]))
        here = OpenID(fake.ISSUER, fake.CLIENT, fake.SECRET, fake.CALLBACK)
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mock, bounded(lambda: 0):
            there.answer(mock)
            with suppress(errors.IntegrationError):
                back = there.consent(here.begin(state="s", nonce="n" * 43, verifier="v" * 43))
                who = here.finish({**back, **given["callback"]}, nonce="n" * 43, verifier="v" * 43)
                storable(who)

    yield check
