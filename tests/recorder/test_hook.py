"""`observatory-hook`: events as the tools write them, what is sent of a session and when, and the user's settings."""

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from conversations.recorder import hook
from conversations.recorder.hook_shipping import Ledger, Sent, is_worth_sending, ship
from conversations.recorder.post import Server, Verdict
from tests.recorder.collector import Collector, Say, error

ROOT = Path(__file__).parents[2]
LINE = b'{"type":"user","uuid":"%d","message":{"role":"user","content":"hello"}}\n'
RECEIPT = Say(207, json.dumps({"batch": {"id": 7}}).encode())


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home of the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def sessions(collector):
    collector._take = lambda _got: RECEIPT
    return collector


@pytest.fixture
def server(sessions):
    return Server(sessions.url, "obs_key")


@pytest.fixture
def session(home):
    file = home / ".claude/projects/-home-dev-project/45f4151f.jsonl"
    file.parent.mkdir(parents=True)
    file.write_bytes(LINE % 1)
    return file


@pytest.fixture
def ledger(home):
    return Ledger(home / "ledger")


def lines(got):
    return got.body.count(b"\n")


def names(collector):
    return [got.path.rpartition("=")[2] for got in collector.requests]


# --- what is sent, and when -------------------------------------------------------------------------------------------

WORTH = [
    ("Stop", 100, Sent("s"), True),  # never sent
    ("Stop", 110, Sent("s", 100, due=False), False),
    ("Stop", 125, Sent("s", 100, due=False), True),
    ("Stop", 101, Sent("s", 100, due=True), True),
    ("Stop", 100, Sent("s", 100, due=True), False),
    ("PreCompact", 110, Sent("s", 100, due=False), False),
    ("PostCompact", 101, Sent("s", 100, due=False), True),
    ("SessionEnd", 101, Sent("s", 100, due=False), True),
    ("SessionEnd", 100, Sent("s", 100, due=False), False),
    ("Stop", 90, Sent("s", 100, due=False), True),  # written anew
]


@pytest.mark.parametrize(("event", "size", "sent", "worth"), WORTH)
def test_what_is_worth_sending(event, size, sent, worth):
    assert is_worth_sending(event, size, sent) is worth


def test_a_long_session_is_sent_a_bounded_number_of_times(server, ledger, session, sessions):
    for number in range(100):
        with session.open("ab") as file:
            file.write(LINE % number)
        ship(server, ledger, "Stop", session)
    total = sum(len(got.body) for got in sessions.requests)
    assert total < 5 * session.stat().st_size
    assert len(sessions.requests) < 25
    ship(server, ledger, "SessionEnd", session)
    assert sessions.requests[-1].body == session.read_bytes()


def test_after_a_compaction_the_next_turn_is_sent(server, ledger, session, sessions):
    for event in ("Stop", "PostCompact", "Stop", "Stop"):
        with session.open("ab") as file:
            file.write(b" " + LINE % 2 if event == "Stop" else (LINE % 3) * 9)
        ship(server, ledger, event, session)
    assert [lines(got) for got in sessions.requests] == [2, 11, 12]


def test_only_whole_lines_are_sent(server, ledger, session, sessions):
    with session.open("ab") as file:
        file.write(b'{"type": "assis')
    ship(server, ledger, "Stop", session)
    [got] = sessions.requests
    assert got.body == LINE % 1
    assert got.headers["authorization"] == "Bearer obs_key"
    assert got.path == "/api/v1/transcripts?name=45f4151f.jsonl"


def test_subagents_go_along(server, ledger, session, sessions):
    agent = session.with_suffix("") / "subagents/agent-a1.jsonl"
    agent.parent.mkdir(parents=True)
    agent.write_bytes(LINE % 5)
    ship(server, ledger, "Stop", session)
    ship(server, ledger, "Stop", session)
    assert names(sessions) == ["45f4151f.jsonl", "agent-a1.jsonl"]


@pytest.mark.parametrize("answer", [error(503), error(401), Say(0), Say(200, b"<html>")])
def test_what_could_not_be_sent_goes_along_with_another_session(server, ledger, session, sessions, answer):
    sessions.answers.append(answer)
    assert ship(server, ledger, "SessionEnd", session)[0].verdict is not Verdict.TAKEN
    other = session.with_name("other.jsonl")
    other.write_bytes(LINE % 2)
    ship(server, ledger, "Stop", other)
    assert names(sessions) == ["45f4151f.jsonl", "other.jsonl", "45f4151f.jsonl"]
    ship(server, ledger, "SessionEnd", other)
    assert len(sessions.requests) == 3


