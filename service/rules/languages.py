"""Whether a text is English, by its most frequent small words and its script. Enough to choose between two ways of reading,
no more."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum


class English(StrEnum):
    YES = "yes"
    LIKELY = "likely"  # nothing speaks for another language
    NO = "no"


SMALL_WORDS = frozenset(
    """
    the to and is it you your i i'm i've my me we our for of on in with this that not but have has are was be can do does did what how when why
    they them just from get got will would been there so if please thanks at an or he she his her all out up don't it's no yes
    """.split()  # noqa: SIM905
)
# Small words of languages that write in Latin letters; those that are English words as well say nothing.
_OTHERS = (
    frozenset(
        """
    der die das und ist nicht ich wir ihr mit auf fur ein eine zu wie kein dass sich auch noch bei warum wann sie mich mir bitte was wo habt gibt immer schon
    le les et est pas je nous vous pour avec une des du que qui sur c'est dans mais ca votre mon ma bonjour moi combien depuis comment svp
    el los las y es por para con una que se mi su pero como cuando gracias hola muy esta estoy tengo hay cuanto donde porque desde
    il gli e di che per sono con una mi ho ma anche grazie ciao della questo perche quanto dove quando ancora
    os nao para com uma meu minha voces esta muito estou obrigado obrigada quando ola tem quanto onde podem ainda pra
    het een niet ik van voor met jullie maar ook wat hoe dank mijn bij naar zijn geen kan kunnen mij nog
    och att det som inte jag har med pa ar tack hej nar kan og ikke jeg til er av tak ett min kommer
    jest nie sie na z co czy dziekuje prosze mam jak juz bir bu ve icin ne var mi cok tesekkurler nasil yok
    saya tidak yang dan di ini ada bisa untuk terima kasih kapan tolong sudah apa
    ang ng mga sa po hindi ko ba salamat
    """.split()  # noqa: SIM905
    )
    - SMALL_WORDS
)


def english(words: Sequence[str], language: str | None) -> English:
    """Whether these words (folded, in order) are English. `language` is a BCP 47 tag where the network says one: often the
    setting of an account and not the language of the text, so it decides only where the words do not."""
    own = sum(map(SMALL_WORDS.__contains__, words))
    other = 0 if _OTHERS.isdisjoint(words) else sum(map(_OTHERS.__contains__, words))
    if own != other:
        return English.YES if own > other else English.NO
    tag = language.partition("-")[0].lower() if language else ""
    if tag and tag != "und":
        return English.YES if tag == "en" else English.NO
    foreign = other or not all(word.isascii() or not word.isalpha() for word in words)
    return English.NO if foreign else English.LIKELY
