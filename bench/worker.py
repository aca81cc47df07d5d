"""Runs one function in a process of its own: `python -m bench.worker MODULE FUNCTION JSON` prints what it returned and the
process's peak memory.

The kernel's high-water mark is reset when a program starts, unlike `ru_maxrss`, which begins at the parent's size. Where it is enough
that everything runs (`Scale.apart` says so), the process is a fork of this one instead: starting a program takes longer than its work there."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from service import logs

forking = False  # see above; whoever runs the benchmarks says so


@dataclass(frozen=True)
class Outcome:
    result: Any
    peak_mb: float


def fork(function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function` (of a module) returns, or raises, in a fork of this process."""
    with ProcessPoolExecutor(1, mp_context=get_context("fork")) as pool:
        return pool.submit(function, *arguments).result()


def apart(function: Callable[..., Any], env: Mapping[str, str], **arguments: Any) -> Outcome:
    """What `function` (of a module) returns when it is called with `arguments` (JSON) in a process with this environment.
    Raises RuntimeError when that process fails."""
    if forking:
        found: Outcome = fork(_here, function, dict(env), json.loads(json.dumps(arguments)))
        return found
    command = [sys.executable, "-m", "bench.worker", function.__module__, function.__qualname__, json.dumps(arguments)]
    done = subprocess.run(command, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{function.__module__}.{function.__qualname__} failed (see above)")
    return Outcome(**json.loads(done.stdout.splitlines()[-1]))


def _here(function: Callable[..., Any], env: Mapping[str, str], arguments: Mapping[str, Any]) -> Outcome:
    os.environ.update(env)
    return Outcome(function(**arguments), peak_mb())


def peak_mb() -> float:
    """The most memory that this process has held so far, in megabytes (0 where the kernel does not tell)."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0.0)


def processor_seconds(*others: int) -> float:
    """The processor time that this process and these others have used so far (0 for those of whom the kernel does not tell)."""
    found = time.process_time()
    for pid in others:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def main(module: str, function: str, arguments: str) -> None:
    with TemporaryFile("w") as lines:
        logs.write(lines, as_json=False)  # as the programs of `warmline up` do
        result = getattr(importlib.import_module(module), function)(**json.loads(arguments))
    print(json.dumps({"result": result, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
