"""Our own webhook: a signed POST of JSON, the same key at every attempt."""

from datetime import datetime
from urllib.parse import urlsplit

import msgspec
import requests

from conversations.alerts.channels.answers import Failed, Result
from conversations.alerts.channels.message import Message
from conversations.alerts.channels.sealing import Secret
from conversations.alerts.channels.signing import SIGNATURE_HEADER, signature
from conversations.alerts.channels.speaking import TIMEOUT, failure, result_of_response

_MOST_CHARACTERS = 2_000


def problem_of(address: str) -> str:
    """What is wrong with an address as it is written; empty when nothing is."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port  # the port is read only when asked for
    except ValueError:
        return "This is not an address: it should look like https://hooks.example.org/observatory."
    if parts.scheme not in {"http", "https"} or not host:
        return "Write the whole address, as in https://hooks.example.org/observatory."
    if len(address) > _MOST_CHARACTERS or any(character.isspace() for character in address):
        return f"An address has no spaces and at most {_MOST_CHARACTERS:,} characters."
    return ""


def shown_address(address: str) -> str:
    """Scheme and host: path and query are often secrets."""
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname}{port}/…"


def send(secret: Secret, message: Message, now: datetime) -> Result:
    """POST it; no redirect is followed, and of the answer only the status is read."""
    if problem := problem_of(secret.address):
        return Failed(problem, is_final=True)
    body = msgspec.json.encode(message.body())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Observatory",
        "Idempotency-Key": message.key,
        SIGNATURE_HEADER: signature(secret.signing_key, body, now),
    }
    try:
        with (
            requests.Session() as session,
            session.post(
                secret.address, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False, stream=True
            ) as response,
        ):
            return result_of_response(response, now)
    except requests.RequestException as error:
        return failure(error)
