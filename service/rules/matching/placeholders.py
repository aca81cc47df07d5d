"""What stands in a CRM's fields where nothing is known, in the spelling of `service.rules.names`: it is no name, no firm and no handle."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from service.rules import names

NOTHING = frozenset(
    """
    anonym anonymous asdf blank contact customer dummy empty example inconnu lead leer na nil nobody noname none nothing null placeholder sample
    sconosciuto tbc tbd test testing tester unbekannt undefined unknown user xx xxx desconhecido desconocido onbekend okand nieznany
    """.split()  # noqa: SIM905
)
_NAMES = frozenset(
    {"john doe", "jane doe", "doe john", "doe jane", "max mustermann", "erika mustermann", "no name", "first last"}
)
BEGINS = NOTHING.union(each.split()[0] for each in _NAMES)  # first words of what is no name
# What people do who have no employer; in a bio it is a word like any other.
_EMPLOYERS: Mapping[str, str] = {
    "en": (
        "freelance, freelancer, self, self employed, selfemployed, independent, independent consultant, consultant, contractor, retired, student, unemployed,"
        " private, individual, home, homemaker, personal, sole trader, sole proprietor, various, other, not applicable, not provided, no company, company"
    ),
    "de": "selbstandig, selbststandig, selbstaendig, selbststaendig, freiberufler, freiberuflich, privat, privatperson, rentner, schuler, studentin, arbeitslos, keine, ohne",
    "es pt": "autonomo, autonoma, independiente, independente, jubilado, jubilada, estudiante, estudante, particular, aposentado, aposentada, ninguna, nenhuma",
    "fr it nl": "independant, independante, retraite, retraitee, etudiant, etudiante, aucune, libero professionista, pensionato, studente, nessuna, privato, zzp, gepensioneerd, geen",
}  # fmt: skip
_NO_FIRMS = frozenset(each.strip() for some in _EMPLOYERS.values() for each in some.split(","))


def is_no_name(words: Iterable[str]) -> bool:
    """Whether these words, all of them, stand for a name that is not known."""
    found = tuple(words)
    return bool(found) and (NOTHING.issuperset(found) or " ".join(found) in _NAMES)


def is_no_firm(words: Iterable[str]) -> bool:
    """Whether a company's words say that there is none."""
    found = tuple(words)
    return bool(found) and (NOTHING.issuperset(found) or " ".join(found) in _NO_FIRMS)


def is_no_handle(value: str) -> bool:
    """Whether what stands in a field for handles says that there is none: n/a, none, a dash."""
    return names.compact(value) in NOTHING
