"""Word vectors that the text rules are learnt with, read from files as small as a test."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

np = pytest.importorskip("numpy", reason="What the training needs is not installed (make bench).")
PIECES = ("[PAD]", "'", "don", "the", "play", "##ing", "t")


@pytest.fixture
def vectors() -> ModuleType:
    found: ModuleType = pytest.importorskip("training.vectors", reason="The training scripts are not here.")
    return found


@pytest.fixture
def encoder(vectors: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Makes an encoder of seven pieces: each lies in a direction of its own."""
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES))
    table = np.eye(len(PIECES), dtype="<f4").tobytes()
    header = json.dumps({
        "other": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        "embeddings.word_embeddings.weight": {"dtype": "F32", "shape": [len(PIECES)] * 2, "data_offsets": [4, 4 + len(table)]},
    }).encode()  # fmt: skip
    (tmp_path / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + b"\0" * 4 + table)
    for name in ("ENCODER", "ENCODER_PIECES"):
        file = getattr(vectors, name)
        there = sha256((tmp_path / file.name).read_bytes()).hexdigest()
        monkeypatch.setattr(vectors, name, file._replace(sha256=there))
    return lambda: vectors.Encoder(tmp_path)


def test_a_word_has_the_mean_of_the_pieces_it_is_made_of(encoder: Callable[[], Any]) -> None:
    of = encoder().of
    assert of("play").any()
    assert not np.allclose(of("playing"), of("play"))
    assert np.allclose(3 * of("don't"), of("don") + of("'") + of("t"))


def test_a_word_of_unknown_pieces_and_the_beginning_of_a_text_have_none(encoder: Callable[[], Any]) -> None:
    of = encoder().of
    assert not any(of(word).any() for word in ("", "^", "zebra", "playzzz", "☀"))


def test_a_text_has_the_vectors_of_its_words_added_up_as_weights_are(
    vectors: ModuleType, encoder: Callable[[], Any]
) -> None:
    known = encoder()
    [found] = vectors.added_up(known, [["^", "the", "play", "the"]])
    assert np.allclose(found, (2 * known.of("the") + known.of("play")) / 2)


def test_other_files_than_those_the_weights_were_learnt_with_are_refused(
    vectors: ModuleType, encoder: Callable[[], Any], tmp_path: Path
) -> None:
    encoder()
    (tmp_path / "vocab.txt").write_text("\n".join(reversed(PIECES)))
    with pytest.raises(ValueError, match=r"vocab\.txt is not the file"):
        encoder()
