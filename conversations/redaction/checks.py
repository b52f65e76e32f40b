"""Whether what looks like an address or a number is one: by its checksum, its plan, its owner.

The libraries that know are loaded when something looks like one: together 13 MB.
"""

import ipaddress
import re
from importlib import import_module

#: Begins of the cards in use and how many digits they have: without them one number of 16 digits in ten would pass.
_CARDS = re.compile(
    r"4\d{15}|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}|6(?:011|5\d\d)\d{12}|35\d{14}"
    r"|3(?:0[0-5]|[68]\d)\d{11}"
)
#: What stands for a password in documentation and templates: "${DB_PASS}", "<password>", "{{ pw }}", "***", "%s".
_STANDS_FOR = re.compile(r"[$<{%].*|\*+|x+|\.+", re.IGNORECASE)
#: "git@github.com:owner/repo" names a server, and nobody.
_NOBODY = {"git", "hg", "svn"}


def is_card(text: str) -> bool:
    """A number that a card may have."""
    digits = re.sub(r"[ -]", "", text)
    return bool(_CARDS.fullmatch(digits) and len(set(digits)) > 1 and import_module("stdnum.luhn").is_valid(digits))


def is_iban(text: str) -> bool:
    """With its country's length and checksum."""
    return bool(import_module("stdnum.iban").is_valid(text, check_country=False))


def is_phone(text: str) -> bool:
    """A number that some country gives out, with its country code."""
    phonenumbers = import_module("phonenumbers")
    try:
        return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, None)))
    except phonenumbers.NumberParseException:
        return False


def is_ssn(text: str) -> bool:
    """A social security number that may have been given out."""
    return bool(import_module("stdnum.us.ssn").is_valid(text))


def is_public_ip(text: str) -> bool:
    """An address that somebody has, and not one of a private network or of documentation."""
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def is_email(text: str) -> bool:
    """An address of somebody."""
    return text.partition("@")[0].lower() not in _NOBODY


def is_password(text: str) -> bool:
    """A word and not what stands for one."""
    return not _STANDS_FOR.fullmatch(text)
