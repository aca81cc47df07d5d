"""The whole system, in processes of its own, under twenty faults of nearly as many kinds. `make chaos` is the same with a thousand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SEED = 11  # another is another plan: `make chaos` takes a new one each time


@pytest.mark.chaos
def test_nothing_is_lost_missing_twice_stale_or_overwritten_and_all_is_normal_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    size = ("--faults", "20", "--posts", "300", "--seed", str(SEED), "--seconds", "25", "--lease", "8")
    done = subprocess.run(
        [sys.executable, "-m", "chaos", *size, "--keyless", "never", "--json", "--limit", "280"],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)[0]
    assert set(told["differences"].values()) == {0}, told
    assert told["back_to_normal"] is not None, done.stderr
    assert told["well"], told
    assert done.returncode == 0
    assert told["posts"] == 300
    assert told["tasks"] > 20
    assert told["faults"] + sum(told["missed"].values()) == 20
    assert list(tmp_path.iterdir()) == []
