"""The web application: REST API, console, webhooks, health."""

from __future__ import annotations

from flask import Flask

from service import config as configuration
from service import logs
from service.config import Config
from service.db import check_schema
from service.runtime import Runtime, runtime
from service.watch import doors, tracing

MAX_BODY = 2 * 1024 * 1024  # bytes


def create_app(config: Config | None = None) -> Flask:
    """The application. Raises PlainError for a set-up that would not be safe: no key to seal with, or a database role
    that row-level security does not hold."""
    config = config or configuration.load()
    app = Flask("service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["TESTING"] = config.testing
    app.extensions["warmline"] = held = Runtime(config)
    if not config.testing:
        logs.configure(config)
        check(held)

    doors.register(app)
    # Each registers its blueprints.
    from service.api import register as register_api
    from service.console import register as register_console
    from service.hooks import register as register_hooks

    register_api(app)
    register_console(app)
    register_hooks(app)
    return app


def check(held: Runtime) -> None:
    """Refuses here, not on the first request: no key to seal with, a role that row-level security does not hold, a schema
    that this version cannot use. Raises PlainError."""
    held.vault  # noqa: B018 - made here
    held.db.check_role()
    with held.db.engine.connect() as connection:
        check_schema(connection, newer=True)


def begin_process(app: Flask) -> None:
    """After a fork: connections of the parent belong to the parent, and spans need a thread of this process."""
    with app.app_context():
        runtime().db.engine.dispose(close=False)
    tracing.configure(app.extensions["warmline"].config, "web")


def end_process(app: Flask) -> None:
    """This process ends in good order."""
    doors.teller(app).leave()
    tracing.shut_down()
