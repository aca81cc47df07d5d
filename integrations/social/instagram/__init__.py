"""Instagram professional accounts, read through the Facebook pages that they are linked to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from integrations.clients import SocialClient
from integrations.errors import InvalidRequestError
from integrations.graph import checks, hooks, login
from integrations.provider import Access, Account, Install, Provider, Stream
from integrations.social.instagram.client import ACCOUNT_FIELDS, PAGE_ID, InstagramClient, author

HOSTS = {**login.HOSTS, "instagram": "https://www.instagram.com"}
_READ = ("instagram_basic", "instagram_manage_comments", "pages_read_engagement")
_INBOX = ("instagram_basic", "instagram_manage_messages", "pages_manage_metadata")
SCOPES = (
    "instagram_basic",
    "instagram_manage_comments",
    "instagram_manage_messages",
    "pages_show_list",
    "pages_read_engagement",
    "pages_manage_metadata",
    "business_management",
)
HOOK_FIELDS = ("comments", "mentions", "messages")
# The page has to install the app before Meta tells of the Instagram account that is linked to it; any field will do.
PAGE_FIELDS = ("feed",)


def accounts(access: Access) -> Sequence[Account]:
    """The professional account of each page that the person ticked and that has one."""
    fields, web = f"instagram_business_account{{{','.join(ACCOUNT_FIELDS)}}}", access.hosts["instagram"].rstrip("/")
    found = [
        Account(author(linked, web), credentials, {PAGE_ID: str(row["id"])})
        for row, credentials in login.pages(access, fields)
        if (linked := login.linked_instagram(row))
    ]
    if not found:
        raise InvalidRequestError(
            "None of the Facebook pages that you ticked has an Instagram professional account linked to it. "
            "Link it in the page's settings under Linked accounts, and connect again"
        )
    return found


def check(access: Access) -> Sequence[str]:
    """The app's subscription to Instagram, and the page's to the app."""
    page_id = _page(access)
    return checks.sentences(
        access,
        "instagram",
        kind="instagram",
        fields=HOOK_FIELDS,
        page_id=page_id,
        page_fields=PAGE_FIELDS,
        scopes=SCOPES,
    )


def take_back(access: Access) -> Sequence[str]:
    """The app on the linked page, unless the page itself is read as well."""
    return checks.take_back(access, _page(access), PAGE_FIELDS, alone=True)


def _page(access: Access) -> str:
    return str(access.options.get(PAGE_ID) or "me")


PROVIDER: Provider[SocialClient] = Provider(
    key="instagram",
    kind="social",
    name="Instagram",
    hosts=HOSTS,
    auth=login.oauth(SCOPES),
    client=InstagramClient,
    accounts=accounts,
    streams=(
        Stream(
            "media",
            "your posts, and comments",
            every=timedelta(minutes=5),
            scopes=_READ,
            limits="Comments are looked for below posts of the last 30 days, and below older ones where somebody has spoken lately. "
            "Replies to comments that are older than a week are seen only among the newest 50 comments of a post. "
            "Comments below advertisements are not served.",
        ),
        Stream(
            "mentions",
            "posts that tag you",
            every=timedelta(minutes=5),
            scopes=_READ,
            limits="Instagram lists posts that tag you, and neither those of private accounts, nor comments and stories that mention you.",
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
            "direct messages",
            every=timedelta(minutes=5),
            scopes=_INBOX,
            limits="Instagram serves the newest 20 messages of a conversation, "
            "and no message requests that have been quiet for 30 days.",
        ),
    ),
    app_form=login.APP_FORM,
    webhook=hooks.webhook(
        "instagram",
        {
            "comments": ("media", "threads"),
            "mentions": ("mentions", "media"),
            "messages": ("messages",),
            "messaging": ("messages",),
        },
    ),
    capabilities=frozenset({"direct_messages", "webhook"}),
    about="Reads comments, mentions and direct messages of professional accounts; you sign in with Facebook and choose the pages they are linked to.",
    check=check,
    take_back=take_back,
    install=Install(
        scopes={
            "instagram_basic": "To name the account, and to read its posts and the posts that tag it.",
            "instagram_manage_comments": "To read comments and who wrote them. Nothing is written, hidden or deleted.",
            "instagram_manage_messages": "To read direct messages, and until when they can be answered. Nothing is sent.",
            "pages_show_list": "To find the Facebook pages that your Instagram accounts are linked to.",
            "pages_read_engagement": "Meta asks for it wherever an Instagram account is read through its page.",
            "pages_manage_metadata": "To have Meta tell Warmline at once when something is new. No setting of the page is changed.",
            "business_management": "To see pages that belong to a business portfolio: Meta lists them only with this. Nothing of the portfolio is read.",
        },
        reads=(
            "The account's user name, name, biography, website and number of followers.",
            "Its posts of the last 30 days, posts that tag it, and comments below both.",
            "Its direct messages with the user names of those who write.",
        ),
        makes=(
            "The app's subscription to news of Instagram accounts, once for this Warmline.",
            "Warmline as an installed app of the linked page, which Facebook shows under Business Integrations.",
        ),
        removal=(
            "Disconnect the account in Warmline: the linked page's subscription is taken back, its tokens are forgotten here and nothing more is read.",
            "Then take the app out at facebook.com under Settings, Business Integrations: that revokes the consent.",
        ),
    ),
    # As Meta's platform terms (developers.facebook.com/terms) bind what its people's data is used for to what they expect where they gave it.
    given_or_public_only=True,
    exempt={
        "renamed": "Whoever tags the account in a post comes by the user name alone; comments and messages name their authors by ids."
    },
    todo={
        "live": "Checked against Meta's published definitions of its nodes; never yet against Instagram itself, which needs an app that Meta has reviewed."
    },
)
