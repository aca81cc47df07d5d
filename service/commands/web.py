"""`warmline web`: gunicorn, in this process, as `service.serving` says."""

from __future__ import annotations

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from service import config as configuration
from service import serving
from service.app import create_app
from service.config import Config


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The application is made before anything listens, so what is wrong with the set-up is told like any command's."""

    def __init__(self, config: Config) -> None:
        self._config = config
        super().__init__()

    def load_config(self) -> None:
        options = {**vars(serving), "bind": f"{self._config.host}:{self._config.port}"}
        for name in options.keys() & self.cfg.settings.keys():
            self.cfg.set(name, options[name])

    def load(self) -> Flask:
        return create_app(self._config)


@click.command()
def command() -> None:
    """Serve the console and the API."""
    Server(configuration.load()).run()
