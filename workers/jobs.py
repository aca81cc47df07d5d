"""What the queue names: a job's arguments are ids, and losing one costs a few minutes, never a mention.

The runtime is made once per process and opens no socket before it is used, so the worker may import this module before it
forks.
"""

from __future__ import annotations

import gc
from functools import cache
from uuid import UUID

from sqlalchemy.orm import configure_mappers

from integrations.registry import providers
from service import config as configuration
from service.runtime import Runtime
from workers import decide as deciding
from workers import pull as pulling
from workers import push as pushing


@cache
def runtime() -> Runtime:
    """This process's."""
    return Runtime(configuration.load())


def pull(workspace_id: str, stream_id: str, lease_id: str) -> None:
    pulling.pull(runtime(), UUID(workspace_id), UUID(stream_id), UUID(lease_id))


def decide(workspace_id: str, lease_id: str) -> None:
    deciding.decide(runtime(), UUID(workspace_id), UUID(lease_id))


def push(workspace_id: str, connection_id: str, lease_id: str) -> None:
    pushing.push(runtime(), UUID(workspace_id), UUID(connection_id), UUID(lease_id))


def preload() -> None:
    """Imports what jobs need (every provider, and with them their client libraries) and makes ready what is made once, so
    that forks inherit it. The garbage collector need not look at all of that again: it stays, and its pages are shared."""
    providers()
    configure_mappers()
    gc.collect()
    gc.freeze()
