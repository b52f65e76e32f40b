"""One question to the Messages API: asked, asked again where that may help, priced, and every attempt put on record.

`anthropic` is imported when the first question is asked: it takes 1 to 3 seconds and 66 MB (MEASURED, version 2.12),
which a worker without a key and the web processes never pay.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from conversations.audit.judge import Question, check_shape
from conversations.errors import BadInput

if TYPE_CHECKING:
    from anthropic import Anthropic, APIStatusError
    from anthropic.types import Message

#: Characters per token, MEASURED on 1,479 requests of real logs; rounded down so that the budget errs on the safe side.
CHARACTERS_PER_TOKEN = 2.4
#: The SDK's own retries of one attempt, after 408, 409, 429, 5xx and broken connections, with `retry-after` respected.
SDK_RETRIES = 2


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float
    cache_write: float
    cache_read: float

    def cost(self, input_tokens: int, output_tokens: int, cache_write_tokens: int, cache_read_tokens: int) -> float:
        """In US dollars."""
        written = cache_write_tokens * self.cache_write + cache_read_tokens * self.cache_read
        return (input_tokens * self.input + output_tokens * self.output + written) / 1_000_000


@dataclass(frozen=True, slots=True)
class LlmSettings:
    """What the team configures. Without `api_key` the stage is off."""

    api_key: str = ""
    model: str = "claude-haiku-4-5"
    prices: Mapping[str, Price] = field(default_factory=dict)  # by model
    usd_per_compaction: float = 0.5
    usd_per_day: float = 10.0
    timeout_seconds: float = 120.0
    attempts: int = 2  # of ours, on top of the SDK's retries
    max_output_tokens: int = 8_000
    extract: bool = True  # False: only judge, which costs about a tenth
    base_url: str | None = None
    sdk_retries: int = SDK_RETRIES

    @property
    def price(self) -> Price:
        """Of the model. Raises `BadInput` where it is not in the table: a budget needs it."""
        if self.model not in self.prices:
            raise BadInput(
                f"There is no price for {self.model}.", mend="Add it to the price table, or choose another model."
            )
        return self.prices[self.model]


class CallOutcome(StrEnum):
    """How one call ended."""

    OK = "ok"
    REFUSED = "refused"
    TRUNCATED = "truncated"
    MALFORMED = "malformed"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    UNREACHABLE = "unreachable"
    SERVER_ERROR = "server_error"
    REJECTED = "rejected"  # a 4xx that trying again does not mend: key, model, size


#: These may end otherwise the next time.
_WORTH_ANOTHER = frozenset(CallOutcome) - {CallOutcome.OK, CallOutcome.REJECTED}


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call, as it is kept: never its text."""

    task: str
    model: str
    outcome: CallOutcome
    attempt: int  # from 1
    sdk_retries: int | None  # None: the SDK does not tell after an error
    input_tokens: int
    output_tokens: int
    cache_write_tokens: int
    cache_read_tokens: int
    cost_usd: float
    duration_ms: int
    request_id: str = ""
    detail: str = ""  # one sentence for people where it did not end well


class Recorder(Protocol):
    """Keeps calls, and knows what they cost."""

    def record(self, call: CallRecord) -> None:
        """Keep one call. Called for every attempt, before its answer is used."""
        ...

    def spent_today_usd(self) -> float:
        """What all calls of this day cost, over all compactions."""
        ...


class Cache(Protocol):
    """Answers by content hash."""

    def get(self, key: str) -> str | None:
        """The answer given before, None for none."""
        ...

    def put(self, key: str, answer: str) -> None:
        """Keep an answer that was usable."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The text of an answer that has the shape asked for, or None; and how the last attempt ended."""

    text: str | None
    outcome: CallOutcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class _Ending:
    """How one attempt ended, before it is priced."""

    outcome: CallOutcome
    text: str = ""
    detail: str = ""
    message: "Message | None" = None
    retries: int | None = None
    request_id: str = ""


