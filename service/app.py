"""The web application: REST API, console, webhooks, health."""

from __future__ import annotations

from flask import Flask, Response, jsonify

from service import config as configuration
from service.config import Config
from service.runtime import Runtime, runtime

MAX_BODY = 2 * 1024 * 1024  # bytes


def create_app(config: Config | None = None) -> Flask:
    """The application. Raises PlainError for a set-up that would not be safe: no key to seal with, or a database role
    that row-level security does not hold."""
    config = config or configuration.load()
    app = Flask("service", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.config["TESTING"] = config.testing
    app.extensions["warmline"] = held = Runtime(config)
    held.vault  # noqa: B018 - refuses here, not on the first request
    if not config.testing:
        held.db.check_role()

    # Each registers its blueprints.
    from service.api import register as register_api
    from service.console import register as register_console
    from service.hooks import register as register_hooks

    register_api(app)
    register_console(app)
    register_hooks(app)
    app.add_url_rule("/livez", view_func=_alive)
    return app


def _alive() -> Response:
    return jsonify(status="ok")


def forget_connections(app: Flask) -> None:
    """After a fork: connections of the parent belong to the parent."""
    with app.app_context():
        runtime().db.engine.dispose(close=False)
