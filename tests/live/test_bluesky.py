"""Against real servers: the whole way from consent to a task that closes by itself, and what only they can show.

Opt-in (`make test-live`); see `tests.live.bluesky` for what it needs.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask
from joserfc.jwk import ECKey
from werkzeug.serving import WSGIRequestHandler, make_server

from integrations import consents
from integrations.errors import AuthenticationError, InvalidRequestError, PermissionDeniedError, RateLimitError
from integrations.provider import Access, App, Setting
from integrations.records import Engagement, Gone, Kind
from integrations.registry import get
from integrations.social.bluesky import consent, passwords
from integrations.social.bluesky.client import BlueskyClient
from service import accounts, credentials, launcher, registrations
from service.config import Config
from service.db import scheduler_engine
from service.models import Credential
from service.runtime import Runtime
from service.settings_parts import AROUND_THE_CLOCK
from tests.conftest import BASE_URL, make_member
from tests.live.bluesky import CERTIFICATE, KEY, NAME, Network, running
from tests.sandbox_server import outside
from tests.service.console.conftest import words_of
from tests.story.conftest import CLIENT, SECRET, Story
from tests.workers import renewing
from tests.workers.renewing import Workers
from workers import jobs

pytestmark = pytest.mark.rule("live", provider="bluesky")

BRAND, CUSTOMER, BYSTANDER = "acmecorp.test", "alice.test", "bob.test"
NEWCOMER = "carol.test"  # has said nothing yet
ASKED = "Do you ship to Porto, and how long does it take?"
HERE = "http://127.0.0.1:8123"  # nobody listens there: the person's browser is a test client
OLGA = "71"  # the owner in the CRM who connects the accounts
PEM, OTHER_PEM = (ECKey.generate_key("P-256", private=True).as_pem(private=True).decode() for _ in range(2))


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with renewing.playing() as play:
        yield play


def setting(network: Network, base: str = HERE, private_key: str = "", **form: str) -> Setting:
    provider = get("bluesky")
    app = App(hosts=network.hosts, options={"private_key": private_key} if private_key else {})
    hosts = {**provider.hosts, **app.hosts}
    return Setting(app, hosts, form, base, f"{base}/oauth/bluesky/callback", True, ("localhost",))


def consented(network: Network, given: Setting, handle: str = BRAND) -> dict[str, Any]:
    begun = consent.begin(given, "the-state")
    return dict(consent.finish(given, begun.kept, _query(network.consents(begun.authorize_url, handle))))


def client(network: Network, held: Any) -> BlueskyClient:
    return BlueskyClient(Access(setting(network).hosts, held, allow_hosts=("localhost",)))


def _query(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


# --- what is read ------------------------------------------------------------------------------------------------------


def test_all_that_concerns_the_brand_is_read_and_followed(network: Network) -> None:
    reader = client(network, consented(network, setting(network, account=BRAND)))
    ours = network.writes(BRAND, "New vests are in stock 🦺")
    link = {
        "index": {"byteStart": 5, "byteEnd": 22},
        "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://alice.example/a-long-address"}],
    }
    mention = network.writes(CUSTOMER, f"größe? @{BRAND} see alice.example/a-long-a...")
    reply = network.writes(CUSTOMER, "In red too?", to=(ours, ours))
    below = network.writes(BYSTANDER, "I would like red as well", to=(ours, reply))
    quote = network.writes(BYSTANDER, "Look:", quotes=ours)
    linked = network.writes(CUSTOMER, "look alice.example/… here", to=(ours, ours), facets=[link])
    answer = network.writes(BRAND, "In red as well", to=(ours, reply))

    found = {item.id: item for page in reader.pull("mentions", None) for item in page.items}
    kinds = {mention: Kind.MENTION, reply: Kind.REPLY, below: Kind.COMMENT, quote: Kind.QUOTE, linked: Kind.REPLY}
    assert {uri: found[uri].kind for uri in kinds} == kinds
    assert found[reply].author.id == network.did(CUSTOMER)
    assert found[reply].thread == ours
    assert found[linked].text == "look https://alice.example/a-long-address here"
    own = {item.id: item for page in reader.pull("own", None) for item in page.items}
    assert (own[answer].kind, own[answer].in_reply_to) == (Kind.OWN, reply)
    assert own[reply].author.handle == CUSTOMER
    thread = [item.id for page in reader.pull("conversations", None, [ours]) for item in page.items]
    assert set(thread) == {ours, reply, below, linked, answer}
    [parents] = reader.pull("ancestors", None, [ours, f"at://{network.did(CUSTOMER)}/app.bsky.feed.post/3kaaaaaaaaaaa"])
    assert [item.id for item in parents.items] == [ours]

    network.edits(CUSTOMER, reply, "In blue too?")
    network.deletes(BYSTANDER, below)
    answers = {each.id: each for each in reader.recheck([reply, below, quote])}
    assert isinstance(edited := answers[reply], Engagement)
    assert edited.text == "In blue too?"
    assert answers[below] == Gone(below)
    assert isinstance(answers[quote], Engagement)


def test_pages_go_on_where_they_were_left(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.social.bluesky.feeds.BATCH", 2)
    reader = client(network, consented(network, setting(network, account=BRAND)))
    spoken = {network.writes(CUSTOMER, f"@{BRAND} number {number}") for number in range(5)}
    seen: set[str] = set()
    cursor: str | None = None
    for _ in range(20):
        page = next(iter(reader.pull("mentions", cursor)))
        seen |= {item.id for item in page.items}
        cursor = page.cursor
    assert spoken <= seen
    [later, *_] = reader.pull(
        "mentions", '{"v":1,"newest_at":null,"sweep":{"start":null,"place":"garbage","newest_at":null}}'
    )
    assert later.items


def test_direct_messages_are_read_through_the_account_s_server(network: Network) -> None:
    reader = client(network, consented(network, setting(network, account=BRAND)))
    theirs = network.chat.writes(network.did(CUSTOMER), network.did(BRAND), "Can we talk?")
    network.chat.writes(network.did(CUSTOMER), network.did(BYSTANDER), "Not for you")
    [page] = reader.pull("messages", None)
    [item] = page.items
    assert (item.kind, item.text, item.in_reply_to_author) == (Kind.DIRECT, "Can we talk?", network.did(BRAND))
    assert item.id.endswith(f":{theirs}")
    ours = network.chat.writes(network.did(BRAND), network.did(CUSTOMER), "We can")
    [page] = reader.pull("messages", page.cursor)
    assert [each.id.rpartition(":")[2] for each in page.items] == [ours, theirs]


def test_whoever_blocks_the_brand_is_not_shown_any_more(network: Network) -> None:
    reader = client(network, consented(network, setting(network, account=BRAND)))
    post = network.writes(BYSTANDER, f"@{BRAND} hello")
    block = network.blocks(BYSTANDER, BRAND)
    try:
        network._until(lambda: list(reader.recheck([post])) == [Gone(post)])
    finally:
        network.unblocks(BYSTANDER, block)


# --- how one gets in ------------------------------------------------------------------------------------------------------


def test_a_consent_allows_reading_and_nothing_else(network: Network) -> None:
    held = consented(network, setting(network, account=BRAND))
    calls = client(network, held)._reader.calls
    with pytest.raises(PermissionDeniedError) as raised:
        calls.get("app.bsky.feed.getTimeline")
    assert str(raised.value.scope).startswith("rpc:app.bsky.feed.getTimeline")
    assert not [scope for scope in held["scope"].split() if scope.startswith(("repo:", "transition:"))]


def test_a_refused_consent_connects_nothing(network: Network) -> None:
    given = setting(network, account=BRAND)
    begun = consent.begin(given, "the-state")
    back = _query(network.consents(begun.authorize_url, BRAND, reject=True))
    with pytest.raises(AuthenticationError, match="refused"):
        consent.finish(given, begun.kept, back)


def test_somebody_else_cannot_answer_for_the_account_that_was_typed(network: Network) -> None:
    given = setting(network, account=BRAND)
    begun = consent.begin(given, "the-state")
    with pytest.raises(AuthenticationError, match="another account"):
        consent.finish(given, begun.kept, _query(network.consents(begun.authorize_url, CUSTOMER)))


def test_a_token_used_twice_ends_the_session_and_disconnecting_does(network: Network) -> None:
    held = consented(network, setting(network, account=BRAND))
    fresh = consent.refresh(setting(network), held)
    assert client(network, fresh).whoami().handle == BRAND
    with pytest.raises(AuthenticationError):
        client(network, held).whoami()
    consent.revoke(setting(network), fresh)
    with pytest.raises(AuthenticationError):
        consent.refresh(setting(network), fresh)


def test_an_app_password_is_the_second_way_in(network: Network) -> None:
    typed = {"handle": BRAND, "password": network.account(BRAND)["appPassword"]}
    held = passwords.sign_in(setting(network), typed)
    assert client(network, held).whoami().id == network.did(BRAND)
    assert list(client(network, held).pull("mentions", None))
    fresh = passwords.refresh(setting(network), held)
    assert client(network, fresh).whoami().handle == BRAND
    passwords.revoke(setting(network), fresh)
    with pytest.raises(AuthenticationError):
        passwords.refresh(setting(network), fresh)
    with pytest.raises(AuthenticationError, match="app password"):
        passwords.sign_in(setting(network), {**typed, "password": "wrong-wrong-wrong"})
    plain = network._as(BRAND, "com.atproto.server.createAppPassword", name="without messages")["password"]
    with pytest.raises(PermissionDeniedError, match="direct messages"):
        list(client(network, passwords.sign_in(setting(network), {**typed, "password": plain})).pull("messages", None))
    with pytest.raises(AuthenticationError):  # a 400 that says InvalidToken
        client(network, {**fresh, "access_token": "garbage"}).whoami()


# --- Warmline itself -------------------------------------------------------------------------------------------------------


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, base_url=HERE)


class Bluesky(Story):
    """A story in which one of the networks is real."""

    def connects_bluesky(self, network: Network, **fields: Any) -> str:
        ticket = self.presses("/connect/new/bluesky", **fields).location
        away = self.browser.get(urlsplit(ticket).path)
        assert away.status_code == 302, words_of(away)
        back = urlsplit(network.consents(away.location, BRAND))
        arrived = self.browser.get(f"{back.path}?{back.query}")
        assert arrived.status_code == 303, words_of(arrived)
        return self.reads(arrived.location)


@pytest.fixture
def story(
    network: Network, held: Runtime, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bluesky]:
    """A workspace whose owner is signed in at the console; a CRM in the sandbox, and Bluesky's servers."""
    monkeypatch.setattr(jobs, "runtime", lambda: held)
    now = datetime.now(UTC)
    with outside(tmp_path / "sandbox", now) as world:
        world.set(rate_limits=False)
        world.register("hubspot", CLIENT, SECRET, registrations.callback_url(held.config, "hubspot"))
        host = f"{world.url}/hubspot"
        registrations.set_app(held, "hubspot", CLIENT, SECRET, {"api": host, "web": host})
        registrations.set_app(held, "bluesky", "", "", network.hosts)
        owner = make_member(held, "Acme", "olga@acme.test")
        browser = app.test_client()
        link = accounts.signin_link(held.db, owner.email, BASE_URL)
        assert browser.post(urlsplit(link).path).status_code == 303
        cookie = browser.get_cookie("warmline_session")
        who = accounts.caller_of_session(held.db, cookie.value if cookie else "")
        assert who
        world.load(owners=[{"id": OLGA, "email": owner.email, "first_name": "Olga", "last_name": "Owner"}])
        made = Bluesky(
            runtime=held, owner=owner, monkeypatch=monkeypatch, now=now, outside=world, browser=browser, csrf=who.csrf_token
        )  # fmt: skip
        made.passes(timedelta(0))
        yield made
    scheduler_engine(held.config.need("database_scheduler_url")).dispose()


