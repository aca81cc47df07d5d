"""The console: pages rendered on the server, one module per page, templates and static files beside them."""

from __future__ import annotations

from flask import Blueprint, Flask

from service.console import (
    about,
    account,
    answered,
    brands,
    byhand,
    calendars,
    comparisons,
    connections,
    consent,
    conversations,
    departing,
    factor,
    failures,
    figures,
    guard,
    handle_fields,
    headers,
    joining,
    keys,
    matches,
    openid,
    operator,
    overview,
    page,
    pausing,
    people,
    persons,
    relationships,
    runs,
    secondstep,
    settings,
    signin,
    sources,
    tasks,
    trail,
)

PAGES = (
    overview,
    signin,
    secondstep,
    openid,
    account,
    factor,
    connections,
    pausing,
    consent,
    about,
    byhand,
    handle_fields,
    tasks,
    conversations,
    relationships,
    matches,
    sources,
    brands,
    calendars,
    figures,
    settings,
    runs,
    keys,
    people,
    persons,
    joining,
    answered,
    trail,
    departing,
    comparisons,
    operator,
)


def register(app: Flask) -> None:
    """Registers the pages, what guards them, and the error pages."""
    console = Blueprint(
        "console", __name__, template_folder="templates", static_folder="static", static_url_path="/static"
    )
    console.before_request(guard.check)
    page.prepare(console)
    for each in PAGES:
        console.register_blueprint(each.blueprint)
    app.register_blueprint(console)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.after_request(headers.protect)
    failures.register(app)
