"""Ports that we listen on: whether we can, told in a sentence before anything is started."""

from __future__ import annotations

import errno
import socket

from service.errors import PlainError

HERE = "127.0.0.1"
_NO_SUCH_ADDRESS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)


def check_free(port: int, setting: str, host: str = HERE) -> None:
    """Raises PlainError where nobody can listen on this port of this address of ours; `setting` is what says the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), port))
        except OverflowError:
            raise PlainError(f"{setting} is {port}, and ports go from 1 to 65535. Set it to a free one.") from None
        except PermissionError:
            raise PlainError(f"Port {port} is kept for root. Set {setting} to a port above 1023.") from None
        except OSError as error:
            raise _refused(port, setting, host, error) from None


def _refused(port: int, setting: str, host: str, error: OSError) -> PlainError:
    if isinstance(error, socket.gaierror) or error.errno in _NO_SUCH_ADDRESS:
        return PlainError(
            f"WARMLINE_BIND is {host}, and this machine has no such address. Set it to {HERE}, or to 0.0.0.0 for all that it has."
        )
    return PlainError(f"Port {port} is in use by another program. Stop that, or set {setting} to a free port.")
