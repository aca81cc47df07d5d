"""Rendering: what every page needs besides its own content, and going back to a page after a form."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from service import accounts, naming, settings
from service.clock import business_now, real_now
from service.console import headers, onward, words
from service.console.guard import caller, maybe_caller
from service.runtime import runtime
from service.sentences import count_of
from service.store import acting

# What a form that was done says on the page that follows: `?done=<key>`.
NOTICES = {
    "handle_fields": "Saved. Contacts are being read anew.",
    "attested": "Noted. Whoever these contacts may be is looked at again.",
    "withdrawn": "Noted. These contacts are left out from now on.",
    "retried": "It is being sent to the CRM once more. If the CRM refuses it again, it comes back here with the reason.",
    "dismissed": "Noted: nothing needed. Where a task stands in the CRM, it is being closed.",
    "dismissal_undone": "Undone. The task opens again within seconds, unless it was answered meanwhile.",
    "confirmed": "Confirmed. Tasks for this person now go to the contact's owner.",
    "rejected": "Rejected. Warmline will not suggest this pair again.",
    "undone": "Undone. The rules look at this pair again.",
    "pulling": "Looking now. New posts appear here within a minute.",
    "responder": "Saved. What waits on this account goes to that person from now on.",
    "disconnected": "Disconnected. The credentials are gone; how long what was read is kept is said below.",
    "added": "Added. It is judged like any post, and shows under Tasks once it wants an answer.",
    "known": "That person's post under that link was here already. What you pasted now stands in its place.",
    "left_out": "Left out. Whoever wrote it was erased here, or asked to be left alone, so nothing of it was stored.",
    "paused": "Paused. Nothing is read or written there until you resume it; open tasks say so.",
    "resumed": "Resumed. It goes on where it stopped.",
    "ceiling": "Saved. The ceiling holds from now on.",
    "leaving": "Under way. What came of it is said below as soon as it is done.",
    "approved": "Approved. Warmline now writes its tasks to this CRM.",
    "run_approved": "Approved. What the change altered is on its way to the CRM.",
    "run_undone": "Undone. Everything is judged again as it was before.",
    "saved": "Saved. Everything is judged again under the new settings.",
    "revoked": "Revoked. That key opens nothing any more.",
    "brand": "Saved.",
    "calendar": "Added. It is being read now.",
    "refreshing": "Reading it now.",
    "calendar_removed": "Removed, and its address and busy times with it.",
    "withdrawn_invitation": "Withdrawn. That link opens nothing any more.",
    "role": "Saved. It holds from their next click on.",
    "stepped_down": "Saved. Invitations that nobody has used, and sign-in links, that you had made open nothing any more, nor does what was set behind such a link.",
    "removed": "Removed. Their sessions here have ended, and nothing that they made opens anything any more.",
    "ended": "Ended. That browser is signed out.",
    "joined": "Welcome. You belong to this workspace now.",
    "kept": "Kept. Everything goes on where it stopped.",
    "objection": "Noted. They are left alone from now on; their open tasks are being withdrawn.",
    "objection_lifted": "Noted. They are matched and judged like anybody again.",
    "switched": "You are now in this workspace.",
    "password": "Saved. Everywhere else you are signed out now.",
    "recovered": "Signed in. That recovery code is used up. If your phone is lost, set up another one under Your account.",
    "factor_off": "Turned off. From now on nobody asks you for a code.",
    "required": "Saved. Whoever has no second factor sets one up before anything else opens to them.",
    "not_required": "Saved. A second factor is up to each person now.",
    "proven": "Thank you. For half an hour you are not asked again; press once more what you wanted to do.",
    "others_ended": "Ended. You are signed in here alone.",
    "forgotten": "Forgotten. Tries from that browser count like anybody's from now on.",
    "untied": "Untied. The next single sign-on ties your account anew, by your e-mail address.",
}


def page(template: str, **context: Any) -> str:
    """A page for the signed-in caller."""
    return render_template(template, **context)


def done(path: str, notice: str) -> Response:
    """To one of our own pages, which then shows a notice."""
    return redirect(f"{path}{'&' if '?' in path else '?'}{urlencode({'done': notice})}", 303)


def back(default: str) -> str:
    """The page of ours that a form names in its field `back`; `default` for anything that is not a page of ours."""
    wanted = onward.local(request.form.get("back", ""))
    try:
        current_app.url_map.bind("").match(urlsplit(wanted).path or "nowhere", method="GET")
    except HTTPException:
        return default
    return wanted


def elsewhere(url: str) -> ResponseReturnValue:
    """To a page of a provider's or an issuer's. Browsers hold every redirect that follows a form's post to `form-action 'self'`, so after
    one a page of its own ends that chain."""
    headers = request.headers
    by_a_form = headers.get("Sec-Fetch-Mode") == "navigate" and headers.get("Sec-Fetch-Site") == "same-origin"
    if by_a_form:
        host = urlsplit(url).netloc
        return render_template("leaving.html", url=url, host=host), {"Refresh": f"0; url={url}"}
    return redirect(url, 302)


def zone() -> str:
    """The time zone of the caller's workspace; UTC for somebody who is not signed in."""
    found: str | None = g.get("zone")
    if found is None:
        who = maybe_caller()
        found = "UTC" if who is None else _zone_of(who.workspace_id)
        g.zone = found
    return found