def test_a_question_becomes_a_task_and_an_answer_on_the_network_closes_it(network: Network, story: Bluesky) -> None:
    story.set(preview=False, hours=AROUND_THE_CLOCK)  # whatever the time of this test
    assert f"Bluesky is connected as {BRAND}." in story.connects_bluesky(network, account=BRAND)
    assert "HubSpot is connected" in story.connects("hubspot")
    story.run()

    asked = network.writes(NEWCOMER, f"@{BRAND} {ASKED}")
    story.passes(timedelta(days=1))
    story.look()

    [task] = [each for each in story.outside.open_tasks() if ASKED in each.body]
    _, _, did, _, post = asked.split("/")
    assert f"https://bsky.app/profile/{did}/post/{post}" in task.body

    network.writes(BRAND, "We do, within three days.", to=(asked, asked))
    story.look()

    [closed] = [each for each in story.outside.tasks() if each.id == task.id]
    assert not closed.open
    assert len([each for each in story.outside.tasks() if ASKED in each.body]) == 1


def test_however_many_want_a_fresh_token_it_is_spent_once(network: Network, story: Bluesky) -> None:
    story.connects_bluesky(network, account=BRAND)
    row, held = story.connection("social"), story.runtime
    way, given = registrations.setting_of(held, row)
    version = _version(story)
    together = threading.Barrier(16)

    def worker(_: int) -> int:
        together.wait()
        while True:
            try:
                return credentials.fresh(held, way, given, row.workspace_id, row.id, refused=version).version
            except RateLimitError:  # another one is at it: a worker would come back later
                threading.Event().wait(0.05)

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(worker, range(16))) == {version + 1}
    # Spent twice, the server would have ended the session, and the new tokens with it.
    again = credentials.fresh(held, way, given, row.workspace_id, row.id, refused=version + 1)
    reader = BlueskyClient(registrations.access(given, again.values))
    assert reader.whoami().handle == BRAND
    assert way == consents.way(get("bluesky"))


