"""Model calls that are told rather than seen: what callbacks of other frameworks use."""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .labels import Labels, joined, labels_now
from .limits import Limits
from .observing import delivery_to
from .routes import Route
from .seen import Begun

log = logging.getLogger("observatory_recorder")


class Recorder:
    """Takes calls for one agent and delivers them as `observe` does. Without address and key it does nothing."""

    def __init__(
        self,
        *,
        agent: str = "",
        conversation: str = "",
        agent_version: str = "",
        tags: Iterable[str] = (),
        url: str | None = None,
        key: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._labels = Labels(agent, conversation, agent_version=agent_version, tags=joined(tags))
        self._delivery = delivery_to(url, key, limits or Limits())

    def record(
        self,
        request: Mapping[str, Any],
        response: Mapping[str, Any] | None = None,
        *,
        error: str = "",
        endpoint: str = "chat/completions",
        began: float | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        """One call: its bodies as the provider has them, `began` in seconds since 1970. Never raises.

        `endpoint` is one of messages, responses and chat/completions; `error`, without a response, its class or words.
        `labels` of this call are conversation, parent, title, agent, agent_version and tags, one text.
        """
        if self._delivery is None:
            return
        try:
            said = labels_now(self._labels).changed(labels or {})
            begun = Begun(Route(endpoint), said, "", "", _encoded(request), began or time.time())
            duration = max(0.0, time.time() - begun.started)
            answer = b"" if response is None else _encoded(response)
            self._delivery.accept(begun.told(duration, answer, error))
        except Exception:  # the framework's callbacks run within the agent's calls
            log.warning("A call could not be recorded.", exc_info=True)


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, default=str, ensure_ascii=False).encode()
