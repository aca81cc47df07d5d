"""What a profile says that bears somebody's name and is not theirs: a parody, an admirer's, a foundation's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from service.rules import names

# In a name or a bio, in the spelling of `service.rules.names`; a word that ends in * may go on.
_SAID: Mapping[str, str] = {
    "en": (
        "parody, parodies, spoof account, satire account, satirical account, satirical, impersonat*, unofficial, fan account, fan page, fan club, fanpage,"
        " fanclub, fanaccount, stan account, tribute account, commentary account, roleplay account, not the real, not affiliated, not a official,"
        " not an official, not official"
    ),
    "de": "parodie, parodieaccount, satireaccount, inoffiziell*, fanseite, fankonto, nicht der echte, nicht die echte",
    "es": "parodia, cuenta fan, cuenta satirica, club de fans, cuenta no oficial, no oficial",
    "fr": "parodique, compte fan, compte satirique, non officiel, non officielle",
    "it": "account satirico, pagina satirica, non ufficiale, pagina fan",
    "pt": "fa clube, faclube, perfil fake, conta fake, conta de fas, nao oficial",
    "nl da no sv": "parodi, onofficieel, inofficieel, niet officieel, inofficiell*, uofficiel*, uoffisiel*, fankonto",
    "pl cs tr id": "nieoficjaln*, neoficialni, parodie ucet, hayran hesabi, parodi hesabi, tidak resmi",
}
_IN_OTHER_SCRIPTS = (
    "пародия", "пародийный", "неофициальн", "фан-аккаунт", "фан аккаунт", "неофіційн", "пародія", "パロディ", "非公式", "ファンアカウント", "なりすまし",
    "패러디", "비공식", "팬계정", "팬 계정", "恶搞", "惡搞", "非官方", "粉丝号", "粉絲專頁", "حساب ساخر", "محاكاة ساخرة", "غير رسمي", "חשבון פרודיה", "פרודיה", "לא רשמי",
    "παρωδία", "ανεπίσημο",
)  # fmt: skip
# Beside the name in a display name: what networks ask parodies and admirers to say there, and what is named after people.
_ADMIRERS = frozenset("commentary fake fan fans memes quotes satire spoof tribute updates".split())  # noqa: SIM905
OF_FIRMS = _ADMIRERS - {
    "commentary",
    "quotes",
    "tribute",
    "updates",
}  # the others a firm's own account may be called as well
_NAMED_AFTER = frozenset(
    """
    airport archive award church estate foundation fund hospital library memorial museum prize scholarship school trust university
    fondation fondazione fundacion fundacao fundacja fonden museo musee preis stichting stiftelsen stiftung szkola universidad
    """.split()  # noqa: SIM905
)
_BEFORE = frozenset({"anti", "boycott", "fake", "fire", "not", "stop"})  # as the first word
_SUSPECT = _ADMIRERS | _NAMED_AFTER | _BEFORE
_PHRASES = re.compile(
    r"\b(" + "|".join(each.strip().replace("*", r"\w*") for some in _SAID.values() for each in some.split(",")) + r")\b"
)


# Whose parent, spouse or child the author is, and what stands before that one's name or office.
_RELATIONS: Mapping[str, tuple[str, str]] = {
    "en": ("dad daddy father mum mom mam mother parent grandpa grandma wife husband hubby widow widower son daughter brother sister", "of|to"),
    "de": ("vater mutter ehefrau ehemann sohn tochter bruder schwester", "von|der|des"),
    "es": ("papá mamá padre madre esposa esposo marido hijo hija hermano hermana", "del?"),
    "fr": ("père mère femme mari fils fille frère sœur épouse époux", "d[eu]"),
    "it": ("padre madre moglie marito figlio figlia fratello sorella", "d(?:i|el|ella)"),
    "pt": ("pai mãe filho filha irmão irmã esposa marido mulher", "d[eoa]"),
}  # fmt: skip
RELATIVES = frozenset(names.words(" ".join(said for said, _ in _RELATIONS.values())))
_RELATIVE = "|".join(f"(?:{said.replace(' ', '|')}) (?:{before})" for said, before in _RELATIONS.values())
_OF_A_RELATIVE = re.compile(rf"\b(?:{_RELATIVE})\s[^.,;:|/•·()\n]*", re.IGNORECASE)


# What somebody whom many follow who have never met them says to be: of a name that is known from there, more bearers have an account.
_ON_STAGE: Mapping[str, str] = {
    "en": (
        "singer songwriter rapper dj drummer guitarist bassist band album gig gigs mixtape actor actress comedian magician model dancer gospel footballer boxer"
        " fighter mma wrestler striker midfielder goalkeeper winger sprinter athlete grandmaster gamer gaming streamer twitch youtuber esports vlogger influencer"
    ),
    "de": "sanger sangerin schauspieler schauspielerin fussballer fussballerin rapperin boxerin sportler sportlerin",
    "es pt it": (
        "cantante cantautor cantautora cantor cantora rapero rapera rapeiro actriz ator atriz attore attrice modelo modella futbolista futebolista jogador calciatore"
        " peleador boxeador lutador pugile pugilista comediante humorista bailarin bailarina portero"
    ),
    "fr": "chanteur chanteuse rappeur rappeuse acteur actrice comedien comedienne footballeur footballeuse boxeur humoriste mannequin",
    "nl da no sv pl": "zanger zangeres voetballer sangare skadespelare fotbollsspelare skuespiller fodboldspiller piosenkarka piosenkarz pilkarz aktorka",
    "tr id vi": "sarkici oyuncu futbolcu penyanyi pemain aktris",
}
_PERFORMERS = frozenset(" ".join(_ON_STAGE.values()).split())


def on_stage(said: Iterable[str]) -> frozenset[str]:
    """Those of a profile's words that say its owner to be a performer or an athlete; none of most."""
    return _PERFORMERS.intersection(said)


def without_relatives(bio: str) -> str:
    """A bio without whose relative its author says to be ("proud dad of the mayor"), up to the end of that clause."""
    return _OF_A_RELATIVE.sub(" ", bio)


def disowns(name: str, bio: str) -> bool:
    """Whether a display name or a bio says that the account is not that of whoever it is called after."""
    said = f"{name}\n{bio}"
    return bool(_PHRASES.search(" ".join(names.words(said)))) or any(each in said for each in _IN_OTHER_SCRIPTS)


def beside(name: str) -> frozenset[str]:
    """The words of a display name that make something else of a person's name, unless that person is called so. What is said after the name
    ("Ana Silva | Porto fan") is about the person, but for a word by itself ("Ana Silva (fan)")."""
    if _SUSPECT.isdisjoint(names.words(name)):
        return frozenset()  # most names: this is asked of everybody
    said_after, first = names.words(names.aside(name)), names.name_words(name)[:1]
    alone = _ADMIRERS.intersection(said_after) if len(said_after) == 1 else frozenset()
    return (
        alone
        | _BEFORE.intersection(first)
        | (_ADMIRERS | _NAMED_AFTER).intersection(names.name_words(name.partition(",")[0]))
    )
