"""Mastodon, and every server that speaks its client API: GoToSocial, Takahe, Akkoma, Pleroma, Hometown and others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.clients import SocialClient
from integrations.provider import Access, Account, FormField, Install, OAuth2, Provider, Stream
from integrations.social.mastodon import server
from integrations.social.mastodon.client import MastodonClient
from integrations.social.mastodon.reading import SOFTWARE, Reader

_ACCOUNTS, _STATUSES, _NOTIFICATIONS = server.SCOPES


def _accounts(access: Access) -> Sequence[Account]:
    """The account that consented, with what its server is: the addresses of posts depend on that."""
    reader = Reader(access)
    return [Account(reader.whoami(), options={SOFTWARE: reader.server.software})]


PROVIDER: Provider[SocialClient] = Provider(
    key="mastodon",
    kind="social",
    name="Mastodon",
    hosts={"web": "https://{server}"},
    auth=OAuth2(
        authorize_url="{web}/oauth/authorize",
        token_url="{web}/oauth/token",  # noqa: S106 (an address)
        revoke_url="{web}/oauth/revoke",
        reuses_token=True,  # Mastodon, for the same account, app and scopes
        scopes=server.SCOPES,
        pkce=True,  # servers that don't know it pass over it
        client_auth="client_secret_post",
        register=server.register,
        knows=server.knows,
        exchange=server.covered,
    ),
    client=MastodonClient,
    accounts=_accounts,
    form=(
        FormField(
            "server",
            "Server",
            help="Where the account is: the name in the browser's address bar when you are signed in there, such as mastodon.social. "
            "The last part of @team@mastodon.social need not be it.",
            type="host",
        ),
    ),
    streams=(
        Stream(
            "mentions",
            "mentions, replies and quotes",
            every=timedelta(minutes=2),
            scopes=(_NOTIFICATIONS, _STATUSES),
            limits="A server shows what has reached it, and nothing by people whom it or the account has blocked. Only Mastodon "
            "from 4.5 on tells of quotes.",
        ),
        Stream(
            "own",
            "own posts and replies",
            every=timedelta(minutes=2),
            scopes=(_STATUSES,),
            limits="Some servers leave private posts out of this list; those are read with the private talks.",
        ),
        Stream(
            "conversations",
            "answers in your threads",
            every=timedelta(minutes=15),
            scopes=(_STATUSES,),
            wants_threads=True,
            limits="A quiet thread is looked into less often. A server shows those answers of a thread that have reached it.",
        ),
        Stream(
            "messages",
            "private talks",
            every=timedelta(minutes=5),
            scopes=(_STATUSES,),
            limits="Posts that are visible only to the people who are named in them. The chats of Pleroma and Akkoma are not read.",
        ),
        Stream(
            "filtered",
            "people whom the account's filters hold back",
            every=timedelta(minutes=30),
            scopes=(_NOTIFICATIONS, _STATUSES),
            limits="Mastodon keeps this list since 4.3; other servers have none. It has one post for each person.",
        ),
    ),
    capabilities=frozenset({"direct_messages", "quotes", "edits"}),
    about="Reads mentions, replies, quotes, private posts and your own posts on any server of the fediverse that speaks Mastodon's API.",
    install=Install(
        scopes={
            _ACCOUNTS: "To know which account consented.",
            _STATUSES: "To read the account's own posts, the threads that it is in, and private posts to and from it.",
            _NOTIFICATIONS: "To learn who mentions, answers or quotes the account, filtered people included.",
        },
        reads=(
            "Posts that mention, answer or quote the account, with the posts above them and all answers in those threads.",
            "Private posts that the account wrote or is named in.",
            "The account's own posts.",
            "The public profile of whoever wrote any of these.",
        ),
        writes=("Nothing. The consent allows reading only.",),
        makes=("A registration named Warmline on the server, the first time that anybody connects an account there.",),
        removal=(
            "Disconnecting gives the token back to the server, once no other workspace here reads the same account: servers give them all the same token.",
            "The account's owner can also end it on the server: Preferences, Account, Authorized apps.",
        ),
    ),
)
