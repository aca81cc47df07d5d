"""How gunicorn serves: threads, since requests wait for PostgreSQL more than they compute."""

import os

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
threads = 8
worker_class = "gthread"
timeout = 60
graceful_timeout = 5
preload_app = True
accesslog = None
limit_request_line = 8190
control_socket_disable = True  # nobody needs to steer it from outside
forwarded_allow_ips = os.environ.get("WARMLINE_TRUSTED_PROXIES", "127.0.0.1")


def post_fork(server: Arbiter, worker: Worker) -> None:
    """Connections that were opened to check the set-up belong to the parent."""
    from service.app import forget_connections

    forget_connections(server.app.wsgi())
