"""The recorder around real clients of the `anthropic` package, over real HTTP to a stand-in."""

import anthropic
import pytest

from conversations.recorder import conversation, counts, flush, observe
from tests.recorder.waiting import awaited
from tests.standin.messages_api import fails, overloaded, rate_limited

ASKED = {"model": "claude-opus-5-5", "max_tokens": 50, "messages": [{"role": "user", "content": "Who is there?"}]}


@pytest.fixture
def client(model, observed):
    with anthropic.Anthropic(api_key="test-key", base_url=model.url) as bare:
        yield observed(bare, agent="support-bot", conversation="ticket-17")


def test_observe_returns_the_same_client(model, observed):
    with anthropic.Anthropic(api_key="test-key", base_url=model.url) as bare:
        http = bare._client
        assert observed(bare) is bare
        assert type(bare) is anthropic.Anthropic
        assert isinstance(bare._client, type(http))


def test_a_call_arrives_with_both_bodies(client, collector):
    answer = client.messages.create(**ASKED)
    assert answer.content[0].text == "Hello there."
    assert flush(10)
    [exchange] = collector.exchanges
    assert exchange["request"] == ASKED
    assert exchange["response"]["content"] == [{"type": "text", "text": "Hello there."}]
    assert (exchange["agent"], exchange["conversation"]) == ("support-bot", "ticket-17")
    assert (exchange["provider"], exchange["endpoint"]) == ("anthropic", "messages")
    assert exchange["duration_ms"] >= 0
    assert collector.requests[0].headers["authorization"] == "Bearer obs_key"


def test_an_async_client_is_recorded(model, observed, collector):
    async def call():
        async with anthropic.AsyncAnthropic(api_key="test-key", base_url=model.url) as bare:
            await observed(bare, conversation="ticket-18").messages.create(**ASKED)

    awaited(call())
    assert flush(10)
    assert [exchange["conversation"] for exchange in collector.exchanges] == ["ticket-18"]


def test_a_block_of_code_says_its_conversation(client, collector):
    with conversation("ticket-18", parent="ticket-17"):
        client.messages.create(**ASKED)
    client.messages.create(**ASKED)
    assert flush(10)
    assert [(said["conversation"], said.get("parent")) for said in collector.exchanges] == [
        ("ticket-18", "ticket-17"),
        ("ticket-17", None),
    ]


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (fails(400, "invalid_request_error"), anthropic.BadRequestError),
        (fails(404, "not_found_error"), anthropic.NotFoundError),
    ],
)
def test_errors_are_raised_and_recorded(client, model, collector, failure, error):
    model.replies.append(failure)
    with pytest.raises(error):
        client.messages.create(**ASKED)
    assert flush(10)
    [exchange] = collector.exchanges
    assert exchange["error"]["status"] == error.status_code
    assert exchange["error"]["body"]["type"] == "error"


def test_every_attempt_is_recorded_and_the_client_retries(client, model, collector):
    model.replies += [overloaded(), rate_limited()]
    assert client.messages.create(**ASKED).content[0].text == "Hello there."
    assert flush(10)
    assert [said.get("error", {}).get("status") for said in collector.exchanges] == [529, 429, None]


def test_without_address_or_key_nothing_happens_and_is_said_once(model, caplog):
    with anthropic.Anthropic(api_key="test-key", base_url=model.url) as bare:
        http = bare._client
        assert observe(observe(bare))._client is http
        assert bare.messages.create(**ASKED).content[0].text == "Hello there."
    assert [record.message for record in caplog.records if record.name == "observatory_recorder"] == [
        "OBSERVATORY_URL or OBSERVATORY_KEY is not set: nothing is recorded."
    ]


def test_ids_may_be_numbers(client, collector):
    with conversation(0):
        client.messages.create(**ASKED)
    with conversation(17):
        client.messages.create(**ASKED)
    assert flush(10)
    assert [said["conversation"] for said in collector.exchanges] == ["0", "17"]


def test_counts_say_what_became_of_them(client):
    client.messages.create(**ASKED)
    assert flush(10)
    assert (counts().accepted, counts().delivered) == (1, 1)
