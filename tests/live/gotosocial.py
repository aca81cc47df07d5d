"""Two real GoToSocials on this machine, and people on them: the brand and a customer on the one, somebody else on the other.

WARMLINE_GOTOSOCIAL names a folder with the program `gotosocial` and its folder `web`, as a release's archive holds them, or as they stand in a checkout
(codeberg.org/superseriousbusiness/gotosocial) once `scripts/build.sh` has built it there. 0.20 wants Go 1.24 or 1.25, no newer one; the pages of these tests
need none of what `yarn` would build. With `GO_BUILDTAGS=nowasmffmpeg` it takes `ffmpeg` and `ffprobe` from the path and does not start without them:
no test has a picture, so files that do nothing stand in where there are none.

The servers call each other by their names, and over plain http: a proxy on this machine knows where the names lead, and nothing leaves it. The brand's
handles end in another name than its server has, as is usual.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from service import embedded, pgfolder
from tests.live.fediverse import PASSWORD, SCOPES, Server, answers, free_port, process, until

BRAND, CUSTOMER, STRANGER = "team@brand.test", "ada@brand.test", "bea@elsewhere.test"
HOSTS = {"brand.test": "social.brand.test", "elsewhere.test": "elsewhere.test"}  # what handles end in -> the server


@dataclass(frozen=True)
class Network:
    """The brand's server, and another."""

    here: Server
    elsewhere: Server


@contextmanager
def running(server: embedded.Postgres, home: Path) -> Iterator[Network]:
    """Starts both, each with a database of its own on `server`. Skips, saying so, where the program is not here."""
    source = Path(os.environ.get("WARMLINE_GOTOSOCIAL") or "/nowhere").absolute()
    if not (source / "gotosocial").exists():
        pytest.skip("GoToSocial is not here (set WARMLINE_GOTOSOCIAL to a folder with its program and its web/)")
    _stand_in(home / "bin")
    ports = {domain: free_port() for domain in HOSTS}
    with _names({HOSTS[domain]: port for domain, port in ports.items()} | ports) as proxy:
        start = partial(_one, server, home, source, proxy)
        with (
            start("brand.test", ports["brand.test"], (BRAND, CUSTOMER)) as here,
            start("elsewhere.test", ports["elsewhere.test"], (STRANGER,)) as elsewhere,
        ):
            yield Network(here, elsewhere)


@contextmanager
def _one(
    server: embedded.Postgres, home: Path, source: Path, proxy: str, domain: str, port: int, people: tuple[str, ...]
) -> Iterator[Server]:
    """One server, with these people on it; the first is its brand, the last its customer."""
    database = f"gotosocial_{domain.partition('.')[0]}"
    with server.connect(database="postgres") as connection:
        connection.execute(f"CREATE DATABASE {database}")
    (home / domain).mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PG", "GTS_"))},
        "PATH": f"{os.environ['PATH']}{os.pathsep}{home / 'bin'}",
        "HTTP_PROXY": proxy,
        "NO_PROXY": "",
        "GTS_HOST": HOSTS[domain],
        "GTS_ACCOUNT_DOMAIN": domain,
        "GTS_PROTOCOL": "http",
        "GTS_BIND_ADDRESS": "127.0.0.1",
        "GTS_PORT": str(port),
        "GTS_DB_TYPE": "postgres",
        "GTS_DB_ADDRESS": str(server.socket),
        "GTS_DB_USER": pgfolder.SUPERUSER,
        "GTS_DB_DATABASE": database,
        "GTS_STORAGE_LOCAL_BASE_PATH": str(home / domain),
        "GTS_WEB_TEMPLATE_BASE_DIR": f"{source}/web/template/",
        "GTS_WEB_ASSET_BASE_DIR": f"{source}/web/assets/",
        "GTS_HTTP_CLIENT_INSECURE_OUTGOING": "true",
        "GTS_HTTP_CLIENT_ALLOW_IPS": "127.0.0.1/32",
        "GTS_ADVANCED_RATE_LIMIT_REQUESTS": "100000",  # all of us have one address, and the headers are to be seen
    }
    run = [str(source / "gotosocial")]
    web, pages = f"http://127.0.0.1:{port}", f"http://{HOSTS[domain]}"
    with process([*run, "server", "start"], source, environment, home / f"{domain}.log"):
        until(lambda: answers(web))
        for each in people:
            account = ["--username", each.partition("@")[0], "--email", each, "--password", PASSWORD]
            made = [*run, "admin", "account", "create", *account]
            subprocess.run(made, cwd=source, env=environment, check=True, capture_output=True, timeout=120)
        yield Server("gotosocial", web, pages, SCOPES, people[0], people[-1], partial(_signs_in, web, pages, proxy))


def _signs_in(web: str, pages: str, proxy: str, authorize_url: str, who: str) -> str:
    browser = requests.Session()
    browser.proxies = {"http": proxy}  # its cookies are for the server's own name
    browser.get(authorize_url.replace(web, pages), timeout=30).raise_for_status()
    typed = {"username": who, "password": PASSWORD}
    browser.post(f"{pages}/auth/sign_in", data=typed, timeout=30).raise_for_status()
    answer = browser.post(f"{pages}/oauth/authorize", allow_redirects=False, timeout=30)
    return str(answer.headers["Location"])


def _stand_in(folder: Path) -> None:
    folder.mkdir()
    for name in ("ffmpeg", "ffprobe"):
        (folder / name).write_text("#!/bin/sh\nexit 1\n")
        (folder / name).chmod(0o755)


@contextmanager
def _names(ports: Mapping[str, int]) -> Iterator[str]:
    """A proxy for plain http that knows no other names than these. Yields its address."""

    class Proxy(BaseHTTPRequestHandler):
        def _passes_on(self) -> None:
            asked = urlsplit(self.path)
            port = ports.get(asked.hostname or "")
            if port is None:
                self.send_error(502)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = asked._replace(scheme="", netloc="").geturl()
            with closing(HTTPConnection("127.0.0.1", port, timeout=30)) as server:
                server.request(self.command, path, body or None, dict(self.headers))
                answer = server.getresponse()
                content = answer.read()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("transfer-encoding", "content-length", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _passes_on

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{found.server_port}"
        finally:
            found.shutdown()
            thread.join()
