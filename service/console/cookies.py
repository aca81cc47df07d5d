"""Our cookies. Over https their names begin with `__Host-`, which browsers accept for a cookie of this host alone, for all paths, that
travels over https: nobody who holds a neighbouring host can set one (RFC 6265bis, 4.1.3.2)."""

from __future__ import annotations

from datetime import timedelta

from flask import request
from werkzeug.wrappers import Response

from service.runtime import runtime

SESSION = "warmline_session"
DEVICE = "warmline_device"  # a browser in which somebody has signed in with their password
OPENID = "warmline_openid"  # a single sign-on under way
PENDING = "warmline_pending"  # a sign-in that waits for a code of a second factor


def is_secure() -> bool:
    """Whether people reach us over https."""
    return runtime().config.base_url.startswith("https://")


def name(which: str) -> str:
    return name_under(runtime().config.base_url, which)


def name_under(base_url: str, which: str) -> str:
    """What this cookie is called where people reach us at this address."""
    return f"__Host-{which}" if base_url.startswith("https://") else which


def read(which: str) -> str:
    """Empty where the browser holds none."""
    return request.cookies.get(name(which), "")


def give(response: Response, which: str, value: str, lifetime: timedelta) -> None:
    """Out of reach of scripts. Lax and not Strict: providers and issuers send people back to us by a link."""
    response.set_cookie(
        name(which), value, max_age=lifetime, path="/", secure=is_secure(), httponly=True, samesite="Lax"
    )


def take(response: Response, which: str) -> None:
    response.delete_cookie(name(which), path="/", secure=is_secure(), httponly=True, samesite="Lax")
