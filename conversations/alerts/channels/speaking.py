"""What is heard of the requests that a channel makes: their statuses, and in words why one failed.

Apprise says of a request only whether it went well. Its plugins all speak through `requests`, whose adapter we replace
by one that notes what came back to whoever listens in the same thread; elsewhere it does nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NameResolutionError

from conversations.alerts.channels.answers import OK, Failed, Result, result_of_status

#: Seconds to connect, and without a byte while reading the answer.
TIMEOUT = (5, 10)

_heard: ContextVar[list[requests.Response | Exception] | None] = ContextVar("heard", default=None)


class ListeningAdapter(HTTPAdapter):
    """Notes what came of each request."""

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """As its parent."""
        heard = _heard.get()
        try:
            response: requests.Response = super().send(request, *args, **kwargs)
        except Exception as error:
            if heard is not None:
                heard.append(error)
            raise
        if heard is not None:
            heard.append(response)
        return response


requests.sessions.HTTPAdapter = ListeningAdapter  # type: ignore[attr-defined] # where its sessions take it from


@contextmanager
def listening() -> Iterator[list[requests.Response | Exception]]:
    """What is heard of the requests made within it, in this thread."""
    heard: list[requests.Response | Exception] = []
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def worst(heard: list[requests.Response | Exception], now: datetime) -> Result | None:
    """Why sending failed: what the last request that went wrong got; None when none went wrong."""
    for each in reversed(heard):
        if isinstance(each, Exception):
            return failure(each)
        if each.status_code not in OK:
            return result_of_response(each, now)
    return None


def result_of_response(response: requests.Response, now: datetime) -> Result:
    """By its status and headers; the body is not looked at."""
    host = urlsplit(response.headers.get("Location", "")).hostname or ""
    return result_of_status(response.status_code, response.headers.get("Retry-After", ""), now, host)


def failure(error: Exception) -> Failed:
    """In our words: what the libraries say has the address in it, and that may be a secret."""
    match error:
        case (
            requests.exceptions.InvalidURL() | requests.exceptions.MissingSchema() | requests.exceptions.InvalidSchema()
        ):
            return Failed("The address is not one that can be called.", is_final=True)
        case requests.exceptions.SSLError():
            return Failed("Its certificate is not valid, or it does not speak TLS.")
        case requests.exceptions.Timeout():
            return Failed(f"It did not answer within {TIMEOUT[1]} seconds.")
        case requests.exceptions.ConnectionError() if _is_unknown_name(error):
            return Failed("Its name could not be resolved.")
        case requests.exceptions.ConnectionError():
            return Failed("It could not be reached: the connection was refused or broke.")
    return Failed(f"Sending failed ({type(error).__name__}).")


def _is_unknown_name(error: Exception) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NameResolutionError)
