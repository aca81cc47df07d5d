"""The least that a list could cost: one Flask route, the same query under the same role and policy, the rows dumped."""

from __future__ import annotations

import json
import os
import threading

import psycopg
from flask import Flask, Response
from psycopg.rows import dict_row

from service import config as configuration
from service.runtime import Runtime
from service.store.listing import ENGAGEMENTS

_QUERY = f"{ENGAGEMENTS.select} ORDER BY {ENGAGEMENTS.order} LIMIT %(n)s".encode()


def create_app() -> Flask:
    """For gunicorn, with the settings that the service has."""
    config, workspace = configuration.load(), os.environ["BENCH_WORKSPACE"]
    url = config.need("database_url").replace("postgresql+psycopg", "postgresql")
    mine = threading.local()
    app = Flask("bare")
    app.extensions["warmline"] = Runtime(config)  # what `service.serving` looks for after a fork

    @app.get("/engagements")
    def engagements() -> Response:
        if not hasattr(mine, "connection"):
            mine.connection = psycopg.connect(url, row_factory=dict_row)
        with mine.connection.transaction():
            mine.connection.execute("SELECT set_config('app.workspace_id', %s, true)", [workspace])
            rows = mine.connection.execute(_QUERY, {"w": workspace, "n": 50}).fetchall()
        return Response(json.dumps(rows, default=str), content_type="application/json")

    return app
