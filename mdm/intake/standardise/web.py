"""E-mail addresses and web sites: normal form, registrable domain, and what is nobody's own."""

import re
from functools import lru_cache
from typing import Any, Final

from publicsuffixlist import PublicSuffixList

from mdm.intake.standardise.countries import country_code
from mdm.intake.standardise.junk import PLACEHOLDER, is_placeholder
from mdm.intake.standardise.lists import words_of
from mdm.intake.standardise.result import UNKNOWN, Context, Inputs, Standardised
from mdm.intake.standardise.text import CACHE, tidy

#: The list that the package carries; nothing is fetched.
_SUFFIXES: Final = PublicSuffixList()
FREE_MAIL: Final = words_of("free_mail")
SOCIAL: Final = words_of("social")
PLACEHOLDER_DOMAINS: Final = words_of("placeholder_domains")
_PLACEHOLDER_BOXES: Final = words_of("placeholder_boxes")
SHARED_BOXES: Final = words_of("shared_boxes")
#: National domains that companies of any country use.
_WORLDWIDE: Final = frozenset(
    {"io", "ai", "co", "me", "tv", "cc", "eu", "fm", "gg", "ly", "to", "ws", "sh", "vc", "la"}
)
#: What stands before the country in domains of many countries.
_SECOND_LEVEL: Final = frozenset({"com", "co", "net", "org", "gov", "edu", "ac", "www"})
_EMAIL: Final = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~\-\u0080-\uffff]+@([a-z0-9\-.\u0080-\uffff]+\.[a-z0-9\-\u0080-\uffff]{2,})"
)
#: Several addresses in one field.
_BETWEEN: Final = re.compile(r"[\s,;|]+")
#: The same where a blank may be a slip: `john doe@acme.com` is not Doe's.
_SEVERAL: Final = re.compile(r"[,;|]")
_NAMED: Final = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>")
_HOST: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?([^/:?#\s]+)")


@lru_cache(CACHE)
def registrable_domain(host: str) -> str | None:
    """The part of a host name that somebody registered: www.shop.example.co.uk -> example.co.uk."""
    host = host.strip().strip(".").lower()
    if "." not in host or re.fullmatch(r"[\d.]+", host):
        return None
    try:
        host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return None
    found = _SUFFIXES.privatesuffix(host, accept_unknown=False)
    return str(found) if found else None


@lru_cache(CACHE)
def domain_of_site(text: str) -> str | None:
    """The registrable domain of a web address; of several in one field, that of the first."""
    hosts = (_HOST.match(site) for site in _BETWEEN.split(tidy(text).lower()))
    domains = (registrable_domain(host[1]) for host in hosts if host)
    return next(filter(None, domains), None)


def country_of_domain(domain: str) -> str | None:
    """The country of a national domain; None for those that the whole world uses (.com, .io, .co, ...)."""
    ending = domain.rpartition(".")[2]
    if len(ending) != 2 or ending in _WORLDWIDE:
        return None
    return "GB" if ending == "uk" else country_code(ending)


def is_own_domain(domain: str) -> bool:
    """Whether a domain can be somebody's own: not free mail, not a social network, not a placeholder, not a slip.

    `co.org` and `com.com` are what is left of a mistyped address.
    """
    if domain.split(".", 1)[0] in _SECOND_LEVEL:
        return False
    return domain not in FREE_MAIL and domain not in SOCIAL and domain not in PLACEHOLDER_DOMAINS


@lru_cache(CACHE)
def parse_email(text: str) -> tuple[str, str, str] | None:
    """Normal address, local part without tag, and registrable domain; None when it is no address."""
    address = tidy(text).lower().removeprefix("mailto:").strip("<> ")
    match = _EMAIL.fullmatch(address)
    domain = registrable_domain(match[1]) if match else None
    if match is None or domain is None:
        return None
    local = address.rpartition("@")[0]
    box = local.partition("+")[0]
    return f"{box}@{match[1]}", box, domain


def _each(text: str) -> list[str]:
    """The addresses of a field as people fill it: `Ann Lee <ann@acme.com>`, `a@acme.com; b@acme.com`."""
    told = _NAMED.findall(text) or [part.strip(".: ") for part in _SEVERAL.split(text) if "@" in part]
    return told if len(told) > 1 or (told and parse_email(told[0]) is not None) else [text]


def emails(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `emails`."""
    values: list[dict[str, Any]] = []
    addresses: set[str] = set()
    domains: set[str] = set()
    rejected = None
    for text, options in ((each, given.options) for given in inputs for each in _each(tidy(given.text)) if each):
        parsed = parse_email(text)
        if parsed is None:
            rejected = PLACEHOLDER if is_placeholder(text) else "EMAIL_MALFORMED"
            continue
        address, box, domain = parsed
        if box in _PLACEHOLDER_BOXES or domain in PLACEHOLDER_DOMAINS:
            rejected = PLACEHOLDER
            continue
        values.append({"value": text, "domain": domain, "shared": box in SHARED_BOXES})
        if is_own_domain(domain) and domain != options.get("except"):
            addresses.add(address)
            domains.add(domain)
    if not values:
        return Standardised(rejected=rejected) if rejected else UNKNOWN
    comparison = {"emails": sorted(addresses), "domains": sorted(domains)} if domains else {}
    country = country_of_domain(min(domains)) if len(domains) == 1 else None
    return Standardised(values, comparison, rejected, country=country)


def web_domain(inputs: Inputs, _context: Context) -> Standardised:
    """Standardiser `web_domain`. The option `except` names a domain under which the platform hosts its customers."""
    rejected = None
    for given in inputs:
        if not given.text.strip():
            continue
        domain = domain_of_site(given.text)
        if domain is None:
            rejected = PLACEHOLDER if is_placeholder(given.text) else "DOMAIN_MALFORMED"
        elif not is_own_domain(domain) or domain == given.options.get("except"):
            rejected = "DOMAIN_NOT_OWN"
        else:
            return Standardised(domain, {"domains": [domain]}, country=country_of_domain(domain))
    return Standardised(rejected=rejected) if rejected else UNKNOWN
