"""The examples of the documentation, run as they stand: the three levels of a compacted agent."""

import json
import runpy
import sys
from pathlib import Path

import pytest

from conversations import recorder
from conversations.ingest.formats.exchanges import read_exchange
from tests.recorder.collector import Say
from tests.recorder.test_agent import SUMMARY, calls, pauses, usage
from tests.standin.messages_api import says

EXAMPLES = Path(__file__).parents[2] / "docs/examples"


@pytest.fixture
def example(model, collector, monkeypatch, capsys):
    """Runs one; what it printed, and the exchanges that came of it as the server reads them."""
    for name, value in (
        ("ANTHROPIC_API_KEY", "test-key"),
        ("ANTHROPIC_BASE_URL", model.url),
        ("OBSERVATORY_URL", collector.url),
        ("OBSERVATORY_KEY", "obs_key"),
    ):
        monkeypatch.setenv(name, value)
    monkeypatch.setitem(sys.modules, "observatory_recorder", recorder)
    collector.budgets = [Say(200, b'{"state": "ok", "message": "", "budgets": []}')]

    def run(name):
        runpy.run_path(str(EXAMPLES / f"{name}.py"))
        assert recorder.flush(10)
        return capsys.readouterr().out, [read_exchange(exchange, 0) for exchange in collector.exchanges]

    return run


def test_level_1_is_one_line_and_one_parameter(example, model):
    content = [{"type": "compaction", "content": SUMMARY}, {"type": "text", "text": "Refunded."}]
    iterations = [{"type": "compaction", **usage(90_000, 800)}, {"type": "message", "model": "m", **usage(900, 20)}]
    model.replies.append(says("", content=content, usage=usage(900, 20, iterations=iterations)))
    printed, [exchange] = example("basic")
    assert printed == "Refunded.\n"
    assert (exchange.agent, exchange.conversation) == ("support-bot", "ticket-17")
    assert [announced.summary for announced in exchange.announced] == ["Tickets 1 to 3 are done."]


def test_level_2_pauses_counts_and_ends_politely(example, model):
    model.replies += [
        calls("next_ticket", 1),
        pauses(),
        calls("next_ticket", 2, fresh=3_000_000),
        says("Tickets 1 to 3 are done.", usage=usage()),
    ]
    model.replies[0] = _without_input(model.replies[0])
    model.replies[2] = _without_input(model.replies[2])
    printed, exchanges = example("long_running")
    assert "compaction 1: 90,800 tokens for the summary\n" in printed
    assert "budget: wrap_up (this run: 3,090," in printed
    assert printed.splitlines()[-1].startswith("Tickets 1 to 3 are done. (budget after 1 compactions and 3,091,")
    assert len(exchanges) == 4
    [paused] = [announced for exchange in exchanges for announced in exchange.announced if not announced.in_request]
    assert (paused.paused, paused.trigger_tokens) == (True, 100_000)
    last = json.dumps(model.requests[-1].body["messages"])
    assert last.count("Please wrap up your current work") == 1


def _without_input(reply):
    """The example's tool has no parameters."""

    def answer(received):
        sent = reply(received)
        body = json.loads(sent.body)
        body["content"][0]["input"] = {}
        return type(sent)(sent.status, json.dumps(body).encode())

    return answer


def test_level_3_tells_which_instructions_wrote_a_summary(example, model):
    model.replies += [pauses(), says("Ported.", usage=usage())]
    printed, exchanges = example("instructions")
    version = exchanges[0].agent_version
    assert printed == f"Ported.\ncompaction 1 by instructions {version}\n"
    assert exchanges[0].announced[0].instructions.startswith("Summarize the conversation")
    assert version == recorder.instructions_version(exchanges[0].announced[0].instructions)


def test_every_example_is_run_here():
    source = Path(__file__).read_text()
    assert [path.stem for path in EXAMPLES.glob("*.py") if f'example("{path.stem}")' not in source] == []
