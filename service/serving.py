"""How gunicorn serves: threads, since requests wait for PostgreSQL more than they compute."""

from __future__ import annotations

import os
import re
from typing import Any

from flask import Flask
from gunicorn import systemd
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from service.config import Config
from service.importing import importing
from service.ports import check_free

threads = (
    16  # twice the seats for calls of the API that are refused (`service.api.pace`): eight stay for everybody else
)
worker_class = "service.serving.Draining"
timeout = 60
preload_app = True
accesslog = None
errorlog = None  # no lines of its own form
logger_class = "service.serving.Lines"
limit_request_line = 8190
control_socket_disable = True  # nobody needs to steer it from outside

_UNREAD = re.compile(r"(Invalid request from ip=[^ ]*):.*", re.DOTALL)


class Server(BaseApplication):  # type: ignore[misc]  # untyped
    """The application is made before anything listens, so what is wrong with the set-up is told like any command's."""

    def __init__(self, config: Config) -> None:
        self._config = config
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            **globals(),
            "bind": f"{self._config.host}:{self._config.port}",
            "workers": self._config.web_processes,
            "graceful_timeout": int(self._config.stop_within),  # seconds for requests under way
            "forwarded_allow_ips": ",".join(self._config.trusted_proxies),
        }
        for name in options.keys() & self.cfg.settings.keys():
            self.cfg.set(name, options[name])

    def run(self) -> None:
        """The set-up first, then the address: gunicorn would try one that is taken for seconds, and end with lines of its own."""
        self.wsgi()
        if not _is_handed_a_socket():
            check_free(self._config.port, "PORT", self._config.host)
        super().run()

    def load(self) -> Flask:
        with importing():
            from service.app import create_app
            from service.rules.matching import addresses
            from service.rules.readiness import cues

            cues.preload()  # once, for all that are forked
            addresses.preload()
            return create_app(self._config)


def _is_handed_a_socket() -> bool:
    """By systemd, or by a gunicorn that starts itself anew."""
    return bool(systemd.listen_fds(unset_environment=False)) or "GUNICORN_FD" in os.environ


class Lines(Logger):  # type: ignore[misc]  # untyped
    """What gunicorn says comes out as everything else does (`service.logs`), its starts and stops among it."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self.error_log.propagate = True

    def warning(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Without the words of a request that cannot be read: a key or a link may stand in them."""
        super().warning(_UNREAD.sub(r"\1", str(msg)), *args, **kwargs)

    def exception(self, msg: object, *args: object, **kwargs: Any) -> None:
        """Without the address of a request that failed outside the application, for the same reason."""
        told = isinstance(msg, str) and msg.startswith("Error handling request")
        super().exception(*(("Error handling request",) if told else (msg, *args)), **kwargs)


class Draining(ThreadWorker):  # type: ignore[misc]  # untyped
    """Told to stop, it takes whoever stands in line already and listens no more. Gunicorn's own goes on listening without
    taking anybody: who came while the last requests were answered was cut off at the end."""

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not enabled and not self.alive:
            for listener in self.sockets:
                taken = -1
                while taken != self.nr_conns:  # `accept` says nothing when nobody is left
                    taken = self.nr_conns
                    self.accept(listener)
                listener.close()


def post_fork(server: Arbiter, worker: Worker) -> None:
    """Connections that were opened to check the set-up belong to the parent."""
    from service.app import begin_process

    begin_process(server.app.wsgi())


def worker_exit(server: Arbiter, worker: Worker) -> None:
    """Hands on what was counted, and says goodbye."""
    from service.app import end_process

    end_process(server.app.wsgi())
