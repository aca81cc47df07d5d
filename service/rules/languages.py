"""Whether a text is English, by its most frequent small words and its script. Enough to choose between two ways of reading,
no more."""

from __future__ import annotations

from collections.abc import Sequence

_ENGLISH = frozenset(
    """the to and is it you your i i'm i've my me we our for of on in with this that not but have has are was be can do does did what how when why
    they them just from get got will would been there so if please thanks at an or he she his her all out up don't it's no yes""".split()
)
# Small words of the languages that write in Latin letters and are not English words.
_OTHERS = (
    frozenset(
        """der die das und ist nicht ich wir ihr mit auf fur ein eine zu wie kein dass sich auch noch bei warum wann
    le les et est pas je nous vous pour avec une des du que qui sur c'est dans mais ca votre mon ma bonjour
    el los las y es por para con una que se mi su pero como cuando gracias hola muy esta estoy tengo hay
    il gli e di che per sono con una mi ho ma anche grazie ciao della questo perche
    os nao para com uma meu minha voces esta muito estou obrigado obrigada quando ola tem
    het een niet ik van voor met jullie maar ook wat hoe dank mijn bij naar zijn geen
    och att det som inte jag har med pa ar tack hej nar kan og ikke jeg til er av tak
    jest nie sie na z co czy dziekuje prosze mam jak bir bu ve icin ne var mi cok tesekkurler nasil yok
    saya tidak yang dan di ini ada bisa untuk terima kasih kapan tolong sudah apa
    ang ng mga sa po hindi ko ba salamat""".split()
    )
    - _ENGLISH
)


def is_english(words: Sequence[str], language: str | None) -> bool:
    """`words` are folded, in order; `language` is a BCP 47 tag where the network says one. A network's tag is often the
    account's setting and not the text's language, so a text full of English words is English whatever the tag says; where
    nothing speaks for either, the tag decides, and English where there is none."""
    english = sum([word in _ENGLISH for word in words])
    other = sum([word in _OTHERS for word in words])
    if english != other:
        return english > other
    tag = language.partition("-")[0].lower() if language else ""
    if tag and tag != "und":
        return tag == "en"
    return all([word.isascii() or not word.isalpha() for word in words])
