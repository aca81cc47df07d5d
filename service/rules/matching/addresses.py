"""Pages, hosts, mailboxes and phone numbers in the one spelling in which they are compared."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

import phonenumbers
import tldextract

# The list of public suffixes that ships with the library: nothing is downloaded, nothing is written.
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
# The same list with the suffixes under which a host rents out names (github.io, blogspot.com): these are its tenants.
_TENANTS = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)

# Sites where everybody has a page, and mail that everybody can have: they say nothing about whose it is.
GENERIC = frozenset(
    """
    about.me allmylinks.com aol.com beacons.ai behance.net bento.me bio.link bio.site bit.ly bitbucket.org blogger.com blogspot.com bsky.app bsky.social
    buymeacoffee.com calendly.com campsite.bio carrd.co codeberg.org discord.com discord.gg dribbble.com etsy.com eventbrite.com facebook.com fastmail.com fb.com
    fb.me flickr.com flow.page free.fr github.com github.io gitlab.com gitlab.io gmail.com gmx.at gmx.ch gmx.de gmx.net gofundme.com goo.gl google.com
    googlemail.com gravatar.com hey.com hotmail.co.uk hotmail.com hotmail.de hotmail.es hotmail.fr hotmail.it icloud.com imdb.com instagram.com ko-fi.com
    laposte.net libero.it linkedin.com linkin.bio linkr.bio linktr.ee live.co.uk live.com live.nl lnk.bio lnk.to lnkd.in mail.com mail.ru
    mastodon.online mastodon.social me.com meetup.com medium.com milkshake.app msn.com msha.ke mstdn.social naver.com neocities.org netlify.app notion.site
    notion.so onlyfans.com orange.fr outlook.com outlook.de outlook.fr ow.ly pages.dev patreon.com paypal.com paypal.me pinterest.com pm.me proton.me protonmail.com qq.com
    readthedocs.io reddit.com rocketmail.com sites.google.com sky.com snapchat.com snipfeed.co solo.to soundcloud.com sourceforge.net spotify.com squarespace.com stan.store
    substack.com t-online.de t.co t.me tap.bio telegram.me telegram.org threads.net tiktok.com tinyurl.com tumblr.com twitch.tv twitter.com vercel.app vimeo.com vk.com wa.me
    wanadoo.fr web.app web.de webador.com weebly.com weibo.com whatsapp.com wikipedia.org wixsite.com wordpress.com x.com xing.com
    yahoo.co.uk yahoo.com yahoo.de yahoo.es yahoo.fr yahoo.it yandex.ru youtu.be youtube.com zoho.com
    """.split()  # noqa: SIM905
)
# Hosts by which one and the same page goes.
_SAME_HOST = {"twitter.com": "x.com", "fb.com": "facebook.com"}
# Parts of an address that say what kind of page it is: linkedin.com/in/ana.
_STRUCTURE = frozenset("add c channel company groups in pages people profile pub school showcase u user users".split())  # noqa: SIM905
# And those that say what kind of page it is where it is no profile, or one that only the rest of the address tells (profile.php?id=1).
_NO_PROFILE = frozenset(
    [
        "about",
        "events",
        "explore",
        "feed",
        "hashtag",
        "help",
        "home",
        "i",
        "intent",
        "login",
        "p",
        "permalink.php",
        "photo",
        "playlist",
        "posts",
        "profile.php",
        "reel",
        "reels",
        "search",
        "settings",
        "share",
        "sharer",
        "sharer.php",
        "shorts",
        "signup",
        "status",
        "stories",
        "story.php",
        "tag",
        "tags",
        "video",
        "watch",
    ]
)
# An address with an @ before it as well is somebody's handle in the fediverse, often of somebody whom a profile speaks of.
_MAIL = re.compile(r"(?<![\w.+@-])[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])", re.IGNORECASE)
_LINK = re.compile(r"https?://[^\s<>\"')\]]{1,500}|(?<![\w@.])www\.[^\s<>\"')\]]{1,500}", re.IGNORECASE)
# Many write a site as they say it: "director. quenntiles.com". Under the suffixes that most sites have, as a sentence may lack a space.
_BARE = re.compile(
    r"(?<![\w@./-])[\w-]{2,63}(?:\.[\w-]{2,63})?\.(?:com|org|net|edu|gov|io|co|info|biz|eu|uk|de|fr|es|it|nl|be|ch|at|pl|se|no|dk|fi|ie|pt|ca|mx|br|ar|cl|uy|pe"
    r"|au|nz|in|za|ng|ke|jp|kr|tr|ro|cz|hu|gr|us)\b(?:/[^\s<>\"')\]|,;]{0,200})?(?![\w@-])",
    re.IGNORECASE,
)
_NOT_DIGIT = re.compile(r"\D+")
_MOST = 20  # addresses looked at in one bio
_PHONE_DIGITS = 9  # of a number's end: what is left when country code and trunk prefix are written or not


def preload() -> None:
    """Reads the lists of suffixes, for a process that is to be forked: the first address would take a tenth of a second in each fork."""
    for each in (_SUFFIXES, _TENANTS):
        each.extract_str("example.com")


def mails(text: str) -> list[str]:
    """The e-mail addresses in a text, in lower case; the first twenty."""
    return [found.casefold() for found in _MAIL.findall(text)[:_MOST]] if "@" in text else []


def links(text: str) -> list[str]:
    """The links in a text as they stand, those without a scheme as well; the first twenty."""
    if "." not in text:
        return []
    found = [*_LINK.findall(text), *_BARE.findall(text)]
    return [each.rstrip(".,;:!?") for each in found[:_MOST]]


def phone(number: str) -> str | None:
    """The end of a phone number, which is the same with and without its country code. None for what is too short to be one."""
    digits = _NOT_DIGIT.sub("", number.partition("x")[0])
    return digits[-_PHONE_DIGITS:] if _PHONE_DIGITS <= len(digits) <= 15 else None


def phones(text: str, country: str = "US") -> list[str]:
    """The phone numbers that stand in a text, spelt as `phone` spells them. `country` (two letters) says how numbers without
    a country code are read."""
    if sum(char.isdigit() for char in text) < _PHONE_DIGITS:
        return []
    matcher = phonenumbers.PhoneNumberMatcher(text, country, leniency=phonenumbers.Leniency.POSSIBLE, max_tries=_MOST)
    found = (phone(each.raw_string) for each in matcher)
    return [each for each in found if each]


@lru_cache(maxsize=65_536)
def address(url: str) -> str | None:
    """A page's address without what does not matter: scheme, www, trailing slash, query, case. None where it is none."""
    host, path = _split(url)
    if not host or "." not in host:
        return None
    path = re.sub(r"/(index\.\w{2,5})?/*$", "", re.sub(r"/{2,}", "/", path))
    return f"{host}{path}".casefold()


