"""One's second factor: set up with a phone, shown once it counts, and looked after with a code of it."""

from __future__ import annotations

from collections.abc import Sequence

import segno
from flask import Blueprint, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from service import factors, totp
from service.console.account import STATUSES, proven
from service.console.guard import caller, shown_anew
from service.console.page import done, page
from service.console.signin import keep
from service.errors import PlainError
from service.runtime import runtime

blueprint = Blueprint("factor", __name__)

QUIET = 4  # modules around a QR code that stay white (ISO/IEC 18004)


@blueprint.get("/account/factor")
def show() -> ResponseReturnValue:
    return _page()


@blueprint.post("/account/factor/begin")
@proven
def begin() -> ResponseReturnValue:
    """A key for a phone. Whoever has a second factor gives a code of it."""
    try:
        factors.begin(runtime(), caller(), request.form.get("code", ""))
    except PlainError as error:
        return _refused(error)
    return redirect(url_for(".show"), 303)


@blueprint.post("/account/factor/confirm")
def confirm() -> ResponseReturnValue:
    """Answers with a page and not with a redirect: recovery codes are shown once, and must not stand in an address."""
    try:
        made = factors.confirm(runtime(), caller(), request.form.get("code", ""))
    except PlainError as error:
        return _refused(error)
    shown_anew(made.session)
    response = make_response(_once(made.codes, first=True))
    keep(response, made.session)
    return response


@blueprint.post("/account/factor/codes")
def codes() -> ResponseReturnValue:
    """Answers with a page, as `confirm` does."""
    try:
        return _once(factors.new_codes(runtime(), caller(), request.form.get("code", "")))
    except PlainError as error:
        return _refused(error)


@blueprint.post("/account/factor/off")
def off() -> ResponseReturnValue:
    try:
        factors.turn_off(runtime(), caller(), request.form.get("code", ""))
    except PlainError as error:
        return _refused(error)
    return done(url_for("console.account.show"), "factor_off")


def _refused(error: PlainError) -> ResponseReturnValue:
    return _page(str(error)), STATUSES.get(type(error), 400)


def _once(codes: Sequence[str], *, first: bool = False) -> str:
    return page("recovery.html", codes=codes, first=first)


def _page(sentence: str = "") -> str:
    who = caller()
    standing = factors.standing(runtime(), who)
    account, key = factors.account_of(who), standing.secret
    address = totp.address(key, account) if key else ""
    return page(
        "factor.html",
        sentence=sentence,
        standing=standing,
        account=account,
        key=totp.written(key),
        address=address,
        qr=_qr(address) if address else "",
        owes=who.owes_factor,
    )


def _qr(content: str) -> Markup:
    """A picture that holds no script and no style of its own; black on white in whatever colours the page is."""
    drawn = segno.make(content, error="m", micro=False)
    return Markup(drawn.svg_inline(scale=4, border=QUIET, light="#fff", svgclass="qr", omitsize=True))  # noqa: S704 - drawn by segno: squares, and none of the content
