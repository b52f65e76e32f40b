"""Delivery to a server that is slow, away, wrong or full of nonsense, and what the agent notices of it: nothing."""

import gzip
import json
import logging
import os
import stat
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from conversations.recorder import Counts
from conversations.recorder import backlog as backlogs
from conversations.recorder.backlog import Backlog, Payload
from conversations.recorder.delivery import Delivery, flush_all
from conversations.recorder.labels import Labels
from conversations.recorder.post import Server
from conversations.recorder.routes import Route
from conversations.recorder.seen import Begun
from tests.recorder.collector import Collector, Say, error, taken
from tests.recorder.conftest import QUICK


def seen(number=1, size=0):
    body = json.dumps({"messages": [{"role": "user", "content": f"{number}" + "x" * size}]}).encode()
    begun = Begun(Route("messages"), Labels(conversation="c"), "anthropic", "", body)
    return begun.answered(200, "application/json", b'{"id": "msg_%d"}' % number)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "waiting"


def deliver_to(url, folder, **limits):
    limited = replace(QUICK, **limits)
    server = Server(url, "obs_key", timeout=limited.timeout)
    return Delivery(server, Backlog(folder, limited.spill_bytes), limited)


@pytest.fixture
def delivery(collector, folder):
    return deliver_to(collector.url, folder)


def numbers(collector):
    return [int(exchange["response"]["id"].removeprefix("msg_")) for exchange in collector.exchanges]


def files(folder):
    return sorted(folder.glob("*.gz")) if folder.is_dir() else []


def accept(delivery, *given):
    for number in given:
        delivery.accept(seen(number))


def held(collector, then):
    """The next request is answered by `then`, once the event is set that comes back."""
    free = threading.Event()
    collector.answers.append(lambda got: free.wait() and then(got))
    return free


def test_batches_are_compressed_lines(delivery, collector):
    accept(delivery, 1, 2, 3)
    assert delivery.flush(10)
    assert numbers(collector) == [1, 2, 3]
    headers = collector.requests[0].headers
    assert (headers["content-type"], headers["content-encoding"]) == ("application/x-ndjson", "gzip")
    assert delivery.counts == Counts(accepted=3, delivered=3)


def test_what_comes_together_goes_together(collector, folder):
    delivery = deliver_to(collector.url, folder, linger=60, batch_count=50)
    accept(delivery, *range(100))
    collector.wait_for(lambda got: len(got.exchanges) == 100)  # two full batches do not wait for company
    accept(delivery, 100)
    assert delivery.flush(10)
    assert [len(got.body.splitlines()) for got in collector.requests] == [50, 50, 1]


def test_a_batch_is_bounded_by_bytes(collector, folder):
    delivery = deliver_to(collector.url, folder, linger=60, batch_bytes=10_000)
    for number in range(4):
        delivery.accept(seen(number, size=4000))
    assert delivery.flush(10)
    assert [len(got.body.splitlines()) for got in collector.requests] == [1, 1, 1, 1]
    assert numbers(collector) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(error(429, retry_after="0.02"), id="too many requests"),
        pytest.param(error(500), id="its own error"),
        pytest.param(error(503, retry_after="soon"), id="unavailable"),
        pytest.param(Say(0), id="hangs up"),
        pytest.param(Say(200, b"<html>Welcome</html>"), id="another server"),
        pytest.param(Say(200, b"{}"), id="another api"),
        pytest.param(Say(207, b'{"results": '), id="half an answer"),
        pytest.param(Say(207, b'{"results": [1]}'), id="another shape"),
        pytest.param(error(401, "not_authenticated", "No such key."), id="wrong key"),
        pytest.param(error(404), id="wrong address"),
        pytest.param(Say(301, b"", {"location": "https://example.org/"}), id="moved"),
    ],
)
def test_what_was_not_taken_is_sent_again_in_order(delivery, collector, folder, answer, caplog):
    collector.answers += [answer, answer]
    accept(delivery, 1)
    collector.wait_for(lambda got: got.requests)
    accept(delivery, 2)
    assert delivery.flush(10)
    assert numbers(collector) == [1, 2]
    assert delivery.counts == Counts(accepted=2, delivered=2)
    assert files(folder) == []
    assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1


def test_the_server_is_left_in_peace_for_as_long_as_it_says(delivery, collector, folder):
    collector.answers.append(error(503, retry_after="60"))
    accept(delivery, 1)
    collector.wait_for(lambda got: got.requests)
    accept(delivery, 2)
    assert not delivery.flush(0.2)
    assert len(collector.requests) == 1
    assert 30 < delivery._shipper.ready_in() <= 60


