"""What `up` offers to load: sessions that it finds at home, and the sample conversations."""

import os
import pty
import shutil
import sys

import pytest

from conversations.ops.demo import scripts
from tests.ops.server import ROOT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

RECORDED = ROOT / "tests/data"


@pytest.fixture
def home(tmp_path):
    """A home with one session of each harness."""
    for harness, place in (("claude_code", ".claude/projects/shop"), ("codex", ".codex/sessions/2026/11/22")):
        folder = tmp_path / "home" / place
        folder.mkdir(parents=True)
        for path in (RECORDED / harness).glob("*.jsonl"):
            shutil.copy(path, folder)
    return tmp_path / "home"


@pytest.fixture
def terminal():
    """(our end, its end) of a terminal that somebody sits at."""
    ours, its = pty.openpty()
    yield ours, its
    os.close(ours)
    os.close(its)


def conversations(server, key=None):
    key = key or server.wait_for(r"API key: +(obs_\S+)")
    _, body = server.get("/api/v1/conversations", key)
    return body["results"]


def wait_for_sources(server, *wanted):
    key = server.wait_for(r"API key: +(obs_\S+)")
    return server.wait_until(lambda: {each["source"] for each in conversations(server, key)} == set(wanted))


def test_up_imports_what_is_at_home_when_told_to(serve, home):
    server = serve("--import", HOME=str(home))

    server.wait_for(r"2 files: 2 imported")

    assert wait_for_sources(server, "claude_code", "codex")


def test_up_tells_how_to_import_where_nobody_can_be_asked(serve, home):
    server = serve(HOME=str(home))

    server.wait_for(r"To import them: .* import ~/\.claude/projects ~/\.codex/sessions")

    assert conversations(server) == []


@pytest.mark.parametrize(("answer", "imports"), [(b"y\n", True), (b"\n", False)])
def test_up_asks_at_a_terminal(serve, home, terminal, answer, imports):
    ours, its = terminal
    server = serve(HOME=str(home), stdin=its)

    server.wait_for(r"Sessions found: .* Import them\? \[y/N\]")
    os.write(ours, answer)

    if imports:
        assert wait_for_sources(server, "claude_code", "codex")
    else:
        server.wait_for("Nothing imported. Later: .* import ~/")
        assert conversations(server) == []


def test_demo_can_be_read_over_the_api(serve):
    server = serve("--demo")
    key = server.wait_for(r"API key: +(obs_\S+)")

    found = server.wait_until(lambda: (rows := conversations(server, key)) and len(rows) == len(scripts()) and rows)

    assert len(found) > 8
    assert sum(each["compaction_count"] for each in found) > 8


def test_up_works_in_a_directory_too_deep_for_a_socket(serve, tmp_path):
    deep = tmp_path / "/".join(["a folder with a long name"] * 5) / "data"
    server = serve(data_dir=deep)

    assert len(str(deep)) > 120
    assert server.get("/health/ready")[0] == 200
    assert server.stop() == 0
