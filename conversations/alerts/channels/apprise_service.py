"""Services that Apprise knows: which of them may be used, and sending by them.

Not every one of Apprise's 150: some show a window on the server's own screen, some start programs, and some read files
that the address names.
"""

import logging
import warnings
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from conversations.alerts.channels.answers import Failed, Result, Sent
from conversations.alerts.channels.message import Message
from conversations.alerts.channels.sealing import Secret
from conversations.alerts.channels.speaking import TIMEOUT, listening, worst
from conversations.vocabulary import Severity

#: First word of an address → the service. They speak through `requests` (e-mail: smtplib) and nothing else.
SERVICES = {
    "slack": "Slack",
    "workflows": "Microsoft Teams",
    "discord": "Discord",
    "tgram": "Telegram",
    "pagerduty": "PagerDuty",
    "opsgenie": "Opsgenie",
    "mailto": "e-mail",
    "mailtos": "e-mail",
    "gchat": "Google Chat",
    "mmost": "Mattermost",
    "mmosts": "Mattermost",
    "rocket": "Rocket.Chat",
    "rockets": "Rocket.Chat",
    "wxteams": "Webex",
    "zulip": "Zulip",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
    "gotify": "Gotify",
    "gotifys": "Gotify",
    "pover": "Pushover",
    "splunk": "Splunk On-Call",
    "victorops": "Splunk On-Call",
    "ilert": "ilert",
    "signl4": "SIGNL4",
    "twilio": "Twilio",
    "mailgun": "Mailgun",
    "sendgrid": "SendGrid",
    "ncloud": "Nextcloud",
    "nclouds": "Nextcloud",
    "json": "JSON",
    "jsons": "JSON",
}
#: Would read the server's files, hold its process up, or send elsewhere.
_REFUSED_PARAMETERS = {"template", "pgp", "pgppub", "pgpprv", "retry", "wait", "redirect", "rto", "cto", "attach"}
_TYPES = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.CRITICAL: "failure"}


def problem_of(address: str) -> str:
    """What is wrong with an address as it is written; empty when nothing is."""
    scheme = scheme_of(address)
    if scheme in {"http", "https"} and _plugin(address) is None:
        return "Of addresses that begin with https:// only those of services that Apprise knows can be used here."
    if scheme not in {"http", "https"} and scheme not in SERVICES:
        return f"“{scheme}” is not one of the services: {', '.join(SERVICES)}."
    if refused := _refused_parameters(address):
        return f"{', '.join(refused)} cannot be used here."
    plugin = _plugin(address)
    if plugin is None:
        return f"This is not a complete address of {SERVICES[scheme]}. See Apprise's page on it."
    if len(plugin) > 1:
        return "It names several receivers. Make a channel of each: then none is told twice because another failed."
    return ""


def scheme_of(address: str) -> str:
    """The word before ://, in small letters."""
    return address.strip().partition("://")[0].lower() if "://" in address else ""


def shown_address(address: str) -> str:
    """The service alone: tokens may stand anywhere in the rest."""
    plugin = _plugin(address)
    return str(plugin.service_name) if plugin is not None else SERVICES.get(scheme_of(address), "")


def send(secret: Secret, message: Message, now: datetime) -> Result:
    """By the service; what it answered is known for all that speak HTTP."""
    if problem := problem_of(secret.address):
        return Failed(problem, is_final=True)
    plugin = _plugin(secret.address)
    if plugin is None:
        return Failed("This is not an address of a service that Apprise knows.", is_final=True)
    with listening() as heard:
        went_well = plugin.notify(
            title=message.title, body=message.text, notify_type=_TYPES[message.severity], body_format="text"
        )
    return Sent() if went_well else worst(heard, now) or Failed("The service did not take it.")


def _refused_parameters(address: str) -> list[str]:
    try:
        query = urlsplit(address).query
    except ValueError:
        return []
    return sorted({name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)} & _REFUSED_PARAMETERS)


def _plugin(address: str) -> Any:
    """Apprise's object of the address; None when Apprise makes nothing of it, or it is of a service we refuse."""
    apprise = _apprise()
    asset = apprise.AppriseAsset(
        app_id="Observatory",
        app_desc="Observatory",
        app_url="",
        async_mode=False,  # in this thread, which is guarded
        http_redirects=False,
        secure_logging=True,
        storage_mode=apprise.PersistentStoreMode.MEMORY,  # nothing of ours on the disk
    )
    plugin = apprise.Apprise.instantiate(address, asset=asset, suppress_exceptions=True)
    if plugin is None or not _schemes(plugin) & SERVICES.keys():
        return None
    plugin.socket_connect_timeout, plugin.socket_read_timeout = TIMEOUT
    return plugin


def _schemes(plugin: Any) -> set[str]:
    found: set[str] = set()
    for schemes in (plugin.protocol, plugin.secure_protocol):
        found |= {schemes} if isinstance(schemes, str) else set(schemes or ())
    return found


@cache
def _apprise() -> Any:
    """Loaded only where a channel of this kind is used."""
    with warnings.catch_warnings():  # Python's own imghdr, which Apprise asks for images that we do not send
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise  # noqa: PLC0415 -- 150 services, see the docstring

        apprise.Apprise.instantiate("json://localhost")  # only now it loads the services, and imghdr with one of them

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # it says addresses
    return apprise
