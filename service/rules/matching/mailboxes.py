"""Mailboxes of an office and not of a person, by the word before the @."""

from __future__ import annotations

from collections.abc import Mapping

from service.rules import names
from service.rules.matching import addresses

# RFC 2142, and what else stands on contact pages, in one spelling (see `service.rules.names`): büro is buro and buero, no-reply noreply.
# What is missing is noticed where contacts of different names carry one address (see `service.store.sharing`). What people are called by
# their given names (Ola, Welcome, Bienvenue) is missing on purpose. What is but a family name as well (Post, Sales, Winkel) is an office's
# far more often.
_WORDS: Mapping[str, str] = {
    "en": (
        "abuse accounts admin billing bookings careers contact contactus customercare customerservice desk enquiries enquiry feedback frontdesk"
        " general hello help helpdesk hi hostmaster hr info inquiries inquiry invoices jobs mail marketing media news newsletter noc noreply donotreply"
        " office orders postmaster press privacy reception reservations sales security service services shop staff support team webmaster"
    ),
    "de": (
        "anfrage anfragen auskunft bestellung bestellungen bewerbung buchhaltung buchung buero buro datenschutz einkauf empfang hallo kanzlei kontakt"
        " kundendienst kundenservice post praxis presse rechnung rechnungen redaktion reservierung sekretariat termine verkauf vertrieb verwaltung"
        " willkommen zentrale"
    ),
    "fr": (
        "accueil bonjour bureau commande commandes commercial compta comptabilite contacter direction facturation presse recrutement"
        " reservation rh secretariat serviceclient serviceclients vente ventes"
    ),
    "es": (
        "administracion atencion atencionalcliente atencioncliente clientes compras comercial contacto empleo facturacion hola informacion oficina"
        " pedidos prensa recepcion reservas rrhh secretaria soporte tienda ventas"
    ),
    "it": (
        "acquisti amministrazione assistenza assistenzaclienti ciao commerciale contabilita contatti contatto fatture informazioni lavoro negozio"
        " ordini prenotazioni reception segreteria servizioclienti stampa ufficio vendite"
    ),
    "pt": (
        "administracao apoio atendimento contabilidade contato contatos contactos encomendas escritorio faturacao financeiro geral imprensa loja"
        " pedidos recepcao reservas secretaria suporte vendas"
    ),
    "nl": (
        "administratie bestelling bestellingen boekhouding facturen factuur info inkoop kantoor klantenservice onthaal pers receptie reserveren"
        " secretariaat verkoop vragen welkom winkel"
    ),
    "da no sv": (
        "bestilling bokning faktura firmapost forsaljning hej hei kundeservice kundservice kundtjanst kontor ordre post postmottak regnskab"
        " regnskap resepsjon salg"
    ),
    "pl tr fi id": (
        "asiakaspalvelu biuro bilgi destek faktury iletisim kontak muhasebe myynti obsluga penjualan rekrutacja satis sekretariat sprzedaz toimisto"
        " zamowienia"
    ),
}  # fmt: skip
_OFFICES = frozenset(word for words in _WORDS.values() for word in words.split())


def is_offices(address: str) -> bool:
    """Whether an e-mail address is an office's by its name. What follows a plus, and digits, are no part of it (info2+web@)."""
    local = names.compact(address.partition("@")[0].partition("+")[0])
    return local.strip("0123456789") in _OFFICES


_SHORTEST_TELLING = 5  # letters and digits by which a mailbox tells its owner elsewhere


def telling(address: str) -> str:
    """The letters and digits before the @ of an address at a provider that anybody can have one of, where they may tell whose account goes by
    the same: empty for an office's, for a few letters, and at a firm, where they are the name again. What follows a plus is no part of it."""
    box, _, host = address.rpartition("@")
    word = names.compact(box.partition("+")[0])
    return "" if len(word) < _SHORTEST_TELLING or is_offices(address) or addresses.domain(host) is not None else word
