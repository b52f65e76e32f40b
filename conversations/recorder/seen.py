"""One call as it went over the wire. Bytes are kept as they were; nobody has read them yet."""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from .labels import Labels
from .routes import Route

_BESIDE_THE_BODIES = 1024  # bytes: what the rest of it takes in memory, roughly


@dataclass(frozen=True, slots=True)
class Seen:
    """A request and what came of it. `status` 0: no answer came, `failure` names the error's class."""

    route: Route
    labels: Labels
    provider: str
    betas: str
    request: bytes
    started: float  # seconds since 1970
    duration: float  # seconds until the answer had ended
    status: int = 0
    kind: str = ""  # the answer's content type
    answer: bytes = b""
    decode: Callable[[bytes], bytes] | None = (
        None  # undoes the answer's content encoding, as the agent's own library does
    )
    failure: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def size(self) -> int:
        """Bytes of memory it holds."""
        return len(self.request) + len(self.answer) + _BESIDE_THE_BODIES


@dataclass(frozen=True, slots=True)
class Begun:
    """A request that is on its way."""

    route: Route
    labels: Labels
    provider: str
    betas: str
    request: bytes
    started: float = field(default_factory=time.time)
    clock: float = field(default_factory=time.perf_counter)

    def failed(self, error: BaseException) -> Seen:
        """No answer came. Only the error's class is kept: its words may hold addresses."""
        return self._seen(failure=type(error).__name__)

    def answered(
        self, status: int, kind: str, answer: bytes, decode: Callable[[bytes], bytes] | None = None, failure: str = ""
    ) -> Seen:
        """The answer has ended; `failure` where it broke off."""
        return self._seen(status, kind, answer, decode, failure)

    def told(self, duration: float, answer: bytes, failure: str) -> Seen:
        """It was not seen but told of, afterwards; without an answer it failed."""
        seen = self._seen(200 if answer else 0, "application/json", answer, failure=failure)
        return replace(seen, duration=duration)

    def _seen(
        self,
        status: int = 0,
        kind: str = "",
        answer: bytes = b"",
        decode: Callable[[bytes], bytes] | None = None,
        failure: str = "",
    ) -> Seen:
        return Seen(
            route=self.route,
            labels=self.labels,
            provider=self.provider,
            betas=self.betas,
            request=self.request,
            started=self.started,
            duration=time.perf_counter() - self.clock,
            status=status,
            kind=kind,
            answer=answer,
            decode=decode,
            failure=failure,
        )