def test_a_date_says_when_to_come_back(delivery, collector):
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    collector.answers.append(error(429, retry_after=later))
    accept(delivery, 1)
    assert not delivery.flush(0.2)
    assert 60 < delivery._shipper.ready_in() <= 90


def test_one_bad_exchange_costs_no_other(delivery, collector, caplog):
    def refuses(got):
        lines = [json.loads(line) for line in got.body.splitlines()]
        if any(line["response"]["id"] == "msg_3" for line in lines):
            return error(422, "bad_json", "Line 3 is no JSON.")
        collector.exchanges += lines
        return taken(lines)

    collector._take = refuses
    accept(delivery, *range(1, 6))
    assert delivery.flush(10)
    assert sorted(numbers(collector)) == [1, 2, 4, 5]
    assert delivery.counts == Counts(accepted=5, delivered=4, rejected=1, reasons={"refused": 1})
    assert "Line 3 is no JSON." in caplog.text


def test_rejected_exchanges_are_counted_by_reason_and_told_once(delivery, collector, caplog):
    rejected = {"index": 0, "status": "rejected", "code": "bad_field", "message": '"request" is missing.'}
    collector.answers.append(taken([], [rejected, rejected, {"index": 2, "status": "duplicate"}]))
    accept(delivery, 1, 2, 3)
    assert delivery.flush(10)
    assert delivery.counts == Counts(accepted=3, delivered=1, rejected=2, reasons={"bad_field": 2})
    assert caplog.text.count('"request" is missing.') == 1


def test_what_cannot_be_told_costs_no_other(delivery, collector, caplog):
    begun = Begun(Route("messages"), Labels(), "", "", b"no JSON")
    garbled = Begun(Route("messages"), Labels(), "", "", b"{}").answered(200, "", b"x", int)
    for bad in (begun.answered(200, "", b"{}"), garbled):
        delivery.accept(bad)
    accept(delivery, 1)
    assert delivery.flush(10)
    assert numbers(collector) == [1]
    assert delivery.counts == Counts(accepted=3, delivered=1, unreadable=2)
    assert "no JSON object" in caplog.text


@pytest.mark.parametrize("results", [[], [{"status": "accepted"}] * 9])
def test_counts_add_up_whatever_the_receipt_says(delivery, collector, results):
    collector.answers.append(Say(207, json.dumps({"results": results}).encode()))
    accept(delivery, 1, 2)
    assert delivery.flush(10)
    assert delivery.counts == Counts(accepted=2, delivered=2)


def test_the_same_reason_is_told_once_for_all_batches(delivery, collector, caplog):
    for number in range(3):
        rejected = {"status": "rejected", "code": "too_deep", "message": f"Exchange {number} nests too deep."}
        collector.answers.append(taken([], [rejected]))
        accept(delivery, number)
        assert delivery.flush(10)
    assert delivery.counts.reasons == {"too_deep": 3}
    assert caplog.text.count("nests too deep") == 1


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_a_full_buffer_lets_the_oldest_go_and_counts_them(collector, folder):
    free = held(collector, collector._take)
    delivery = deliver_to(collector.url, folder, buffer_count=3)
    accept(delivery, 1)
    collector.wait_for(lambda got: got.requests)
    accept(delivery, *range(2, 9))
    free.set()
    assert delivery.flush(10)
    assert numbers(collector) == [1, 6, 7, 8]
    assert (delivery.counts.accepted, delivery.counts.dropped) == (8, 4)


def test_the_buffer_is_bounded_by_bytes(collector, folder):
    delivery = deliver_to(collector.url, folder, buffer_bytes=10_000, linger=60, batch_bytes=100_000)
    for number in range(5):
        delivery.accept(seen(number, size=3000))
    delivery.accept(seen(5, size=20_000))  # too large for it alone
    assert delivery.flush(10)
    assert numbers(collector) == []
    assert delivery.counts.dropped == 6


def test_a_slow_server_does_not_hold_up_who_accepts(collector, folder):
    free = held(collector, collector._take)
    delivery = deliver_to(collector.url, folder)
    accept(delivery, 0)
    collector.wait_for(lambda got: got.requests)
    accept(delivery, *range(1, 1001))  # waits for nothing, or the test would hang
    free.set()
    assert delivery.flush(10)
    assert len(collector.exchanges) == 1001


def test_a_server_that_takes_too_long_is_given_up(collector, folder):
    free = held(collector, lambda _got: Say(500))
    delivery = deliver_to(collector.url, folder, timeout=0.05)
    accept(delivery, 1)
    collector.wait_for(lambda got: got.exchanges)
    free.set()
    assert delivery.flush(10)
    assert numbers(collector) == [1]


# --- the disk ---------------------------------------------------------------------------------------------------------