RENEWALS = int(os.environ.get("WARMLINE_EXPIRIES", "100"))


def test_sixteen_processes_renew_a_session_time_and_again_and_never_lose_it(
    network: Network, story: Bluesky, workers: Workers
) -> None:
    story.connects_bluesky(network, account=BRAND)
    row, held = story.connection("social"), story.runtime
    env = {**launcher.environment(held.config), "PORT": "8000"}
    told = {"workspace_id": str(story.workspace_id), "processes": 16, "number": RENEWALS}

    found = workers("renewals", env, told)

    assert found["exit_codes"] == [0] * 16
    assert (
        found["outcomes"]["renewed"] == RENEWALS
    )  # each token was spent once: the server ends the session of one that comes twice
    way, given = registrations.setting_of(held, row)
    last = credentials.fresh(held, way, given, row.workspace_id, row.id)
    assert last.version == RENEWALS + 1
    assert BlueskyClient(registrations.access(given, last.values)).whoami().handle == BRAND


def _version(story: Story) -> int:
    with story.runtime.db.tenant(story.workspace_id) as session:
        return session.query(Credential.version).scalar() or 0


def test_a_consent_that_was_taken_back_asks_for_a_person_and_a_new_one_heals_it(
    network: Network, story: Bluesky
) -> None:
    story.connects_bluesky(network, account=BRAND)
    story.run()
    row, held = story.connection("social"), story.runtime
    way, given = registrations.setting_of(held, row)
    values = credentials.fresh(held, way, given, row.workspace_id, row.id).values
    consent.revoke(given, values)
    story.look()
    assert story.health("social")[0] == "needs_reauth"
    story.connects_bluesky(network, account=BRAND)
    story.look()
    assert story.health("social")[0] == "active"
    assert story.sql("SELECT count(*) FROM connections") == [(1,)]


