"""One answered question, as the different servers shape it. Every person is invented."""

from __future__ import annotations

from typing import Any

from tests.integrations.social.mastodon.wire import DOMAIN, US, WEB

_TEXT = '<p><span class="h-card"><a href="https://social.example/@acme" class="u-url mention">@<span>acme</span></a></span> in stock?</p>'
# Seen on a real one: its markup leaves out what a browser does not need, and below an answer that waits for approval stands a note.
_GOTOSOCIAL_TEXT = (
    '<p><span class="h-card"><a href="https://social.example/@acme" class="u-url mention" rel="nofollow noreferrer noopener" '
    'target="_blank">@<span>acme</span></a></span> in stock?</p><div class="gts-system-message gts-pending-reply"><hr><p><i>'
    "Note from social.example: This reply is pending your approval.</i></p></div>"
)
_PLEROMA_TEXT = '<span class="h-card"><a class="u-url mention" data-user="7000" href="https://social.example/users/acme" rel="ugc">@<span>acme</span></a></span> in stock?'


def _mention(url: str = f"{WEB}/@acme") -> dict[str, Any]:
    return {"id": US.id, "username": "acme", "url": url, "acct": "acme"}


MASTODON: dict[str, Any] = {
    "id": "114000000000000001",
    "created_at": "2026-03-20T11:00:00.000Z",
    "in_reply_to_id": "114000000000000000",
    "in_reply_to_account_id": US.id,
    "visibility": "public",
    "language": "en",
    "uri": "https://elsewhere.example/users/ada/statuses/1",
    "url": "https://elsewhere.example/@ada/1",
    "edited_at": "2026-03-20T11:05:00.000Z",
    "content": _TEXT,
    "spoiler_text": "",
    "reblog": None,
    "account": {
        "id": "9",
        "username": "ada",
        "acct": "ada@elsewhere.example",
        "display_name": "Ada Fell :mountain:",
        "emojis": [{"shortcode": "mountain", "url": "https://elsewhere.example/m.png"}],
        "bot": False,
        "note": '<p>Walks &amp; maps. <a href="https://elsewhere.example/tags/hiking" class="mention hashtag">#<span>hiking</span></a></p>',
        "url": "https://elsewhere.example/@ada",
        "followers_count": 321,
        "fields": [
            {"name": "Where", "value": "Graz", "verified_at": None},
            {"name": "Blog", "value": '<a href="https://blog.example" rel="me">blog.example</a>', "verified_at": None},
            {
                "name": "Work",
                "value": '<a href="https://fell.example" rel="me">fell.example</a>',
                "verified_at": "2026-01-01T00:00:00.000+00:00",
            },
        ],
    },
    "mentions": [_mention()],
    "media_attachments": [],
    "emojis": [],
    "quote": None,
    "poll": None,
}

_ANYBODY = {
    "automatic_approval": ["public", "me"],
    "manual_approval": [],
    "always": ["public", "me"],
    "with_approval": [],
}
GOTOSOCIAL: dict[str, Any] = {
    **{
        name: MASTODON[name]
        for name in ("created_at", "visibility", "spoiler_text", "uri", "url", "reblog", "mentions", "poll")
    },
    "id": "01JPSX2MKCRVMD4YN4D71G9CP5",
    "edited_at": None,
    "in_reply_to_id": "01JPSX00000000000000000000",
    "in_reply_to_account_id": US.id,
    "language": None,
    "content": _GOTOSOCIAL_TEXT,
    "text": "@acme@social.example in stock?",
    "content_type": "text/plain",
    "account": {
        "id": "01F8MH1H7YV1Z7D2C8K2730QBF",  # drawn, and not from when the account was made
        "username": "ada",
        "acct": "ada@elsewhere.example",
        "display_name": "Ada Fell",
        "locked": True,
        "note": "",
        "url": "https://elsewhere.example/@ada",
        "avatar_description": "A mountain",
        "followers_count": 0,
        "bot": False,
        "emojis": [],
        "fields": [],
        "group": False,
    },
    "media_attachments": [],
    "tags": [],
    "emojis": [],
    "card": None,
    "interaction_policy": {"can_favourite": _ANYBODY, "can_reply": _ANYBODY, "can_reblog": _ANYBODY},
}

TAKAHE: dict[str, Any] = {
    **{name: MASTODON[name] for name in ("visibility", "spoiler_text", "uri", "content", "mentions", "language")},
    "id": "114000000000000001",
    "created_at": "2026-03-20T11:00:00Z",
    "url": None,
    "in_reply_to_id": 114000000000000000,
    "in_reply_to_account_id": int(US.id),
    "reblog": None,
    "poll": None,
    "edited_at": None,
    "account": {
        "id": "9",
        "username": "ada",
        "acct": "ada@elsewhere.example",
        "display_name": "Ada Fell",
        "fields": [],
    },
}

AKKOMA: dict[str, Any] = {
    **{name: MASTODON[name] for name in ("created_at", "visibility", "uri", "url", "reblog", "language")},
    "id": "AsB3qzHfVwW0RqPdwe",
    "in_reply_to_id": "AsB3qzHfVwW0RqPdwd",
    "in_reply_to_account_id": US.id,
    "content": _PLEROMA_TEXT,
    "spoiler_text": "",
    "mentions": [_mention("https://social.example/users/acme")],
    "quote": None,
    "quote_id": None,
    "account": {
        "id": "AsA0000000000000aa",
        "username": "ada",
        "acct": "ada@elsewhere.example",
        "display_name": "Ada Fell",
        "note": "Walks<br>Maps",
        "url": "https://elsewhere.example/users/ada",
        "followers_count": -1,
        "fields": [{"name": "Location", "value": "Graz"}, {"name": "web", "value": "https://fell.example"}],
        "pleroma": {"is_admin": False},
    },
    "pleroma": {"conversation_id": 41, "local": False},
}

SHAPES = {"mastodon": MASTODON, "gotosocial": GOTOSOCIAL, "takahe": TAKAHE, "akkoma": AKKOMA}
ADDRESSES = {
    "mastodon": f"{WEB}/@ada@elsewhere.example/114000000000000001",
    "gotosocial": "https://elsewhere.example/@ada/1",
    "takahe": f"{WEB}/@ada@elsewhere.example/posts/114000000000000001/",
    "akkoma": f"{WEB}/notice/AsB3qzHfVwW0RqPdwe",
}
TEXT = f"@acme@{DOMAIN} in stock?"
