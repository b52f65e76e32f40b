"""Batches: each result arrives with its request, whichever program fetches it."""

import asyncio
import json
import os

import anthropic
import pytest

from conversations.ingest.formats.exchanges import read_exchange
from conversations.recorder import counts, delivery, flush, observing
from conversations.recorder.batches import Batches
from conversations.recorder.labels import Labels
from conversations.recorder.routes import Route, route_of
from conversations.recorder.seen import Begun
from tests.recorder.test_tap import ASKED, MESSAGE
from tests.standin.messages_api import Sent

BATCH = "msgbatch_01"
SECRET = {"type": "url", "url": "https://mcp.example.org", "name": "m", "authorization_token": "hush"}
REQUESTS = [
    {"custom_id": "first", "params": ASKED},
    {"custom_id": "second", "params": {**ASKED, "mcp_servers": [SECRET]}},
    {"custom_id": "third", "params": ASKED},
]
RESULTS = [
    {"custom_id": "second", "result": {"type": "succeeded", "message": {**MESSAGE, "id": "msg_2"}}},
    {"custom_id": "first", "result": {"type": "succeeded", "message": MESSAGE}},
    {"custom_id": "third", "result": {"type": "expired"}},
]


def about(url):
    return {
        "id": BATCH, "type": "message_batch", "processing_status": "ended", "created_at": "2026-11-22T20:00:00Z",
        "expires_at": "2026-11-23T20:00:00Z", "results_url": f"{url}/v1/messages/batches/{BATCH}/results",
        "request_counts": {"processing": 0, "succeeded": 2, "errored": 0, "canceled": 0, "expired": 1},
    }  # fmt: skip


def jsonl(results=RESULTS):
    return "".join(json.dumps(result) + "\n" for result in results).encode()


def script(model, *, fetched=1):
    """The API's answers: to the creation, and each time somebody asks for the results."""
    told = Sent(200, json.dumps(about(model.url)).encode(), {"content-type": "application/json"})
    lines = Sent(200, jsonl(), {"content-type": "application/x-jsonl"})
    model.replies += [lambda _: told, *[lambda _: told, lambda _: lines] * fetched]


@pytest.fixture
def client(model, observed):
    with anthropic.Anthropic(api_key="test-key", base_url=model.url) as bare:
        yield observed(bare, agent="night-shift", conversation="ticket-17")


def test_each_result_arrives_with_its_request(client, model, collector):
    script(model)
    batch = client.messages.batches.create(requests=REQUESTS)
    names = [each.custom_id for each in client.messages.batches.results(batch.id)]
    assert names == ["second", "first", "third"]

    assert flush(10)
    assert [each["request"]["custom_id"] for each in collector.exchanges] == names
    assert [each["response"] for each in collector.exchanges] == RESULTS
    first = next(each for each in collector.exchanges if each["request"]["custom_id"] == "first")
    assert (first["agent"], first["endpoint"], first["request"]["params"]) == ("night-shift", "batches", ASKED)
    assert "conversation" not in first  # three requests are three conversations
    assert "duration_ms" not in first
    assert "hush" not in json.dumps(collector.exchanges)
    assert (counts().accepted, counts().delivered) == (3, 3)


def test_what_arrives_is_understood_by_the_server(client, model, collector):
    script(model)
    list(client.messages.batches.results(client.messages.batches.create(requests=REQUESTS).id))

    assert flush(10)
    second, first, third = [read_exchange(each, 0) for each in collector.exchanges]
    assert (first.id, second.id, first.sent[0].blocks[0].text) == ("msg_1", "msg_2", "Who is there?")
    assert third.error == "The request in the batch was expired."


def test_beta_and_async_clients_are_recorded_too(model, observed, collector):
    script(model)

    async def run():
        async with anthropic.AsyncAnthropic(api_key="test-key", base_url=model.url) as bare:
            batches = observed(bare, agent="night-shift").beta.messages.batches
            batch = await batches.create(requests=REQUESTS[:1])
            return [each.custom_id async for each in await batches.results(batch.id)]

    assert asyncio.run(run()) == ["second", "first", "third"]
    assert flush(10)
    [exchange] = collector.exchanges
    assert exchange["request"]["custom_id"] == "first"


