"""The one line in the agent's code."""

import atexit
import logging
from collections.abc import Iterable
from typing import TypeVar

from . import delivery as deliveries
from .backlog import Backlog
from .delivery import Delivery
from .labels import Labels, joined
from .limits import Counts, Limits
from .post import Server
from .settings import spill_folder, url_and_key
from .shadows import Untappable
from .tap import tap

log = logging.getLogger("observatory_recorder")

Client = TypeVar("Client")

_known: dict[tuple[str, str], Delivery] = {}
_told: set[str] = set()


def observe(  # noqa: PLR0913 -- keywords, written once by a person
    client: Client,
    *,
    agent: str = "",
    conversation: str = "",
    parent: str = "",
    agent_version: str = "",
    title: str = "",
    tags: Iterable[str] = (),
    url: str | None = None,
    key: str | None = None,
    limits: Limits | None = None,
) -> Client:
    """The same client, whose model calls are recorded from now on; it behaves as before, whatever becomes of us.

    Any client of the `anthropic` package: sync or async, Bedrock, Vertex, Foundry, AWS; those of `openai` as well.
    Without `url` and `key`, or OBSERVATORY_URL and OBSERVATORY_KEY, nothing is recorded, which is logged once.
    `conversation` is your own id of it, at best the one your users know; without it the server recognises it by its
    beginning. `tags`, as in ["web", "nightly"], are put on it. `with conversation("ticket-18"):` says all that for a
    block of code.
    """
    target = delivery_to(url, key, limits or Limits())
    if target is None:
        return client
    try:
        tap(client, Labels(agent, conversation, parent, agent_version, title, joined(tags)), target)
    except Untappable as error:
        _tell_once(f"Nothing is recorded: {error}.")
    except Exception:  # the agent must start, whatever is wrong with us
        log.warning("Nothing is recorded.", exc_info=True)
    return client


def flush(timeout: float = 10.0) -> bool:
    """Wait until everything recorded is delivered. False: after `timeout` seconds something still waits."""
    return deliveries.flush_all(timeout)


def counts() -> Counts:
    """What became of everything recorded in this process."""
    return sum((delivery.counts for delivery in deliveries.every()), Counts())


def delivery_to(url: str | None, key: str | None, limits: Limits) -> Delivery | None:
    """One for each server and key; the limits of the first count. None, and a line in the log, if there is no way."""
    try:
        where = url_and_key(url, key)
        if where is None:
            _tell_once("OBSERVATORY_URL or OBSERVATORY_KEY is not set: nothing is recorded.")
            return None
        if where not in _known:  # without a lock, which a fork could leave locked for ever
            backlog = Backlog(spill_folder(*where), limits.spill_bytes)
            _known.setdefault(where, Delivery(Server(*where, timeout=limits.timeout), backlog, limits)).resume()
        return _known[where]
    except ValueError as error:
        _tell_once(f"Nothing is recorded: {error}")
    except Exception:  # as above
        log.warning("Nothing is recorded.", exc_info=True)
    return None


def _tell_once(message: str) -> None:
    if message not in _told:
        _told.add(message)
        log.warning("%s", message)


atexit.register(deliveries.close_all)
