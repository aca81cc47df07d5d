"""Facebook pages, read through the Graph API: posts, comments, mentions and messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.clients import SocialClient
from integrations.graph import checks, hooks, login
from integrations.provider import Access, Account, Install, Provider, Stream
from integrations.social.facebook.client import ACCOUNT_FIELDS, FacebookClient, author

_READ = ("pages_read_engagement", "pages_read_user_content")
_INBOX = ("pages_messaging", "pages_read_engagement", "pages_manage_metadata")
SCOPES = (
    "pages_show_list",
    "pages_read_engagement",
    "pages_read_user_content",
    "pages_manage_metadata",
    "pages_messaging",
    "business_management",
)
HOOK_FIELDS = ("feed", "mention", "messages", "message_echoes", "message_edits")


def accounts(access: Access) -> Sequence[Account]:
    """Each page that the person ticked and may act for."""
    return [
        Account(author(row, access.hosts["web"].rstrip("/")), credentials)
        for row, credentials in login.pages(access, *ACCOUNT_FIELDS)
    ]


def check(access: Access) -> Sequence[str]:
    """The app's subscription to pages, and this page's to the app."""
    page_id = _page(access)
    return checks.sentences(
        access, "facebook", kind="page", fields=HOOK_FIELDS, page_id=page_id, page_fields=HOOK_FIELDS, scopes=SCOPES
    )


def take_back(access: Access) -> Sequence[str]:
    """What the page tells us. An Instagram account that is read through the same page and app has its own `check`, which asks for what
    it needs again."""
    return checks.take_back(access, _page(access), HOOK_FIELDS)


def _page(access: Access) -> str:
    return access.account.id if access.account else FacebookClient(access).whoami().id


PROVIDER: Provider[SocialClient] = Provider(
    key="facebook",
    kind="social",
    name="Facebook",
    hosts=login.HOSTS,
    auth=login.oauth(SCOPES),
    client=FacebookClient,
    accounts=accounts,
    # Hints make most of these come at once; the rest is what a page with few readers is allowed in a day.
    streams=(
        Stream(
            "posts",
            "posts on your page, and comments",
            every=timedelta(minutes=5),
            scopes=_READ,
            limits="Facebook serves about 600 posts of a page for each year. Comments are looked for below posts of the last 30 days, "
            "and below older ones where somebody has spoken lately.",
        ),
        Stream(
            "mentions",
            "posts elsewhere that mention your page",
            every=timedelta(minutes=5),
            scopes=_READ,
            limits="Facebook does not list comments elsewhere that mention a page, nor posts by people whose settings keep them from apps.",
        ),
        Stream(
            "threads",
            "comments below older posts",
            every=timedelta(minutes=15),
            scopes=_READ,
            wants_threads=True,
            limits="Only posts below which somebody has spoken in the last 30 days are looked at.",
        ),
        Stream(
            "messages",
            "messages",
            every=timedelta(minutes=5),
            scopes=_INBOX,
            limits="Facebook shows of pictures and files in a message only that there is a message.",
        ),
    ),
    app_form=login.APP_FORM,
    webhook=hooks.webhook(
        "page",
        {
            "feed": ("posts", "threads"),
            "mention": ("mentions",),
            "messages": ("messages",),
            "message_echoes": ("messages",),
            "message_edits": ("messages",),
            "messaging": ("messages",),
        },
    ),
    capabilities=frozenset({"direct_messages", "webhook"}),
    about="Reads posts, comments and mentions of your pages, and messages to them; you choose the pages on Facebook.",
    check=check,
    take_back=take_back,
    install=Install(
        scopes={
            "pages_show_list": "To list your pages, so that each that you choose becomes a connection.",
            "pages_read_engagement": "To read your page's own posts and answers: they close a task.",
            "pages_read_user_content": "To read what others write on your page, below its posts, and about it.",
            "pages_manage_metadata": "To have Facebook tell Warmline at once when something is new. No setting of the page is changed.",
            "pages_messaging": "To read messages to the page, and until when they can be answered. Nothing is sent.",
            "business_management": "To see pages that belong to a business portfolio: Facebook lists them only with this. Nothing of the portfolio is read.",
        },
        reads=(
            "The page's name, user name, address, description, website and number of followers.",
            "Posts on the page by the page and by others, posts elsewhere that tag it, and comments below both.",
            "Messages of the page's inbox with the names of those who write.",
        ),
        makes=(
            "The app's subscription to news of pages, once for this Warmline.",
            "Warmline as an installed app of the page, which Facebook shows under Business Integrations.",
        ),
        removal=(
            "Disconnect the page in Warmline: the page's subscription is taken back, its tokens are forgotten here and nothing more is read.",
            "Then take the app out at facebook.com under Settings, Business Integrations: that revokes the consent.",
        ),
    ),
    # Meta's platform terms (developers.facebook.com/terms) bind what its people's data is used for to what they expect where they gave
    # it; being found in a list that somebody bought is nothing that they expect.
    given_or_public_only=True,
    todo={
        "live": "Checked against Meta's published definitions of its nodes; never yet against Facebook itself, which needs an app that Meta has reviewed."
    },
)