def test_a_server_that_is_away_for_a_while_loses_nothing(folder):
    with Collector() as first:
        delivery = deliver_to(first.url, folder)
        accept(delivery, 1, 2)
        assert delivery.flush(10)
        port = first.port
    for number in range(3, 40):
        accept(delivery, number)
    assert not delivery.flush(0.3)
    assert files(folder)
    with Collector(port) as second:
        accept(delivery, 40)
        assert delivery.flush(10)
        assert numbers(second) == list(range(3, 41))
    assert delivery.counts == Counts(accepted=40, delivered=40)
    assert files(folder) == []


def test_files_are_only_for_their_owner(folder):
    delivery = deliver_to("http://127.0.0.1:9", folder)
    accept(delivery, 1)
    delivery.flush(0.2)
    [file] = files(folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert json.loads(gzip.decompress(file.read_bytes()))["conversation"] == "c"


def test_the_next_program_sends_what_was_left(collector, folder):
    left = deliver_to("http://127.0.0.1:9", folder)
    accept(left, 1, 2)
    left.close()
    assert len(files(folder)) >= 1
    deliver_to(collector.url, folder).resume()
    collector.wait_for(lambda got: len(got.exchanges) == 2)
    assert numbers(collector) == [1, 2]


def test_the_disk_is_bounded_and_the_oldest_go(folder):
    backlog = Backlog(folder, 250)
    gone = [backlog.put(Payload(bytes(100), count)) for count in (1, 2, 3)]
    assert gone == [0, 0, 1]
    assert [file.name.rpartition("-")[2] for file in files(folder)] == ["2.ndjson.gz", "3.ndjson.gz"]


def test_without_a_disk_it_waits_in_memory(tmp_path, collector, caplog):
    (tmp_path / "file").write_text("in the way")
    collector.answers += [error(503), error(503)]
    delivery = deliver_to(collector.url, tmp_path / "file" / "folder")
    accept(delivery, 1)
    assert delivery.flush(10)
    assert numbers(collector) == [1]
    assert "kept in memory only" in caplog.text


def test_what_had_to_go_while_it_was_sent_takes_no_other_along():
    backlog = Backlog(None, 250)
    backlog.put(Payload(bytes(100), 1))
    sent = backlog.oldest()
    for count in (2, 3):
        backlog.put(Payload(bytes(100), count))
    backlog.remove(sent)
    assert backlog.in_memory() == 5


def test_memory_is_bounded_too_and_what_the_end_loses_is_told(caplog):
    backlog = Backlog(None, 250)
    assert [backlog.put(Payload(bytes(100), count)) for count in (1, 2, 3)] == [0, 0, 1]
    delivery = deliver_to("http://127.0.0.1:9", None)
    accept(delivery, 1)
    delivery.close()
    assert "ends before 1 recorded exchanges" in caplog.text
    assert delivery.counts.dropped == 1


def test_a_file_that_another_program_sent_is_no_trouble(folder, collector):
    delivery = deliver_to("http://127.0.0.1:9", folder)
    accept(delivery, 1)
    delivery.flush(0.2)
    for file in files(folder):
        file.unlink()
    assert delivery._shipper.backlog.oldest() is None
    assert delivery.flush(1)


def test_a_file_that_cannot_be_read_is_left_alone(folder, caplog, monkeypatch):
    backlog = Backlog(folder, 1000)
    backlog.put(Payload(b"x", 1))
    monkeypatch.setattr(Path, "read_bytes", lambda _self: os.open("/dev/null/x", os.O_RDONLY))
    assert backlog.oldest() is None
    assert "is left where it is" in caplog.text
    assert len(files(folder)) == 1


# --- the end ----------------------------------------------------------------------------------------------------------


def test_the_end_waits_a_moment_and_keeps_the_rest(collector, folder):
    free = held(collector, lambda _got: Say(500))
    delivery = deliver_to(collector.url, folder, exit_seconds=0.05)
    accept(delivery, 1)
    collector.wait_for(lambda got: got.requests)
    accept(delivery, 2)
    delivery.close()
    kept = [json.loads(line) for file in files(folder) for line in gzip.decompress(file.read_bytes()).splitlines()]
    assert [line["response"]["id"] for line in kept] == ["msg_1", "msg_2"]
    free.set()
    delivery._thread.join(10)


def test_flushing_everything_shares_one_deadline(collector, folder):
    accept(deliver_to(collector.url, folder), 1)
    assert flush_all(10)
    accept(deliver_to("http://127.0.0.1:9", folder / "away"), 2)
    assert not flush_all(0.05)


def test_names_of_files_tell_how_many_are_in_them():
    assert backlogs._count_of(Path("0001-12-0-17.ndjson.gz")) == 17
    assert backlogs._count_of(Path("copied by hand.ndjson.gz")) == 1
