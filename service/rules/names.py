"""Names, addresses and places in the one spelling in which they are compared."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

import tldextract

# The list of public suffixes that ships with the library: nothing is downloaded, nothing is written.
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

# Sites where everybody has a page, and mail that everybody can have: they say nothing about whose it is.
GENERIC = frozenset(
    """
    about.me allmylinks.com aol.com beacons.ai behance.net bento.me bio.link bio.site bit.ly blogger.com blogspot.com bsky.app bsky.social
    buymeacoffee.com calendly.com campsite.bio carrd.co discord.com discord.gg dribbble.com etsy.com eventbrite.com facebook.com fastmail.com fb.com
    fb.me flickr.com flow.page free.fr github.com github.io gitlab.com gitlab.io gmail.com gmx.at gmx.ch gmx.de gmx.net gofundme.com goo.gl google.com
    googlemail.com gravatar.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it icloud.com imdb.com instagram.com ko-fi.com
    laposte.net libero.it linkedin.com linkin.bio linkr.bio linktr.ee live.co.uk live.com live.nl lnk.bio lnk.to lnkd.in mail.com mail.ru
    mastodon.online mastodon.social me.com meetup.com medium.com milkshake.app msn.com msha.ke mstdn.social naver.com neocities.org netlify.app notion.site
    notion.so onlyfans.com orange.fr outlook.com outlook.de outlook.fr ow.ly pages.dev patreon.com paypal.com paypal.me pinterest.com pm.me proton.me protonmail.com qq.com
    reddit.com rocketmail.com sites.google.com sky.com snapchat.com snipfeed.co solo.to soundcloud.com spotify.com squarespace.com stan.store substack.com t-online.de
    t.co t.me tap.bio telegram.me telegram.org threads.net tiktok.com tinyurl.com tumblr.com twitch.tv twitter.com vercel.app vimeo.com vk.com wa.me
    wanadoo.fr web.app web.de webador.com weebly.com weibo.com whatsapp.com wikipedia.org wixsite.com wordpress.com x.com xing.com
    yahoo.co.uk yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yandex.ru youtu.be youtube.com zoho.com
    """.split()  # noqa: SIM905
)
# Hosts by which one and the same page goes.
_SAME_HOST = {"twitter.com": "x.com", "fb.com": "facebook.com"}
_TITLES = frozenset(
    """
    mr mrs ms mx miss dr prof professor sir dame lord lady rev hon honorable honourable rep sen senator congressman congresswoman mp mep msp mla
    jr sr ii iii iv phd md mba msc bsc ma ba cpa cfa esq dds dvm rn pe obe cbe mbe kc qc herr frau dipl ing mag m mme mlle monsieur madame
    sr sra srta senor senora don dona sig signor signora dott avv
    """.split()  # noqa: SIM905
)
_LEGAL = frozenset(
    """
    ag bv co corp corporation company gmbh inc incorporated kg limited llc llp lp ltd nv oy plc pty sa sarl sas spa srl the
    """.split()  # noqa: SIM905
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_TOKEN = re.compile(r"[^\W_]+")
_ASIDE = re.compile(r"[|•·/(\[{<–—~]| - |,? @")  # after these a display name goes on about something else
_MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"')\]]{1,500}|(?<![\w@.])www\.[^\s<>\"')\]]{1,500}", re.IGNORECASE)
_MOST = 20  # addresses looked at in one bio


def fold(text: str) -> str:
    """Lower case, without accents."""
    text = text.casefold()
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(char for char in decomposed if not unicodedata.combining(char)))


def words(text: str) -> list[str]:
    return _TOKEN.findall(fold(text))


def name_words(name: str) -> list[str]:
    """The words of a person's name, in order, without titles, emojis and what is said after the name."""
    cut = _ASIDE.split(name.strip(), maxsplit=1)[0]
    found = [word.replace("'", "").replace("’", "") for word in _WORD.findall(fold(cut))]
    rest = [word for word in found if word not in _TITLES]
    return rest if len(rest) > 1 else found  # Don Smith, Ma Long


def full_name(name: str) -> str | None:
    """A name in the spelling in which it is compared, whatever the order of its words. None where it is not a full name:
    one word alone is shared by too many people, unless it is written without spaces between the parts."""
    found = name_words(name)
    if len(found) > 1 and any(len(word) > 1 for word in found):
        return " ".join(sorted(found))
    return found[0] if len(found) == 1 and _undivided(found[0]) else None


def company_words(company: str) -> list[str]:
    """A company's name without its legal form."""
    found = words(company)
    return [word for word in found if word not in _LEGAL] or found


def holds(text: Iterable[str], phrase: Iterable[str]) -> bool:
    """Whether these words stand in that text, next to each other."""
    return f" {' '.join(phrase)} " in f" {' '.join(text)} "


def mails(text: str) -> list[str]:
    return [found.casefold() for found in _MAIL.findall(text)[:_MOST]] if "@" in text else []


def links(text: str) -> list[str]:
    return _LINK.findall(text)[:_MOST]


def address(url: str) -> str | None:
    """A page's address without what does not matter: scheme, www, trailing slash, query, case. None where it is none."""
    host, path = _split(url)
    if not host or "." not in host:
        return None
    path = re.sub(r"/(index\.\w{2,5})?/*$", "", re.sub(r"/{2,}", "/", path))
    return f"{host}{path}".casefold()


def own_address(url: str) -> str | None:
    """An address that can be one person's or firm's: not the front page of a site where everybody has a page."""
    found = address(url)
    return None if found is None or found in GENERIC else found


def domain(url_or_host: str) -> str | None:
    """The registered domain (example.co.uk), or None where everybody can have a page or a mailbox there."""
    host, _ = _split(url_or_host)
    return _registered(host) if host else None


def is_domain_handle(handle: str) -> bool:
    """Whether a handle is a host name or holds one, and so belongs to one account only, whatever the network."""
    return "@" in handle.lstrip("@") or ("." in handle and _has_suffix(handle.casefold()))


@lru_cache(maxsize=65_536)
def _registered(host: str) -> str | None:
    found = _SUFFIXES.extract_str(host)
    return None if not found.top_domain_under_public_suffix or found.top_domain_under_public_suffix in GENERIC else (
        found.top_domain_under_public_suffix)  # fmt: skip


@lru_cache(maxsize=65_536)
def _has_suffix(host: str) -> bool:
    return bool(_SUFFIXES.extract_str(host).top_domain_under_public_suffix)


def _split(url: str) -> tuple[str, str]:
    url = url.strip()
    try:
        parts = urlsplit(url if "://" in url else f"//{url}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return "", ""
    for prefix in ("www.", "m.", "mobile."):
        if host.startswith(prefix) and host.count(".") > 1:
            host = host[len(prefix) :]
    return _SAME_HOST.get(host, host), parts.path


def _undivided(word: str) -> bool:
    return len(word) > 2 and all("\u3400" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" for char in word)
