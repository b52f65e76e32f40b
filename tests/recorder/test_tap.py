"""Streams, raw responses, copies, shared HTTP clients, the clouds' classes: what the agent sees is the bare client."""

import gc
import gzip
import json
import struct
import zlib
from base64 import b64encode

import anthropic
import httpx2
import openai
import pytest

from conversations.recorder import flush, observe
from conversations.recorder import tap as taps
from tests.recorder.waiting import awaited
from tests.standin.messages_api import Sent, hangs_up, overloaded

ASKED = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "Who is there?"}]}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Hello there."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 9, "output_tokens": 3},
}
EVENTS = [
    {"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello "}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "there."}},
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 3},
    },
    {"type": "message_stop"},
]


def sse(events=EVENTS):
    return "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()


def streams(body=None, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Sent(200, body or sse(), {"content-type": "text/event-stream; charset=utf-8", **named})


@pytest.fixture
def client(model, observed):
    with anthropic.Anthropic(api_key="test-key", base_url=model.url) as bare:
        yield observed(bare, agent="support-bot", conversation="ticket-17")


def arrived(collector):
    assert flush(10)
    return collector.exchanges


# --- streams ----------------------------------------------------------------------------------------------------------


def test_stream_true_arrives_as_its_events(client, model, collector):
    model.replies.append(streams())
    kinds = [event.type for event in client.messages.create(**ASKED, stream=True)]
    assert kinds == [event["type"] for event in EVENTS if event["type"] != "ping"]
    [exchange] = arrived(collector)
    assert exchange["stream"] == EVENTS
    assert exchange["request"]["stream"] is True
    assert "response" not in exchange


def test_a_compressed_stream_arrives_readable(client, model, collector):
    model.replies.append(streams(gzip.compress(sse()), content_encoding="gzip"))
    with client.messages.stream(**ASKED) as stream:
        assert stream.get_final_text() == "Hello there."
    assert arrived(collector)[0]["stream"] == EVENTS


def test_a_stream_that_is_left_early_arrives_as_far_as_it_was_read(client, model, collector):
    many = [*EVENTS[:4], *[EVENTS[4]] * 20_000, *EVENTS[5:]]
    model.replies.append(streams(sse(many)))
    with client.messages.create(**ASKED, stream=True) as stream:
        assert next(iter(stream)).type == "message_start"
    [exchange] = arrived(collector)
    assert exchange["stream"][0]["type"] == "message_start"
    assert len(exchange["stream"]) < len(many)


def test_a_stream_that_breaks_off_raises_as_ever_and_says_why(observed, collector):
    class Breaks(httpx2.SyncByteStream):
        def __iter__(self):
            yield sse(EVENTS[:4])
            raise httpx2.ReadError("gone")

    def answer(_request):
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, stream=Breaks())

    bare = anthropic.Anthropic(api_key="k", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))
    stream = observed(bare).messages.create(**ASKED, stream=True)
    with pytest.raises(httpx2.ReadError):
        list(stream)
    [exchange] = arrived(collector)
    assert exchange["stream"] == EVENTS[:4]
    assert exchange["error"]["body"]["type"] == "ReadError"


def test_only_so_much_of_a_stream_is_kept(client, model, collector, monkeypatch):
    monkeypatch.setattr(taps, "_MOST_STREAMED", 1)
    model.replies.append(streams())
    assert len(list(client.messages.create(**ASKED, stream=True))) == len(EVENTS) - 1
    assert len(arrived(collector)) == 1


def test_an_async_stream_arrives_whole(model, observed, collector):
    model.replies += [streams(), streams(gzip.compress(sse()), content_encoding="gzip")]

    async def work():
        async with anthropic.AsyncAnthropic(api_key="test-key", base_url=model.url) as bare:
            client = observed(bare)
            async with client.messages.stream(**ASKED) as stream:
                assert await stream.get_final_text() == "Hello there."
            async with await client.messages.create(**ASKED, stream=True) as events:
                async for _ in events:
                    break

    awaited(work())
    whole, _ = arrived(collector)
    assert whole["stream"] == EVENTS