def test_what_the_server_refuses_is_not_sent_again_until_it_grew(server, ledger, session, sessions):
    sessions.answers.append(error(422, "not_recognised", "No known harness wrote this."))
    ship(server, ledger, "Stop", session)
    ship(server, ledger, "SessionEnd", session)
    assert len(sessions.requests) == 1


def test_a_damaged_ledger_only_costs_sending_again(server, ledger, session, sessions):
    ship(server, ledger, "Stop", session)
    [place] = (session.parents[3] / "ledger").glob("*.json")
    place.write_text("{")
    ship(server, ledger, "Stop", session)
    assert len(sessions.requests) == 2
    assert ledger.due() == []


def test_events_as_claude_code_writes_them():
    recorded = (ROOT / "tests/data/hooks/claude_code-2.1.330.jsonl").read_text().splitlines()
    taken = [event[0] for line in recorded if (event := hook._event(line)) is not None]
    assert taken == ["PreCompact", "PostCompact"] * 2


# --- events -----------------------------------------------------------------------------------------------------------


def run_hook(home, url, event, key="obs_key"):
    """As a tool runs it: the event on stdin. The process is waited for, what it starts is not."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}
    env |= {"OBSERVATORY_URL": url, "OBSERVATORY_KEY": key}
    text = event if isinstance(event, str) else json.dumps(event)
    command = [sys.executable, "-m", "conversations.recorder.hook"]
    return subprocess.run(command, input=text, env=env, capture_output=True, text=True, timeout=60, check=False)


def event_of(name, session):
    return {"session_id": session.stem, "transcript_path": str(session), "cwd": "/home/dev", "hook_event_name": name}


def test_an_event_sends_the_session_in_a_process_of_its_own(home, session, sessions):
    ended = run_hook(home, sessions.url, event_of("PostCompact", session) | {"compact_summary": "…"})
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    sessions.wait_for(lambda got: got.requests, timeout=30)
    assert sessions.requests[0].body == session.read_bytes()


def test_a_server_that_hangs_does_not_hold_up_the_tool(home, session, sessions):
    free = threading.Event()
    sessions.answers.append(lambda _got: free.wait() and RECEIPT)
    assert run_hook(home, sessions.url, event_of("Stop", session)).returncode == 0
    sessions.wait_for(lambda got: got.requests, timeout=30)
    free.set()


@pytest.mark.parametrize(
    "event",
    [
        "", "no JSON", "[]", "{}", '{"hook_event_name": "Stop", "transcript_path": null}',
        {"hook_event_name": "PreToolUse", "transcript_path": "/tmp/x.jsonl"},
        {"hook_event_name": "Stop", "transcript_path": 7},
    ],
)  # fmt: skip
def test_whatever_is_on_stdin_the_tool_sees_success(home, event, monkeypatch, capsys):
    text = event if isinstance(event, str) else json.dumps(event)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert hook.main([]) == 0
    assert capsys.readouterr() == ("", "")


def test_shipping_logs_what_went_wrong(home, session, caplog, monkeypatch):
    assert hook.main(["ship", "Stop", str(session)]) == 0
    assert "Where to?" in caplog.text
    with Collector() as gone:
        url = gone.url
    monkeypatch.setenv("OBSERVATORY_URL", url)
    monkeypatch.setenv("OBSERVATORY_KEY", "obs_key")
    assert hook.main(["ship", "Stop", str(session)]) == 0
    assert "was not sent" in caplog.text
    assert (home / ".cache/observatory-recorder").is_dir()


def test_send_says_what_became_of_it(home, session, sessions, monkeypatch, capsys):
    monkeypatch.setenv("OBSERVATORY_URL", sessions.url)
    monkeypatch.setenv("OBSERVATORY_KEY", "obs_key")
    assert hook.main(["send", str(session)]) == 0
    sessions.answers.append(error(401, "not_authenticated", "No such key."))
    assert hook.main(["send", str(session)]) == 1
    assert hook.main(["send", str(home / "missing.jsonl")]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"{session}: taken as batch 7",
        f"{session}: The server answered 401: No such key.",
    ]


# --- the user's settings ----------------------------------------------------------------------------------------------

THEIRS = """{
    "model": "opus",
    "hooks": {
        "Stop": [
            {"hooks": [{"type": "command", "command": "say fertig für heute"}]}
        ],
        "PreToolUse": []
    },
    "env": {"A": "1"}
}
"""
WHERE = ["--url", "https://observatory.example.org/", "--key", "obs_secret"]


def claude(home):
    return home / ".claude/settings.json"


def commands(file, event):
    groups = json.loads(file.read_text())["hooks"].get(event, [])
    return [entry["command"] for group in groups for entry in group["hooks"]]


def test_install_keeps_what_is_there_and_uninstall_gives_it_back(home, capsys):
    file = claude(home)
    file.parent.mkdir()
    file.write_text(THEIRS)
    file.chmod(0o640)
    assert hook.main(["install", *WHERE]) == 0
    assert commands(file, "Stop")[0] == "say fertig für heute"
    for event in ("PreCompact", "PostCompact", "Stop", "SessionEnd"):
        assert (
            sum("recorder.hook" in command or "observatory-hook" in command for command in commands(file, event)) == 1
        )
    assert json.loads(file.read_text())["env"] == {"A": "1"}
    assert file.read_text().startswith('{\n    "model": "opus",\n    "hooks"')
    assert "für" in file.read_text()
    assert "obs_secret" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.with_name("settings.json.before-observatory").read_text() == THEIRS
    assert hook.main(["uninstall"]) == 0
    assert json.loads(file.read_text()) == json.loads(THEIRS)
    assert capsys.readouterr().out.splitlines() == [f"Added to {file}.", f"Removed from {file}."]


def test_install_twice_changes_nothing(home, capsys):
    assert hook.main(["install", *WHERE]) == 0
    first = claude(home).read_text()
    assert hook.main(["install"]) == 0
    assert claude(home).read_text() == first
    assert hook.main(["uninstall"]) == 0
    assert json.loads(claude(home).read_text()) == {}
    assert hook.main(["uninstall"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"Not in {claude(home)}."


def test_the_key_is_kept_where_only_its_owner_can_read_it(home):
    hook.main(["install", *WHERE])
    saved = home / ".config/observatory-recorder/hook.json"
    assert json.loads(saved.read_text()) == {"url": "https://observatory.example.org", "key": "obs_secret"}
    assert saved.stat().st_mode & 0o777 == 0o600
    assert hook.needed_target() == ("https://observatory.example.org", "obs_secret")


def test_what_the_environment_says_is_kept_for_the_hook(home, monkeypatch):
    monkeypatch.setenv("OBSERVATORY_URL", "https://observatory.example.org")
    monkeypatch.setenv("OBSERVATORY_KEY", "obs_secret")
    assert hook.main(["install", "codex"]) == 0
    monkeypatch.delenv("OBSERVATORY_URL")
    monkeypatch.delenv("OBSERVATORY_KEY")
    assert hook.needed_target() == ("https://observatory.example.org", "obs_secret")
    assert (home / ".codex/hooks.json").exists()


def test_codex_has_a_file_of_its_own(home, capsys):
    assert hook.main(["install", "--codex", *WHERE]) == 0
    hooks = json.loads((home / ".codex/hooks.json").read_text())["hooks"]
    assert set(hooks) == {"PreCompact", "PostCompact", "Stop", "SessionEnd"}
    assert "matcher" not in hooks["Stop"][0]
    seconds = {event: group["hooks"][0]["timeout"] for event, [group] in hooks.items()}
    assert seconds == {"PreCompact": 10, "PostCompact": 10, "Stop": 10, "SessionEnd": 3}
    assert "trust" in capsys.readouterr().out
    assert hook.main(["uninstall", "--codex"]) == 0


def test_a_link_to_the_settings_stays_one(home):
    real = home / "dotfiles.json"
    real.write_text("{}")
    claude(home).parent.mkdir()
    claude(home).symlink_to(real)
    hook.main(["install", *WHERE])
    assert claude(home).is_symlink()
    assert "hooks" in json.loads(real.read_text())


@pytest.mark.parametrize("text", ["{", "[]", '{"hooks": []}', '{"hooks": {"Stop": {}}}', "// a comment\n{}"])
def test_settings_that_cannot_be_read_stay_as_they_are(home, text, capsys):
    claude(home).parent.mkdir()
    claude(home).write_text(text)
    assert hook.main(["install", *WHERE]) == 1
    assert claude(home).read_text() == text
    assert "stays as it is" in capsys.readouterr().err


@pytest.mark.parametrize("where", [[], ["--url", "https://o.example.org"], ["--url", "o.example.org", "--key", "k"]])
def test_install_asks_where_to(home, where, capsys):
    assert hook.main(["install", *where]) == 1
    assert not claude(home).exists()
    assert capsys.readouterr().err.startswith("observatory-hook: ")


def test_other_peoples_odd_hooks_are_left_alone(home):
    odd = {"hooks": {"Stop": ["x", {"hooks": "y"}, {"hooks": [{"type": "prompt", "prompt": "z"}]}]}}
    claude(home).parent.mkdir()
    claude(home).write_text(json.dumps(odd))
    hook.main(["install", *WHERE])
    hook.main(["uninstall"])
    assert json.loads(claude(home).read_text()) == odd
