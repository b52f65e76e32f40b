"""Real programs that use the recorder: their end, their forks, and a server that was away.

Their client is as little of one as the recorder needs: `anthropic`, which the other tests use, takes seconds to load.
"""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.recorder.collector import Collector

ROOT = Path(__file__).parents[2]
BEGIN = """
import os, sys, httpx2
from conversations.recorder import counts, flush, observe
class Client:
    _client = httpx2.Client(base_url=sys.argv[1], headers={"x-api-key": "test-key"})
client = observe(Client(), agent="program")
def call(words):
    asked = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": words}]}
    http = client._client
    http.send(http.build_request("POST", "/v1/messages", json=asked)).raise_for_status()
"""


@pytest.fixture
def program(model, collector, tmp_path):
    """Runs a program to its end: its own environment, nothing of the tests'."""

    def run(source, url=None, *, check=True):
        env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
        env |= {"OBSERVATORY_URL": url or collector.url, "OBSERVATORY_KEY": "obs_key", "PYTHONPATH": str(ROOT)}
        env |= {"OBSERVATORY_SPILL_DIR": str(tmp_path / "spill")}
        return subprocess.run(
            [sys.executable, "-c", BEGIN + textwrap.dedent(source), model.url],
            env=env, capture_output=True, text=True, timeout=60, check=check,
        )  # fmt: skip

    return run


def said(collector):
    return sorted(exchange["request"]["messages"][0]["content"] for exchange in collector.exchanges)


def test_a_program_that_just_ends_delivers_and_says_nothing(program, collector):
    ended = program("call('one'); raise SystemExit('failed')", check=False)
    assert said(collector) == ["one"]
    assert ended.stderr == "failed\n"


def test_a_program_whose_server_is_away_leaves_it_to_the_next(program, collector, tmp_path):
    with Collector() as gone:
        url = gone.url
    program("call('one'); call('two')", url=url)
    assert collector.exchanges == []
    [folder] = (tmp_path / "spill").iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    with Collector(int(url.rpartition(":")[2])) as back:
        program("assert flush(10)", url=url)
        back.wait_for(lambda got: len(got.exchanges) == 2)
        assert said(back) == ["one", "two"]
    assert list(folder.iterdir()) == []


def test_each_process_delivers_its_own_after_a_fork(program, collector):
    program("""
        call("parent before")
        if os.fork() == 0:
            call("child")
            assert counts().accepted == 1, counts()
            sys.exit()
        os.wait()
        call("parent after")
        import multiprocessing
        child = multiprocessing.get_context("fork").Process(target=call, args=("child without atexit",))
        child.start()
        child.join()
        assert child.exitcode == 0
    """)
    assert said(collector) == ["child", "child without atexit", "parent after", "parent before"]


def test_many_threads_lose_nothing(program, collector):
    program("""
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(call, [f"{number:02}" for number in range(40)]))
        assert counts().accepted == 40
    """)
    assert said(collector) == [f"{number:02}" for number in range(40)]


def test_nothing_of_the_server_is_loaded(program):
    ended = program("""
        import json
        print(json.dumps([name for name in sys.modules if name.partition(".")[0] in ("django", "msgspec", "celery")]))
    """)
    assert json.loads(ended.stdout) == []