def test_an_async_call_that_fails_is_recorded(model, observed, collector):
    model.replies += [hangs_up()]

    async def work():
        async with anthropic.AsyncAnthropic(api_key="test-key", base_url=model.url, max_retries=0) as bare:
            await observed(bare).messages.create(**ASKED)

    with pytest.raises(anthropic.APIConnectionError):
        awaited(work())
    assert arrived(collector)[0]["error"]["body"]["type"] == "RemoteProtocolError"


# --- the client's other ways ------------------------------------------------------------------------------------------


def test_raw_and_streaming_responses_are_what_they_were(client, collector):
    raw = client.messages.with_raw_response.create(**ASKED)
    assert (raw.http_response.status_code, raw.parse().content[0].text) == (200, "Hello there.")
    with client.messages.with_streaming_response.create(**ASKED) as streamed:
        assert json.loads(b"".join(streamed.iter_bytes()))["type"] == "message"
        assert streamed.elapsed is not None
    assert [exchange["response"]["type"] for exchange in arrived(collector)] == ["message", "message"]


def test_copies_are_observed_and_the_tool_runner_is(client, model, collector):
    client.with_options(timeout=3).beta.messages.create(**ASKED, betas=["context-management-2025-06-27"])
    runner = client.copy(max_retries=0).beta.messages.tool_runner(**ASKED, tools=[])
    assert runner.until_done().content[0].text == "Hello there."
    first, second = arrived(collector)
    assert first["headers"] == {"anthropic-beta": "context-management-2025-06-27"}
    assert second["conversation"] == "ticket-17"


def test_the_connection_is_shared_and_closed_as_ever(model, observed):
    bare = anthropic.Anthropic(api_key="test-key", base_url=model.url)
    http = bare._client
    client = observed(bare)
    client.messages.create(**ASKED)
    assert client._client.__dict__ is http.__dict__
    client.close()
    assert http.is_closed
    assert client.is_closed()


def test_a_dropped_original_does_not_close_the_connection(model, observed):
    client = observed(anthropic.Anthropic(api_key="test-key", base_url=model.url))
    gc.collect()
    assert client.messages.create(**ASKED).stop_reason == "end_turn"
    http = client._client._observatory_original
    del client
    gc.collect()
    assert not http.is_closed  # we hold it
    http.close()


def test_two_clients_may_share_one_http_client(model, observed, collector):
    with httpx2.Client() as http:
        bare = [anthropic.Anthropic(api_key="test-key", base_url=model.url, http_client=http) for _ in range(3)]
        for agent, client in (("one", bare[0]), ("two", bare[1])):
            observed(client, agent=agent).messages.create(**ASKED)
        bare[2].messages.create(**ASKED)
        assert http.get(model.url).status_code == 404  # what is no call of a model goes its own way
    assert [exchange["agent"] for exchange in arrived(collector)] == ["one", "two"]


def test_observing_twice_records_once_under_the_last_name(client, observed, collector):
    observed(client, agent="other").messages.create(**ASKED)
    assert [exchange["agent"] for exchange in arrived(collector)] == ["other"]


def test_other_requests_are_not_recorded(observed, collector):
    def answer(_request):
        return httpx2.Response(200, json={"data": [], "has_more": False, "first_id": None, "last_id": None})

    http = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = observed(anthropic.Anthropic(api_key="k", http_client=http))
    assert list(client.models.list()) == []
    assert arrived(collector) == []


@pytest.mark.parametrize("thing", [object(), anthropic, None, 3])
def test_what_is_no_client_comes_back_and_is_told(observed, thing, caplog):
    assert observed(thing) is thing
    assert "Nothing is recorded" in caplog.text


def test_an_address_that_is_none_is_told(caplog):
    observe(anthropic.Anthropic(api_key="k"), url="observatory.example.org", key="obs_key")
    assert "'observatory.example.org' is no address" in caplog.text


