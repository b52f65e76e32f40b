"""An agent that talks to the stand-in, and what different instrumentations tell of it."""

import json
from contextlib import contextmanager, nullcontext

from anthropic import Anthropic
from openinference.instrumentation import using_session
from openinference.instrumentation.anthropic import AnthropicInstrumentor as OpenInference
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.instrumentation.anthropic import AnthropicInstrumentor as OpenLLMetry
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.standin.messages_api import MessagesApi, Sent

CONVERSATION = "ticket-17"
RULE = "Refund order 8812. Never write to my old address."
BETA = "compact-2026-01-12"


# --- the model --------------------------------------------------------------------------------------------------------


class Model:
    """Answers as the API does: calls a tool at every second turn, and compacts once `most` messages stand in the
    context since the last summary. `pairs` are the exchanges as they were."""

    def __init__(self, most=12):
        self.most, self.pairs = most, []

    def __call__(self, received):
        messages = received.body["messages"]
        since = next((n for n, each in enumerate(reversed(messages)) if _has_summary(each)), len(messages))
        answer = self._answer(len(messages), compacts=since >= self.most)
        self.pairs.append({"request": received.body, "response": answer})
        return Sent(200, json.dumps(answer).encode())

    def _answer(self, number, *, compacts):
        said = [{"type": "text", "text": f"Step {number}: I look at part {number * 7}."}]
        called = number % 4 == 1
        if called:
            said.append({"type": "tool_use", "id": f"call-{number}", "name": "get_order", "input": {"part": number}})
        usage = {"input_tokens": 40 + number, "cache_read_input_tokens": 100 * number, "output_tokens": 9}
        usage["cache_creation_input_tokens"] = 20
        if compacts:
            said.insert(0, {"type": "compaction", "content": f"Order 8812; {number} messages so far."})
            usage["iterations"] = [
                {"type": "compaction", "input_tokens": 900 + number, "output_tokens": 70},
                {"type": "message", **usage},
            ]
        return {
            "id": f"msg_{number:04}",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-5-5",
            "content": said,
            "stop_reason": "tool_use" if called else "end_turn",
            "stop_sequence": None,
            "usage": usage,
        }


def _has_summary(message):
    content = message["content"]
    return not isinstance(content, str) and any(block["type"] == "compaction" for block in content)


# --- the agent --------------------------------------------------------------------------------------------------------


def run(client, turns):
    """The loop as everybody writes it: append the answer, then the tool's result or what the user says next."""
    messages = [{"role": "user", "content": RULE}]
    for turn in range(turns):
        response = client.beta.messages.create(
            model="claude-opus-5-5",
            max_tokens=500,
            system="You refund orders.",
            messages=messages,
            betas=[BETA],
            context_management={"edits": [{"type": "compact_20260112"}]},
        )
        content = [block.model_dump(exclude_none=True) for block in response.content]
        calls = [block for block in content if block["type"] == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": each["id"], "content": f"paid {turn}"} for each in calls]
        messages += [{"role": "assistant", "content": content}, {"role": "user", "content": results or f"And {turn}?"}]


@contextmanager
def standin(model):
    with MessagesApi() as api:
        api.otherwise = model
        yield api


def client_of(api, **options):
    """A client; without options it tells OpenTelemetry nothing."""
    return Anthropic(api_key=api.api_key, base_url=api.url, open_telemetry=options or False)


class OnDemand(Model):
    """Answers a request for a summary with one, and everything else with a step."""

    def _answer(self, number, *, compacts):
        steps = len(self.pairs)
        return {**super()._answer(4 * steps + 3, compacts=False), "id": f"msg_{steps}"}

    def __call__(self, received):
        if "compaction" not in received.body:
            return super().__call__(received)
        block = {"type": "compaction", "content": f"Order 8812, {len(self.pairs)} steps.", "signature": "s"}
        iterations = [{"type": "compaction", "input_tokens": 144, "output_tokens": 27}]
        answer = self._answer(0, compacts=False)
        answer |= {"content": [block], "stop_reason": "compaction"}
        answer["usage"] = {"input_tokens": 0, "output_tokens": 0, "iterations": iterations}
        self.pairs.append({"request": received.body, "response": answer})
        return Sent(200, json.dumps(answer).encode())


def run_on_demand(client, turns):
    """Asks for a summary after `turns` turns, and goes on from it; twice."""
    messages = [{"role": "user", "content": RULE}]
    for part in range(2):
        for turn in range(turns):
            content = _ask(client, messages)
            messages += [{"role": "assistant", "content": content}, {"role": "user", "content": f"And {turn}?"}]
        block = _ask(client, messages[:-1], extra_body={"compaction": {"type": "summarize"}})
        messages = [{"role": "assistant", "content": block}, {"role": "user", "content": f"Go on {part}."}]
    _ask(client, messages)


def _ask(client, messages, **fields):
    response = client.beta.messages.create(
        model="claude-opus-5-5", max_tokens=500, messages=messages, betas=["compact-2026-09-04"], **fields
    )
    return [block.model_dump(exclude_none=True) for block in response.content]


# --- who tells of it --------------------------------------------------------------------------------------------------


#: The SDK keeps 128 attributes of a span, the last ones. OpenInference writes some for each message, and needs more.
PLENTY = SpanLimits(max_span_attributes=10_000)


def provider(*processors, limits=PLENTY):
    resource = Resource({"service.name": "refunds", "service.version": "3"})
    made = TracerProvider(resource=resource, span_limits=limits)
    for processor in processors:
        made.add_span_processor(processor)
    return made


@contextmanager
def told_by_openinference(tracer_provider, session=CONVERSATION, trace=""):
    """Its spans, with the conversation as its session; in one trace if that has a name."""
    instrumentor = OpenInference()
    instrumentor.instrument(tracer_provider=tracer_provider)
    tracer = tracer_provider.get_tracer("agent")
    try:
        with using_session(session), tracer.start_as_current_span(trace) if trace else nullcontext():
            yield {}
    finally:
        instrumentor.uninstrument()


@contextmanager
def told_by_openllmetry(tracer_provider):
    """Its spans; of the conversation they say nothing, so the trace stands for it."""
    instrumentor = OpenLLMetry()
    instrumentor.instrument(tracer_provider=tracer_provider)
    try:
        with tracer_provider.get_tracer("agent").start_as_current_span("turn"):
            yield {}
    finally:
        instrumentor.uninstrument()


@contextmanager
def told_by_the_client(tracer_provider, content_mode="content"):
    """Anthropic's own spans."""
    traces = {"content_mode": content_mode}
    yield {"tracer_provider": tracer_provider, "conversation_id": CONVERSATION, "traces": traces}


def exported(teller, model, turns, limits=PLENTY, agent=run):
    """The export requests of a run, one a span, in the order in which the spans ended."""
    memory = InMemorySpanExporter()
    tracer_provider = provider(SimpleSpanProcessor(memory), limits=limits)
    with standin(model) as api, teller(tracer_provider) as options:
        agent(client_of(api, **options), turns)
    tracer_provider.shutdown()
    return [encode_spans([span]).SerializeToString() for span in memory.get_finished_spans()]