def test_another_program_may_fetch_the_results(client, model, collector, observed, monkeypatch):
    script(model)
    batch = client.messages.batches.create(requests=REQUESTS)
    assert flush(10)
    monkeypatch.setattr(observing, "_known", {})  # as a program that begins now
    delivery._all.clear()
    with anthropic.Anthropic(api_key="test-key", base_url=model.url) as bare:
        list(observed(bare).messages.batches.results(batch.id))

    assert flush(10)
    assert {each["agent"] for each in collector.exchanges} == {"night-shift"}
    assert len(collector.exchanges) == 3


def test_results_that_are_fetched_again_are_the_same_exchanges(client, model, collector):
    script(model, fetched=2)
    batch = client.messages.batches.create(requests=REQUESTS)
    for _ in range(2):
        list(client.messages.batches.results(batch.id))
        assert flush(10)

    ids = [each["id"] for each in collector.exchanges]
    assert len(ids) == 6
    assert len(set(ids)) == 3


def test_results_of_an_unknown_batch_are_told_of_and_cost_nothing_else(client, model, collector, caplog):
    script(model)
    model.replies.pop(0)
    assert len(list(client.messages.batches.results(BATCH))) == 3

    assert flush(10)
    assert collector.exchanges == []
    assert (counts().accepted, counts().dropped) == (0, 0)
    assert f"The results of batch {BATCH} are not recorded" in caplog.text


# --- what is kept -----------------------------------------------------------------------------------------------------


def seen(route, request=b"", answer=b"", **labels):
    begun = Begun(route, Labels(**labels), "anthropic", "", request)
    return begun.answered(200, "application/json", answer)


def created(number, text="Hello."):
    asked = {"requests": [{"custom_id": "a", "params": {**ASKED, "metadata": {"user_id": text}}}]}
    return seen(Route("batches"), json.dumps(asked).encode(), json.dumps({"id": f"b{number}"}).encode(), agent="x")


def results(number, body=None):
    return seen(Route("batches/results", batch=f"b{number}"), answer=body or jsonl([{"custom_id": "a", "result": {}}]))


@pytest.mark.parametrize("on_disk", [True, False])
def test_newest_batches_stay_within_the_bound(tmp_path, on_disk):
    folder = tmp_path / "kept" if on_disk else None
    batches = Batches(folder, most_bytes=1500)
    for number in range(8):
        assert list(batches.exchanges([created(number, os.urandom(200).hex())])) == []
        for path in folder.iterdir() if folder else ():
            os.utime(path, (path.stat().st_mtime - 10,) * 2)  # so that the next one is the newest

    told = [len(list(batches.exchanges([results(number)]))) for number in range(8)]
    assert told == sorted(told)
    assert 0 < sum(told) < 8


def test_one_request_keeps_its_conversation(tmp_path):
    batches = Batches(tmp_path, most_bytes=10_000)
    asked = json.dumps({"requests": REQUESTS[:1]}).encode()
    list(batches.exchanges([seen(Route("batches"), asked, b'{"id": "b1"}', conversation="ticket-17", title="Refund")]))

    [told] = batches.exchanges([results(1, jsonl([RESULTS[1]]))])
    assert (told.labels.conversation, told.labels.title) == ("ticket-17", "Refund")


@pytest.mark.parametrize("body", [b"{", b"[1]\n", b'{"custom_id": "b"}\n', b'{"custom_id": "a", "resu'])
def test_results_that_were_not_read_to_their_end_tell_what_they_can(tmp_path, body):
    batches = Batches(tmp_path, most_bytes=10_000)
    list(batches.exchanges([created(1)]))

    assert list(batches.exchanges([results(1, body), created(2)])) == []


def test_a_batch_that_cannot_be_read_costs_no_other_call(tmp_path, caplog):
    odd = seen(Route("batches"), b'{"requests": [{"params": {}}]}', b'{"id": "b1"}')
    call = seen(Route("messages"), b"{}", b"{}")

    assert list(Batches(tmp_path, 10_000).exchanges([odd, call])) == [call]
    assert "A batch could not be recorded" in caplog.text


def test_only_their_owner_can_read_what_is_kept(tmp_path):
    list(Batches(tmp_path, 10_000).exchanges([created(1)]))

    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("POST", "/v1/messages/batches", Route("batches")),
        ("GET", "/v1/messages/batches/b1/results", Route("batches/results", batch="b1")),
        ("GET", "/v1/messages/batches/b1", None),
        ("POST", "/v1/messages/batches/b1/cancel", None),
        ("GET", "/v1/messages/batches", None),
    ],
)
def test_only_creation_and_results_say_something(method, path, route):
    assert route_of(method, path) == route