def test_whatever_breaks_in_us_the_call_goes_on(client, model, monkeypatch, caplog):
    def breaks(*_args, **_kwargs):
        raise RuntimeError("ours")

    monkeypatch.setattr(taps, "route_of", breaks)
    assert client.messages.create(**ASKED).stop_reason == "end_turn"
    monkeypatch.undo()
    monkeypatch.setattr(client._client._observatory_tap, "_accept", breaks)
    assert client.messages.create(**ASKED).stop_reason == "end_turn"
    model.replies += [streams(), overloaded(), hangs_up()]
    assert len(list(client.messages.create(**ASKED, stream=True))) == len(EVENTS) - 1
    assert client.messages.create(**ASKED).stop_reason == "end_turn"
    assert {record.message for record in caplog.records if record.name == "observatory_recorder"} == {
        "A call could not be recorded.",
        "An answer could not be recorded.",
        "A streamed answer could not be recorded.",
        "A failed call could not be recorded.",
    }


def test_errors_look_as_they_do_without_us(model, observed):
    told = []
    for wrap in (lambda client: client, observed):
        with anthropic.Anthropic(api_key="wrong", base_url=model.url) as bare:
            with pytest.raises(anthropic.AuthenticationError) as raised:
                wrap(bare).messages.create(**ASKED)
            told.append((str(raised.value), raised.value.status_code, raised.value.body, type(raised.value.response)))
    assert told[0] == told[1]


# --- clouds -----------------------------------------------------------------------------------------------------------


def frame(event):
    """One event of Amazon's stream, as the service writes it."""
    headers = b"".join(
        struct.pack(">B", len(name)) + name + b"\x07" + struct.pack(">H", len(value)) + value
        for name, value in ((b":event-type", b"chunk"), (b":content-type", b"application/json"))
    )
    payload = json.dumps({"bytes": b64encode(json.dumps(event).encode()).decode()}).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    start = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return start + struct.pack(">I", zlib.crc32(start))


def answers(body=None, kind="application/json"):
    requests = []

    def answer(request):
        requests.append(request)
        return httpx2.Response(200, headers={"content-type": kind}, content=body or json.dumps(MESSAGE).encode())

    return httpx2.Client(transport=httpx2.MockTransport(answer)), requests


CLOUDS = [
    (anthropic.AnthropicBedrock, {"api_key": "secret-1", "aws_region": "eu-west-1"}, "bedrock"),
    (anthropic.AnthropicBedrockMantle, {"api_key": "secret-1", "aws_region": "eu-west-1"}, "bedrock"),
    (anthropic.AnthropicVertex, {"access_token": "secret-1", "region": "global", "project_id": "p"}, "vertex"),
    (anthropic.AnthropicFoundry, {"api_key": "secret-1", "resource": "r"}, "foundry"),
    (anthropic.AnthropicAWS, {"api_key": "secret-1", "aws_region": "eu-west-1", "workspace_id": "w"}, "aws"),
]


@pytest.mark.parametrize(("kind", "settings", "provider"), CLOUDS)
def test_every_cloud_is_recorded_with_its_model_and_without_its_secrets(observed, collector, kind, settings, provider):
    http, requests = answers()
    client = observed(kind(**settings, http_client=http))
    assert client.messages.create(**ASKED).content[0].text == "Hello there."
    [exchange] = arrived(collector)
    assert exchange["provider"] == provider
    assert exchange.get("model") or exchange["request"]["model"] == ASKED["model"]
    assert exchange["response"]["id"] == "msg_1"
    assert "secret-1" in str(requests[0].headers.raw)
    assert b"secret-1" not in collector.requests[0].body


def test_bedrocks_stream_is_unpacked(observed, collector):
    http, _ = answers(b"".join(map(frame, EVENTS)), "application/vnd.amazon.eventstream")
    client = observed(anthropic.AnthropicBedrock(api_key="k", aws_region="eu-west-1", http_client=http))
    with client.messages.with_streaming_response.create(**ASKED, stream=True) as response:
        response.read()
    [exchange] = arrived(collector)
    assert exchange["stream"] == EVENTS
    assert exchange["model"] == ASKED["model"]


def test_openais_clients_are_recorded_too(observed, collector):
    answer = {"id": "resp_1", "object": "response", "output": [], "model": "gpt-6", "status": "completed"}
    http = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=answer)))
    client = observed(openai.OpenAI(api_key="k", http_client=http))
    client.responses.create(model="gpt-6", input="Hi.")
    [exchange] = arrived(collector)
    assert (exchange["provider"], exchange["endpoint"]) == ("openai", "responses")
