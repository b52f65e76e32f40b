"""An agent of 300 turns with four compactions tells the same story by recorder, raw exchanges and OpenTelemetry."""

import json
from dataclasses import replace
from functools import cached_property

import pytest
from openinference.instrumentation import using_session
from openinference.instrumentation.anthropic import AnthropicInstrumentor
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from conversations.ingest import services
from conversations.ingest.formats.otlp_wire import Signal
from conversations.models import Compaction, Conversation, Message, Request, Workspace
from conversations.ops.simulation import running
from conversations.ops.simulation.answering import Answerer
from conversations.ops.simulation.running import Destination, Workflow
from conversations.ops.simulation.streaming import events_of
from conversations.recorder import flush, observing
from tests.factories import create_api_key

TURNS = 300
LONG = Workflow(43, 15_000, least_trigger=2_000, forgets=True)  # 303 calls, four compactions
NAME = "three-ways"
BATCH = 50  # exchanges of one POST

#: The recorder's server answers in other threads, which must see what the test has made.
pytestmark = pytest.mark.django_db(transaction=True)


class Told:
    """One run of the agent, and what each way has of it."""

    def __init__(self, workflow, destination, monkeypatch):
        self.pairs = []
        told, streamed = self.pairs, workflow.streamed

        class Noting(Answerer):
            """Keeps what went over the wire."""

            def answer(self, body, betas):
                message = super().answer(body, betas)
                answered = {"stream": list(events_of(message))} if streamed else {"response": message}
                told.append({"request": body, **answered})
                return message

        monkeypatch.setattr(running, "Answerer", Noting)
        self.memory = InMemorySpanExporter()
        provider = TracerProvider(span_limits=SpanLimits(max_span_attributes=100_000))
        provider.add_span_processor(SimpleSpanProcessor(self.memory))
        instrumentor = AnthropicInstrumentor()
        instrumentor.instrument(tracer_provider=provider)
        try:
            with using_session(NAME):
                self.run = running.run(workflow, NAME, destination)
        finally:
            instrumentor.uninstrument()
            provider.shutdown()

    @cached_property
    def exchanges(self):
        """Bodies for POST /api/v1/exchanges, a number of exchanges each, one a second by the agent's clock."""
        items = [{"conversation": NAME, "at": 1_795_000_000 + n, **pair} for n, pair in enumerate(self.pairs)]
        return [json.dumps({"exchanges": items[at : at + BATCH]}).encode() for at in range(0, len(items), BATCH)]

    @cached_property
    def spans(self):
        """Bodies for POST /v1/traces, in the order in which the spans ended."""
        ended = self.memory.get_finished_spans()
        return [encode_spans(ended[at : at + BATCH]).SerializeToString() for at in range(0, len(ended), BATCH)]


@pytest.fixture
def tell(live_server, monkeypatch, tmp_path):
    """Runs the agent, with the recorder sending to a workspace."""
    monkeypatch.setenv("OBSERVATORY_SPILL_DIR", str(tmp_path))
    monkeypatch.setattr(observing, "_known", {})

    def tell(workflow, workspace):
        destination = Destination(live_server.url, create_api_key(workspace, ["ingest"])[1])
        told = Told(workflow, destination, monkeypatch)
        assert flush(60)
        services.digest_pending()
        return told

    return tell


def workspace(slug):
    return Workspace.objects.create(slug=slug, name=slug.title())


def take_exchanges(workspace, told):
    for body in told.exchanges:
        receipt = services.accept_exchange_bodies(workspace=workspace, body=body)
        assert {result.status for result in receipt.results} == {"accepted"}
    services.digest_pending()


def take_spans(workspace, told):
    for body in told.spans:
        taken = services.accept_telemetry(workspace=workspace, body=body, signal=Signal.TRACES, is_json=False)
        assert taken.rejected == 0
    services.digest_pending()


def story(workspace):
    """All that is the same whoever tells it: messages, compactions with what they dropped, and tokens."""
    conversation = Conversation.objects.get(workspace=workspace)
    assert conversation.external_id == NAME
    compactions = Compaction.objects.filter(conversation=conversation).order_by("position")
    requests = Request.objects.filter(conversation=conversation).order_by("position")
    messages = Message.objects.filter(conversation=conversation).order_by("position")
    return {
        "messages": [(each.external_id, each.role, each.origin, each.blocks) for each in messages],
        "compactions": [_compaction(each) for each in compactions],
        "tokens": list(requests.values_list("purpose", "input_tokens", "output_tokens")),
    }


def _compaction(compaction):
    dropped = Message.objects.filter(dropped_by=compaction).order_by("position").values_list("external_id", flat=True)
    facts = (compaction.kind, compaction.trigger, compaction.trigger_tokens, compaction.summary_state)
    return (*facts, compaction.external_id, list(dropped))


def test_300_turns_with_four_compactions_are_told_alike_three_times_streamed_and_not(tell):
    stories = []
    for way, streamed in (("whole", False), ("streamed", True)):
        recorder, exchanges, spans = (workspace(f"{way}-{name}") for name in ("recorder", "exchanges", "spans"))
        told = tell(replace(LONG, streamed=streamed), recorder)
        take_exchanges(exchanges, told)
        take_spans(spans, told)
        stories += [story(recorder), story(exchanges), story(spans)]

        assert len(told.pairs) > TURNS
        assert told.run.figures.compactions == 4
        assert [len(each[-1]) for each in stories[-1]["compactions"]] == _replaced(told)
        assert len(stories[-1]["messages"]) == _said(told)
    assert all(each == stories[0] for each in stories)


def test_a_client_that_goes_on_sending_what_was_summarised_tells_the_same(tell):
    short = replace(LONG, tickets=6, trigger=4_000)
    stories = []
    for name, forgets in (("forgets", True), ("holds", False)):
        recorder, exchanges = workspace(f"{name}-recorder"), workspace(f"{name}-exchanges")
        told = tell(replace(short, forgets=forgets), recorder)
        take_exchanges(exchanges, told)
        stories += [story(recorder), story(exchanges)]
        assert told.run.figures.compactions > 1
    assert all(each == stories[0] for each in stories)


def _replaced(told):
    """How many messages were in the context at each compaction: those of its request. The summary of the one before is
    a message of its own, apart from the words that follow it in the same answer."""
    counts = []
    for pair, answer in zip(told.pairs, told.run.answers, strict=True):
        if answer.content[0].type == "compaction":
            messages = pair["request"]["messages"]
            opens_with_summary = not isinstance(messages[0]["content"], str)
            counts.append(len(messages) + opens_with_summary)
    return counts


def _said(told):
    """The task, every answer, every result of a tool, and every summary."""
    results = sum(answer.stop_reason == "tool_use" for answer in told.run.answers)
    return 1 + len(told.run.answers) + results + told.run.figures.compactions
