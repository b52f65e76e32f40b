"""What the recorder costs an agent: `python -m tests.bench.recorder [--calls N]`.

A growing conversation is sent through a bare and through an observed HTTP client, without a network, to a collector on
this machine. Printed: time on the caller's path in microseconds a call, CPU of the background thread and bytes sent a
call, and memory while the server is away. The clock is CPU time of the calling thread: other programs do not count.
"""

import argparse
import json
import os
import random
import resource
import statistics
import time

import httpx2

from conversations.recorder import Limits, flush, observe
from tests.recorder.collector import Collector

ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [{"type": "text", "text": "Hello there. " * 100}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 900, "output_tokens": 300},
}
SIZES = {"1 kB": 1_000, "100 kB": 100_000, "800 kB (200,000 tokens)": 800_000}
WARM_UP = 20


class Client:
    """As little of a client as the recorder needs."""

    def __init__(self):
        self._client = httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWER)))


def body_of(size):
    """A request whose text compresses as prose does."""
    rng = random.Random(size)
    words = ["".join(rng.choices("etaoinshrdlu", k=rng.randint(2, 9))) for _ in range(4000)]
    turns = [" ".join(rng.choices(words, k=150)) for _ in range(size // 1000)]
    messages = [{"role": "user" if number % 2 else "assistant", "content": text} for number, text in enumerate(turns)]
    return {"model": "claude-opus-5-5", "max_tokens": 1000, "messages": messages}


def seconds_a_call(client, body, calls):
    """CPU seconds of this thread for each `send`; requests are built outside of it."""
    taken = []
    for _ in range(calls + WARM_UP):
        request = client._client.build_request("POST", "https://api.example.org/v1/messages", json=body)
        begun = time.thread_time_ns()
        client._client.send(request)
        taken.append((time.thread_time_ns() - begun) / 1e9)
    return taken[WARM_UP:]


def costs(name, size, calls):
    body = body_of(size)
    bare = seconds_a_call(Client(), body, calls)
    with Collector() as collector:
        client = observe(Client(), agent="bench", url=collector.url, key="obs_key", limits=Limits(buffer_bytes=10**9))
        before, mine = time.process_time(), time.thread_time()
        observed = seconds_a_call(client, body, calls)
        assert flush(120)
        both = time.process_time() - before - (time.thread_time() - mine)  # and the collector's, which decompresses
        sent = sum(len(got.body) for got in collector.requests)
        wire = sum(int(got.headers["content-length"]) for got in collector.requests)
    usual = statistics.median(bare)
    extra, worst = statistics.median(observed) - usual, statistics.quantiles(observed, n=100)[98]
    print(f"{name:>24}: {usual * 1e6:,.0f} + {extra * 1e6:,.0f} µs a call, 99 % below {worst * 1e6:,.0f};", end=" ")
    print(f"background and collector {both / calls * 1000:.1f} ms CPU;", end=" ")
    print(f"{wire / calls / 1000:,.1f} kB sent of {sent / calls / 1000:,.0f}")


def memory(calls, size):
    """With the server away and no disk: the buffer and the backlog in memory are what grows."""
    os.environ["OBSERVATORY_SPILL_DIR"] = "off"
    limits = Limits(buffer_bytes=64 * 2**20, spill_bytes=32 * 2**20, exit_seconds=0.1)
    client = observe(Client(), agent="bench", url="http://127.0.0.1:9", key="obs_key", limits=limits)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds_a_call(client, body_of(size), calls)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    total = calls * len(json.dumps(body_of(size))) / 2**20
    told = f"server away, no disk: {total:,.0f} MB of calls, the process grew by {grown:,.0f} MB (bounds: 64 + 32 MB)"
    print(told, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    calls = parser.parse_args().calls
    if os.fork() == 0:  # in a process of its own: what one has once taken it keeps
        memory(calls, SIZES["800 kB (200,000 tokens)"])
        os._exit(0)
    os.wait()
    for name, size in SIZES.items():
        costs(name, size, calls)


if __name__ == "__main__":
    main()