class Client:
    """Asks questions of one model. Close it when done."""

    def __init__(self, settings: LlmSettings, recorder: Recorder) -> None:
        self._settings = settings
        self._recorder = recorder
        self._client: Anthropic | None = None
        self.records: list[CallRecord] = []

    def ask(self, question: Question, may_spend: Callable[[Question], None]) -> Answer:
        """Ask until there is a usable answer, at most `attempts` times. `may_spend` raises where a budget forbids."""
        ending = _Ending(CallOutcome.UNREACHABLE)
        for attempt in range(1, self._settings.attempts + 1):
            may_spend(question)
            begun = time.monotonic()
            ending = self._attempt(question)
            self._keep(question, ending, attempt, round(1000 * (time.monotonic() - begun)))
            if ending.outcome not in _WORTH_ANOTHER:
                break
        usable = ending.outcome is CallOutcome.OK
        return Answer(ending.text if usable else None, ending.outcome, ending.detail)

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()

    def _api(self) -> "Anthropic":
        if self._client is None:
            from anthropic import Anthropic  # noqa: PLC0415  # slow: see the head of this module

            settings = self._settings
            self._client = Anthropic(
                api_key=settings.api_key,
                base_url=settings.base_url,
                timeout=settings.timeout_seconds,
                max_retries=settings.sdk_retries,
            )
        return self._client

    def _attempt(self, question: Question) -> _Ending:
        import anthropic  # noqa: PLC0415  # slow: see the head of this module

        try:
            return self._read(question)
        except anthropic.APITimeoutError as error:
            return _Ending(CallOutcome.TIMEOUT, detail=str(error)[:200])
        except anthropic.APIStatusError as error:
            return _Ending(_outcome_of(error.status_code), detail=_said(error), request_id=error.request_id or "")
        except anthropic.APIConnectionError as error:
            return _Ending(CallOutcome.UNREACHABLE, detail=str(error)[:200])

    def _read(self, question: Question) -> _Ending:
        raw = self._api().messages.with_raw_response.create(
            model=self._settings.model,
            max_tokens=self._settings.max_output_tokens,
            system=question.system,
            messages=[
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": question.prefix, "cache_control": {"type": "ephemeral"}},
                        {"type": "text", "text": question.ask},
                    ],
                }
            ],
            output_config={"format": {"type": "json_schema", "schema": dict(question.schema)}},
        )
        message, request_id = raw.parse(), raw.headers.get("request-id", "")
        if not _is_whole(message):
            detail = f"{self._settings.base_url or 'The API'} answered something that is no message."
            return _Ending(CallOutcome.MALFORMED, detail=detail, retries=raw.retries_taken, request_id=request_id)
        outcome, text, detail = _usable(question, message)
        return _Ending(outcome, text, detail, message, raw.retries_taken, request_id)

    def _keep(self, question: Question, ending: _Ending, attempt: int, duration_ms: int) -> None:
        usage = ending.message.usage if ending.message else None
        tokens = (
            usage.input_tokens if usage else 0,
            usage.output_tokens if usage else 0,
            (usage.cache_creation_input_tokens or 0) if usage else 0,
            (usage.cache_read_input_tokens or 0) if usage else 0,
        )
        record = CallRecord(
            question.task,
            self._settings.model,
            ending.outcome,
            attempt,
            ending.retries,
            *tokens,
            cost_usd=self._settings.price.cost(*tokens),
            duration_ms=duration_ms,
            request_id=ending.request_id,
            detail=ending.detail,
        )
        self.records.append(record)
        self._recorder.record(record)


def _is_whole(message: object) -> bool:
    """The client does not check what comes: a proxy's page is a string to it, and missing fields are missing."""
    return all(getattr(message, name, None) is not None for name in ("content", "usage", "stop_reason"))


def _usable(question: Question, message: "Message") -> tuple[CallOutcome, str, str]:
    """The outcome, the text and what was wrong with it."""
    if message.stop_reason == "refusal":
        why = message.stop_details.explanation if message.stop_details else None
        return CallOutcome.REFUSED, "", why or "The model refused."
    if message.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        return CallOutcome.TRUNCATED, "", f"The answer stops in the middle ({message.stop_reason})."
    text = "".join(block.text for block in message.content if block.type == "text")
    try:
        check_shape(question, text)
    except ValueError as error:
        return CallOutcome.MALFORMED, "", str(error)[:200]
    return CallOutcome.OK, text, ""


def _outcome_of(status: int) -> CallOutcome:
    known = {408: CallOutcome.TIMEOUT, 429: CallOutcome.RATE_LIMITED, 529: CallOutcome.OVERLOADED}
    return known.get(status, CallOutcome.SERVER_ERROR if status >= 500 else CallOutcome.REJECTED)


def _said(error: "APIStatusError") -> str:
    return f"{error.status_code}: {error.api_message or error.message}"[:200]
