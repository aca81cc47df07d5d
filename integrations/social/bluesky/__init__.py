"""Bluesky, and every server of its network (atproto)."""

from __future__ import annotations

from datetime import timedelta

from integrations.clients import SocialClient
from integrations.provider import Consent, Document, FormField, Install, Provider, Secret, Stream
from integrations.social.bluesky import consent, passwords, registration
from integrations.social.bluesky.client import BlueskyClient

_HANDLE = "acme.bsky.social"
_LISTS, _POSTS, _FEED, _THREADS, _PROFILE = (
    f"rpc:app.bsky.{method}?aud=*"
    for method in (
        "notification.listNotifications",
        "feed.getPosts",
        "feed.getAuthorFeed",
        "feed.getPostThread",
        "actor.getProfile",
    )
)

PROVIDER: Provider[SocialClient] = Provider(
    key=registration.KEY,
    kind="social",
    name="Bluesky",
    hosts={
        "web": "https://bsky.app",
        "appview": "https://public.api.bsky.app",
        "plc": "https://plc.directory",
        "chat": "https://api.bsky.chat",
    },
    auth=Consent(consent.begin, consent.finish, consent.refresh, consent.revoke, scopes=registration.SCOPES),
    client=BlueskyClient,
    streams=(
        Stream(
            "mentions",
            "mentions, replies and quotes",
            every=timedelta(minutes=2),
            scopes=(_LISTS,),
            limits="Bluesky leaves out what the account has muted or blocked, and a name that is typed without being picked from its list names nobody.",
        ),
        Stream("own", "own posts and replies", every=timedelta(minutes=2), scopes=(_FEED,)),
        Stream(
            "conversations",
            "answers in your threads",
            every=timedelta(minutes=15),
            scopes=(_THREADS,),
            wants_threads=True,
            limits="Bluesky serves a thread only as far down as it shows it, and not the answers that its moderation hides.",
        ),
        Stream(
            "messages",
            "direct messages",
            every=timedelta(minutes=5),
            scopes=registration.CHAT,
            limits="An app password reads direct messages only if that was ticked when it was made.",
        ),
        Stream(
            "ancestors",
            "earlier posts of a thread",
            every=timedelta(minutes=2),
            scopes=(_POSTS,),
            wants_parents=True,
            limits="Bluesky does not serve deleted posts, nor those of people who block the account.",
        ),
    ),
    form=(
        FormField(
            "account",
            "Handle",
            help=f"Such as {_HANDLE}. Left empty, Bluesky asks. An account elsewhere needs its handle, or its server's address, with https:// before it.",
            required=False,
            default=consent.DEFAULT_SERVER,
        ),
    ),
    app_form=(
        FormField(
            "private_key",
            "Private key",
            help="An EC key of the curve P-256 in PEM format. Without one, Bluesky ends each consent after two weeks.",
            type="secret",
            required=False,
        ),
    ),
    documents=(
        Document(registration.METADATA, "application/json", registration.metadata),
        Document(registration.JWKS, "application/json", registration.jwks),
    ),
    capabilities=frozenset({"direct_messages", "quotes", "edits"}),
    about="Reads mentions, replies, quotes, direct messages and your own posts, and asks for reading only. Bluesky charges nothing.",
    also=Secret(passwords.sign_in, passwords.refresh, passwords.revoke),
    also_form=(
        FormField("handle", "Handle", help=f"Such as {_HANDLE}."),
        FormField(
            "password",
            "App password",
            help="From Bluesky's settings, Privacy and security, App passwords. Tick direct messages there if they are to be read.",
            type="secret",
        ),
    ),
    check=registration.check,
    install=Install(
        scopes={
            "atproto": "To know which account has consented.",
            _LISTS: "To see who mentions, answers or quotes the account.",
            _FEED: "To see what the account has answered by itself, so that tasks close.",
            _THREADS: "To see what others answer in the threads that the account is in.",
            _POSTS: "To read the post that an answer is about, and to notice when a post is deleted.",
            _PROFILE: "To show the account under its present handle and name.",
            registration.CHAT[1]: "To see which conversations have new direct messages.",
            registration.CHAT[0]: "To read those messages.",
        },
        reads=(
            "Mentions, replies and quotes, the account's own posts, the threads that it is in, and its direct messages.",
            "The public profile of whoever wrote them.",
        ),
        writes=(
            "Nothing, and notifications and messages are not marked as read. Warmline asks for reading only; a server that does not know such permissions yet is asked for its general one.",
        ),
        makes=("Nothing.",),
        removal=(
            "Disconnecting takes the consent back at the account's server, or ends the session there. An app password is removed in Bluesky's settings, under Privacy and security.",
        ),
    ),
)
