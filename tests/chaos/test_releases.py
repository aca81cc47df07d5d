"""A release to deploy is the one before it with a migration more, which its own code cannot do without."""

from __future__ import annotations

from pathlib import Path

from chaos import releases


def test_each_release_adds_a_migration_to_the_one_before_and_a_model_that_wants_its_column(tmp_path: Path) -> None:
    first = releases.first(tmp_path)
    second = releases.following(first)
    third = releases.following(second)

    assert [second.head, third.head] == ["chaos_1", "chaos_2"]
    assert first.head not in ("chaos_1", "chaos_2")
    model = (third.tree / "service/models/connections.py").read_text()
    assert "chaos_1: Mapped[str]" in model
    assert "chaos_2: Mapped[str]" in model
    assert "chaos_" not in (first.tree / "service/models/connections.py").read_text()