def _zone_of(workspace_id: Any) -> str:
    with runtime().db.tenant(workspace_id) as session:
        return str(settings.current(session, workspace_id).values["timezone"])


def when(instant: datetime | None, clock: str = "business", empty: str = "never") -> Markup | str:
    """`<time>`: relative to the clock's now ("business", or "real" for what machines did), exact in its title."""
    if instant is None:
        return empty
    now = real_now() if clock == "real" else business_now()
    return _time(instant, words.relative(instant, now, zone()))


def upcoming(instant: datetime | None) -> Markup | str:
    """`<time>`: when a machine does something next; what is due already is on its way."""
    if instant is None:
        return "under way"
    now = real_now()
    return _time(instant, "now" if instant <= now else words.relative(instant, now, zone()))


def waited(since: datetime) -> Markup:
    """`<time>`: how long somebody has waited, by business time."""
    return _time(since, words.how_long(since, business_now()))


def clock(instant: datetime) -> Markup:
    """`<time>`: when on the clock, by business time."""
    return _time(instant, words.clock(instant, business_now(), zone()))


def _time(instant: datetime, says: str) -> Markup:
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        instant.isoformat(timespec="seconds"), words.exact(instant, zone()), says
    )


def workspaces() -> list[tuple[Any, str, str]]:
    """The workspaces that the caller may switch to, with the present one."""
    who = caller()
    if who.user_id is None:
        return []
    with runtime().db.globally() as session:
        theirs = accounts.workspaces_of(session, who.user_id)
    return [each for each in theirs if each[0] == who.workspace_id] if who.confined else theirs


def prepare(blueprint: Blueprint) -> None:
    """Gives templates what they use."""
    for function in (when, waited, clock, upcoming):
        blueprint.add_app_template_global(function)
    blueprint.add_app_template_filter(naming.provider_name, "network")
    blueprint.add_app_template_filter(naming.account_name, "account")
    blueprint.add_app_template_test(naming.is_place, "place")
    blueprint.add_app_template_test(acting.is_dismissed, "dismissed")
    for filter_ in (count_of, words.dollars, words.listed, words.closing):
        blueprint.add_app_template_filter(filter_)

    @blueprint.app_context_processor
    def _every_page() -> dict[str, Any]:
        return {
            "me": maybe_caller(),
            "workspaces": workspaces,
            "asset": headers.asset,
            "notice": NOTICES.get(request.args.get("done", "")),
            "TASK_KINDS": words.TASK_KINDS,
            "KINDS": words.KINDS,
            "NOT_NEEDED": words.NOT_NEEDED,
        }