def test_the_second_way_is_renewed_like_the_first(network: Network, story: Bluesky) -> None:
    password = network.account(BRAND)["appPassword"]
    made = story.presses("/connect/new/bluesky", way="also", handle=BRAND, password=password)
    assert f"Bluesky is connected as {BRAND}." in story.reads(made.location)
    row, held = story.connection("social"), story.runtime
    way, given = registrations.setting_of(held, row)
    version = _version(story)
    fresh = credentials.fresh(held, way, given, row.workspace_id, row.id, refused=version)
    assert fresh.version == version + 1
    assert password not in str(fresh.values)
    story.run()
    assert story.health("social")[0] == "active"


# --- as in production ----------------------------------------------------------------------------------------------------------


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


@contextmanager
def published(app: Flask, network: Network) -> Iterator[str]:
    """Our public documents at an https address that the servers can read. Yields that address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(network.home / CERTIFICATE, network.home / KEY)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"https://{NAME}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_confidential_client_is_known_by_the_documents_that_we_serve(
    network: Network, held: Runtime, app: Flask
) -> None:
    registrations.set_app(held, "bluesky", "", "", network.hosts, options={"private_key": PEM})
    with published(app, network) as base:
        web = app.extensions["warmline"]
        object.__setattr__(web, "config", replace(web.config, base_url=base))  # the port was not known before
        given = setting(network, base, PEM, account=BRAND)
        held_now = consented(network, given)
        fresh = consent.refresh(given, held_now)
        assert client(network, fresh).whoami().handle == BRAND
        assert fresh["client_key"] == ECKey.import_key(PEM).thumbprint()
        with pytest.raises(InvalidRequestError, match="does not accept"):  # a key that our documents do not show
            consent.refresh(setting(network, base, OTHER_PEM), fresh)
        consent.revoke(given, fresh)
        with pytest.raises(AuthenticationError):
            consent.refresh(given, fresh)
