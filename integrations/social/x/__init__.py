"""X, read through its API v2 with pay-per-use credits."""

from __future__ import annotations

from datetime import date, timedelta

from integrations.clients import SocialClient
from integrations.provider import Cap, Deadline, FormField, Install, OAuth2, Price, Provider, Stream, Webhook
from integrations.social.x import subscribing, webhook
from integrations.social.x.client import XClient

_PRICES = "https://docs.x.com/x-api/getting-started/pricing"
_READ_ON = date(2026, 11, 26)

PROVIDER: Provider[SocialClient] = Provider(
    key="x",
    kind="social",
    name="X",
    hosts={"api": "https://api.x.com", "web": "https://x.com"},
    auth=OAuth2(
        authorize_url="{web}/i/oauth2/authorize",
        token_url="{api}/2/oauth2/token",  # noqa: S106 (an address)
        revoke_url="{api}/2/oauth2/revoke",
        scopes=("tweet.read", "users.read", "dm.read", "offline.access"),
        pkce=True,
        client_auth="client_secret_basic",
    ),
    client=XClient,
    # An empty answer costs nothing, so how often to look is a matter of X's rate limits, not of money.
    streams=(
        Stream(
            "mentions",
            "mentions",
            every=timedelta(minutes=2),
            scopes=("tweet.read", "users.read"),
            limits="X serves only the newest 800 mentions, and none by protected accounts.",
        ),
        Stream(
            "own",
            "own posts and replies",
            every=timedelta(minutes=2),
            scopes=("tweet.read", "users.read"),
            limits="X serves only the newest 3200 posts of an account.",
        ),
        Stream(
            "conversations",
            "answers in your threads, and quotes",
            every=timedelta(minutes=15),
            scopes=("tweet.read", "users.read"),
            wants_threads=True,
            limits="X searches only the last 7 days.",
        ),
        Stream(
            "messages",
            "direct messages",
            every=timedelta(minutes=5),
            scopes=("dm.read", "tweet.read", "users.read"),
            limits="X serves only the last 30 days of direct messages, and none that are encrypted.",
        ),
        Stream(
            "ancestors",
            "earlier posts of a thread",
            every=timedelta(minutes=2),
            scopes=("tweet.read", "users.read"),
            wants_parents=True,
            limits="X does not serve deleted posts, nor those of protected or suspended accounts.",
        ),
    ),
    app_form=(
        FormField(
            "consumer_secret", "API key secret", help="X signs its hints with it.", type="secret", required=False
        ),
        FormField(
            subscribing.BEARER,
            "App bearer token",
            help="Lets Warmline ask X for hints, so that news is read at once and not only when X is polled.",
            type="secret",
            required=False,
        ),
    ),
    check=subscribing.check,
    take_back=subscribing.take_back,
    webhook=Webhook(webhook.challenge, webhook.verify),
    prices=(
        Price("post", 0.005, _PRICES, _READ_ON, "post"),
        Price("dm_event", 0.010, _PRICES, _READ_ON, "direct message"),
        Price("user", 0.010, _PRICES, _READ_ON, "profile"),
    ),
    # X names no hours for what it tells nobody: copies follow by "all reasonable efforts", and within 24 hours of being asked, which is what erasing is
    # for. A fortnight is ours: for so long a need that somebody wrote of may still be worth a call.
    follow=Deadline(timedelta(days=14), "https://docs.x.com/developer-terms/policy", _READ_ON),
    caps=(Cap("post", 3_000_000, _PRICES, _READ_ON),),
    capabilities=frozenset({"direct_messages", "quotes", "edits", "webhook"}),
    # X's rules on off-X matching: with consent, or by what the person gave or shows publicly (developer agreement and policy).
    given_or_public_only=True,
    todo={
        "live": "Checked against the published contract, recorded answers and the sandbox; never yet against X itself."
    },
    install=Install(
        scopes={
            "tweet.read": "Mentions, replies, quotes and your own posts are read.",
            "users.read": "Says which account was connected, and who wrote a post.",
            "dm.read": "Direct messages are read. Leave it away and everything else still works.",
            "offline.access": "Keeps the connection going without asking you every two hours.",
        },
        reads=(
            "Mentions, replies, quotes, direct messages and your own posts, from the day on that the settings say.",
        ),
        writes=("Nothing. Warmline never posts, replies, likes or sends messages.",),
        removal=(
            "Disconnect it here: the consent is given back to X and our credentials are deleted.",
            "In X it is under Settings, Security and account access, Apps and sessions, Connected apps.",
        ),
    ),
    about="Reads mentions, replies, quotes, direct messages and your own posts; X bills each post that is read to your app.",
)