def own_address(url: str) -> str | None:
    """An address that can be one person's or firm's: not the front page of a site where everybody has a page, nor a page there that is nobody's."""
    found = address(url)
    if found is None or found in GENERIC:
        return None
    host, _, path = found.partition("/")
    return None if host in GENERIC and path.partition("/")[0] in _NO_PROFILE else found


def is_everybodys(url: str) -> bool:
    """Whether this is on a site where everybody has a page."""
    return _split(url)[0] in GENERIC


def domain(url_or_host: str) -> str | None:
    """The registered domain (example.co.uk), or None where everybody can have a page or a mailbox there."""
    host, _ = _split(url_or_host)
    return _registered(host) if host else None


@lru_cache(maxsize=65_536)
def account_on(url: str) -> tuple[str, str] | None:
    """The network and account that a page on a shared site belongs to: ("github", "acme") for github.com/acme/app and for
    acme.github.io. The network is named by its host. None for a site of one's own."""
    host, path = _split(url)
    if not host:
        return None
    if is_everybodys(url):
        segments = (each.lstrip("@").casefold() for each in path.split("/") if each)
        account = next((each for each in segments if each not in _STRUCTURE), "")
        return (_label(host), account) if account and account not in _NO_PROFILE else None
    parts = _tenant(host)
    return parts if parts and f"{parts[0]}.{host.rpartition('.')[2]}" in GENERIC else None


def is_domain_handle(handle: str) -> bool:
    """Whether a handle is a host name or holds one, and so belongs to one account only, whatever the network."""
    return "@" in handle.lstrip("@") or ("." in handle and _has_suffix(handle.casefold()))


def domain_words(domain_: str) -> tuple[str, str]:
    """What a registered domain says: its label and its label with the suffix, letters and digits only
    ("openmetrics.io" -> "openmetrics", "openmetricsio")."""
    label = _label(domain_)
    return re.sub(r"[^a-z0-9]", "", label), re.sub(r"[^a-z0-9]", "", domain_)


@lru_cache(maxsize=65_536)
def _registered(host: str) -> str | None:
    found = _SUFFIXES.extract_str(host).top_domain_under_public_suffix
    return None if not found or found in GENERIC else found


@lru_cache(maxsize=65_536)
def _label(host: str) -> str:
    return _SUFFIXES.extract_str(host).domain


@lru_cache(maxsize=65_536)
def _tenant(host: str) -> tuple[str, str] | None:
    found = _TENANTS.extract_str(host)
    return (found.suffix.partition(".")[0], found.domain) if found.is_private and found.domain else None


@lru_cache(maxsize=65_536)
def _has_suffix(host: str) -> bool:
    return bool(_SUFFIXES.extract_str(host).top_domain_under_public_suffix)


@lru_cache(maxsize=65_536)
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
