"""How gunicorn serves: threads, since requests wait for PostgreSQL more than they compute."""

import os

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = (
    16  # twice the seats for calls of the API that are refused (`service.api.pace`): eight stay for everybody else
)
worker_class = "service.serving.Draining"
timeout = 60
graceful_timeout = int(float(os.environ.get("WARMLINE_STOP_WITHIN", "20")))  # for requests under way
preload_app = True
accesslog = None
limit_request_line = 8190
control_socket_disable = True  # nobody needs to steer it from outside
forwarded_allow_ips = os.environ.get("WARMLINE_TRUSTED_PROXIES", "127.0.0.1")


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
