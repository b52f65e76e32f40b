"""Uploads to a real server: streamed in any framing, in memory that does not grow with the file."""

import gzip
import http.client
import json
import re
from pathlib import Path

import pytest

from tests.ingest.formats.lines import user
from tests.ops.server import Server, copy_data_dir

KILOBYTE = 1000
BIG = 300_000_000
MOST_RSS = 200_000_000  # bytes; an idle web process has 80 MB, one that took 300 MB 100


@pytest.fixture(scope="module")
def server(tmp_path_factory, migrated):
    """One for all tests of this module."""
    data_dir = tmp_path_factory.mktemp("uploads") / "data"
    copy_data_dir(migrated, data_dir)
    started = Server(data_dir, "--no-import")
    yield started.wait_until_ready()
    started.stop()


@pytest.fixture(scope="module")
def key(server):
    return server.manage("create_api_key", "--name", "uploads")


def transcript(size):
    """Lines of a session, about 10 kB each, `size` bytes or a little more."""
    sent = number = 0
    while sent < size:
        number += 1
        line = json.dumps(user(f"u{number}", f"{number} is a number. " * 600)).encode() + b"\n"
        sent += len(line)
        yield line


def send(server, key, body, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    headers = {"Authorization": f"Bearer {key}", **headers}
    connection.request("POST", "/api/v1/transcripts?name=s.jsonl", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer


def web_peak(server):
    """The largest resident memory any process of the web server has had, in bytes."""
    peaks = []
    for pid in server.everyone():
        status = Path(f"/proc/{pid}/status").read_text()
        if status.startswith("Name:\tobs-web"):
            peaks.append(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024)
    return max(peaks)


def form(content):
    edge = "edge-of-the-form"
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="s.jsonl"\r\n\r\n'.encode()
    return head + content + f"\r\n--{edge}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={edge}"}


def test_same_file_in_any_framing_is_the_same_batch(server, key):
    content = b"".join(transcript(50 * KILOBYTE))
    whole, form_type = form(content)
    packed = gzip.compress(content, mtime=0)
    framings = [
        (content, {}),
        (iter([content[:10], content[10:]]), {}),  # chunked: an iterator has no length
        (iter([packed[:5], packed[5:]]), {"Content-Encoding": "gzip"}),
        (whole, form_type),
    ]

    answers = [send(server, key, body, **headers) for body, headers in framings]

    assert [status for status, _ in answers] == [207] * 4
    assert len({answer["batch"]["id"] for _, answer in answers}) == 1
    assert {answer["batch"]["bytes"] for _, answer in answers} == {len(content)}


def test_large_file_is_taken_in_constant_memory(server, key):
    status, answer = send(server, key, transcript(BIG))

    assert (status, answer["batch"]["state"]) == (207, "pending")
    assert answer["batch"]["bytes"] >= BIG
    assert web_peak(server) < MOST_RSS
