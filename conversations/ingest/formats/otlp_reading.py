"""Gathers what the spans, or the log records, of one export request say."""

from collections import Counter
from typing import Any

from msgspec import UNSET, Struct, field

from conversations.ingest.events import ConversationEvent, Event, Problem
from conversations.ingest.exchange import Exchange
from conversations.ingest.formats.otlp_bodies import is_shortened, verbatim
from conversations.ingest.formats.otlp_calls import ModelCall, events_of, exchange_of

_NOT_ALL = "OpenTelemetry told of the model calls, and not of all messages."


class Reading(Struct):
    """Exchanges in the order in which they were sent, events, and what was not understood. `ignored` counts by name
    what is about something else; `accepted` how many spans or records said something."""

    exchanges: list[Exchange] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    rejected: int = 0  # of those read, how many could not be placed
    _whose: set[ConversationEvent] = field(default_factory=set)

    def note(self, whose: ConversationEvent, *events: Event) -> None:
        """Add events of a conversation; whose it is needs to be said once."""
        if whose not in self._whose:
            self._whose.add(whose)
            self.events.append(whose)
        self.events += events


def read_call(reading: Reading, call: ModelCall) -> None:
    """Add one model call. A call that was made in order to compact is no turn of the conversation."""
    if is_adrift(call):
        reading.problems.append(_adrift(call))
        reading.rejected += 1
        return
    if is_shortened(call.attributes):
        reading.problems.append(_shortened(call))
    exchange = exchange_of(call) if call.purpose == "turn" else None
    if isinstance(exchange, Exchange):
        reading.exchanges.append(exchange)
        return
    if exchange is not None:
        reading.problems.append(exchange)
    told = list(events_of(call))
    if told:
        known = {"tags": call.tags} if call.tags else {}
        reading.note(whose(call.conversation or call.trace, call.agent, call.agent_version, **known), *told)


def whose(conversation: str, agent: str, version: str, **known: Any) -> ConversationEvent:
    """Which agent's conversation it is."""
    return ConversationEvent(
        conversation=conversation, agent=agent or UNSET, agent_version=version or UNSET, **known
    )  # fmt: skip


def incomplete(conversation: str, agent: str, version: str) -> ConversationEvent:
    """A conversation of which only some messages are told, such as prompts without the results of tools."""
    return whose(conversation, agent, version, complete=False, incomplete_reason=_NOT_ALL)


def is_adrift(call: ModelCall) -> bool:
    """Whether the exporter left out so much that nothing says to which conversation the rest belongs."""
    return bool(call.content) and not call.content.whole and not call.conversation and verbatim(call.attributes) is None


def _adrift(call: ModelCall) -> Problem:
    return Problem(
        code="cut_off",
        message=f"Of call {call.id} the exporter dropped the oldest attributes, the conversation's id among them.",
        mend="Set OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=10000 there: an attribute for each message needs more than 128.",
        field="attributes",
    )


def _shortened(call: ModelCall) -> Problem:
    return Problem(
        code="cut_off",
        message=f"The messages of call {call.id} were cut off in the middle by a limit of the exporter.",
        mend="Raise or unset OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT and OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT there.",
        field="gen_ai.input.messages",
    )
