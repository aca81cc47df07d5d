"""Error pages: one sentence each, and a way on. The API has problems of its own, in JSON."""

from __future__ import annotations

from flask import Flask, current_app, g, render_template, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import BadHost, BadRequest, HTTPException, SecurityError, ServiceUnavailable
from werkzeug.wrappers import Response

from service.console.guard import SIGNED_OUT
from service.errors import PlainError
from service.sessions import EndedError
from service.watch.doors import PATHS

SENTENCES = {
    400: "That request could not be read. Go back and try again.",
    403: "You may not open this page.",
    404: "There is nothing at this address. It may have been removed, or the link may be incomplete.",
    405: "This address cannot be used that way. Start from the overview.",
    413: "That was too much at once. Send less than 2 MB.",
    429: "Too many requests. Wait a minute and try again.",
    503: "The database cannot be reached at the moment. Try again in a minute; nothing is lost.",
    500: "Something went wrong here, and has been written to the log. Try again in a minute.",
}
NO_HOST = "The header Host names no host that could exist."
TITLES = {
    400: "Not understood",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible",
    413: "Too large",
    429: "Too many requests",
    500: "Our fault",
    503: "Back in a moment",
}


def register(app: Flask) -> None:
    """Answers errors outside the API with a page."""
    for code in SENTENCES:
        app.register_error_handler(code, _answer)
    app.register_error_handler(OperationalError, _database_away)
    app.register_error_handler(PlainError, _plain)
    app.register_error_handler(EndedError, _ended)


def is_api(path: str) -> bool:
    """Whether an address belongs to programs, which want JSON and not a page."""
    return path.startswith(("/v1/", "/hooks/", "/.well-known/")) or path in PATHS


def _answer(error: HTTPException) -> HTTPException | Response:
    if is_api(request.path):
        return error
    if isinstance(error, (BadHost, SecurityError)):  # no page: without a host none of its links can be built
        return Response(NO_HOST, error.code, mimetype="text/plain")
    code = error.code or 500
    if code == 500:
        g.caller = None  # so that the page asks nothing of what may have failed
    said = error.description or ""
    ours = bool(said) and said != type(error).description
    page = render_template(
        "failure.html", title=TITLES[code], sentence=said if ours and code != 500 else SENTENCES[code], code=code
    )
    response = Response(page, code, mimetype="text/html")
    for name, value in error.get_headers():
        if name == "Allow":  # RFC 9110, 15.5.6: a 405 names what is possible
            response.headers[name] = value
    return response


def _database_away(error: OperationalError) -> HTTPException | Response:
    current_app.logger.error("the database cannot be reached: %s", type(error.orig).__name__)
    g.caller = None
    return _answer(ServiceUnavailable())


def _ended(_: EndedError) -> Response:
    g.caller = None  # so that the page shows nothing of the workspace
    return Response(render_template("signed_out.html", sentence=SIGNED_OUT), 401, mimetype="text/html")


def _plain(error: PlainError) -> HTTPException | Response:
    if is_api(request.path):
        raise error
    return _answer(BadRequest(str(error)))
