import pytest

from conversations.ingest.events import Summary, Text, Usage
from conversations.ingest.exchange import Spoken
from conversations.vocabulary import CompactionKind, Role, SummaryState, Trigger
from tests.ingest.formats.api import COMPACT, MODEL, answer, ask, iteration, read

BLOCK = {"type": "compaction", "content": "The user builds a bot."}
SIGNED = {**BLOCK, "signature": "EuYB"}
ROUNDS = [iteration("compaction", 180_000, 3_500, cached=10), iteration("message", 23_000, 1_000, stored=5)]


def edits(*wanted):
    return {"context_management": {"edits": list(wanted)}}


def test_a_threshold_compaction_is_announced_with_its_cost():
    request = ask("Go.", **edits({**COMPACT, "instructions": "Keep names."}))
    message = answer(BLOCK, "Based on that…", usage={"iterations": ROUNDS}, context_management={"applied_edits": []})
    exchange = read(request, message, headers={"anthropic-beta": "compact-2026-01-12"})
    (announced,) = exchange.announced
    assert (announced.kind, announced.trigger) == (CompactionKind.THRESHOLD, Trigger.THRESHOLD)
    assert (announced.summary, announced.summary_state) == ("The user builds a bot.", SummaryState.TEXT)
    assert (announced.instructions, announced.trigger_tokens) == ("Keep names.", 60_000)
    assert (announced.in_request, announced.before, announced.paused) == (False, None, False)
    assert announced.tokens_before is None  # its sampling may read far less than the context had
    assert announced.tokens_after == 23_005
    assert announced.cost == Usage(180_000, 10, 0, 3_500)
    assert announced.model == MODEL
    assert announced.raw == {"edit": COMPACT, "betas": ["compact-2026-01-12"]}
    assert exchange.received == [
        Spoken(Role.ASSISTANT, [Summary("The user builds a bot.")]),
        Spoken(Role.ASSISTANT, [Text("Based on that…")]),
    ]


@pytest.mark.parametrize(
    ("content", "prefix", "text", "suffix"),
    [
        ("Plain.", "", "Plain.", ""),
        ("<summary>\nDone: a.\n</summary>", "<summary>\n", "Done: a.", "\n</summary>"),
        (
            "<analysis>Hm.</analysis>\n\n<summary>a</summary>\n",
            "<analysis>Hm.</analysis>\n\n<summary>",
            "a",
            "</summary>\n",
        ),
        ("It said <summary>a</summary>.", "", "It said <summary>a</summary>.", ""),
    ],
)
def test_the_tags_around_a_summary_are_no_part_of_it(content, prefix, text, suffix):
    exchange = read(ask("Go."), answer({"type": "compaction", "content": content}, "Yes."))
    assert exchange.received[0].blocks == [Summary(text, prefix, suffix)]
    assert exchange.announced[0].summary == text


def test_tags_with_nothing_between_are_a_failed_compaction():
    exchange = read(ask("Go."), answer({"type": "compaction", "content": "<summary></summary>"}, "Yes."))
    assert exchange.announced[0].summary_state == SummaryState.FAILED
    assert exchange.received == [Spoken(Role.ASSISTANT, [Text("Yes.")])]


@pytest.mark.parametrize(
    ("trigger", "tokens"),
    [({}, 150_000), ({"trigger": {"type": "input_tokens", "value": 100_000}}, 100_000), ({"trigger": None}, 150_000)],
)
def test_the_trigger_is_the_configured_one_or_the_apis_own(trigger, tokens):
    request = ask("Go.", **edits({"type": "compact_20260112", **trigger}))
    assert read(request, answer(BLOCK, "Yes.")).announced[0].trigger_tokens == tokens


def test_a_pause_is_told_from_going_on():
    request = ask("Go.", **edits({**COMPACT, "pause_after_compaction": True}))
    usage = {"input_tokens": 0, "output_tokens": 0, "iterations": ROUNDS[:1]}
    exchange = read(request, answer(BLOCK, usage=usage, stop_reason="compaction"))
    (announced,) = exchange.announced
    assert announced.paused
    assert announced.tokens_after is None
    assert [call.purpose for call in exchange.calls] == ["compaction"]
    assert exchange.stop_reason == "compaction"


@pytest.mark.parametrize("config", [{}, {"instructions": "Keep names."}, {"instructions": "  "}])
def test_a_compaction_on_demand_reads_the_history_it_replaces(config):
    usage = {"input_tokens": 0, "output_tokens": 0, "iterations": [iteration("compaction", 144, 276, 1_000, 20)]}
    request = ask("Go.", [{"type": "text", "text": "Yes."}], compaction={"type": "summarize", **config})
    exchange = read(request, answer(SIGNED, usage=usage, stop_reason="compaction"))
    (announced,) = exchange.announced
    assert (announced.kind, announced.trigger) == (CompactionKind.ON_DEMAND, Trigger.MANUAL)
    assert announced.instructions == config.get("instructions", "").strip()
    assert announced.tokens_before == 1_164
    assert (announced.trigger_tokens, announced.paused) == (None, False)
    assert announced.cost == Usage(144, 1_000, 20, 276)


@pytest.mark.parametrize("reason", ["max_tokens", "tool_use", "refusal", "end_turn", "model_context_window_exceeded"])
def test_a_compaction_on_demand_that_brings_no_block_has_failed(reason):
    usage = {"input_tokens": 0, "output_tokens": 0, "iterations": [iteration("compaction", 144, 9)]}
    message = answer(usage=usage, stop_reason=reason)
    exchange = read(ask("Go.", compaction={"type": "summarize"}), message)
    (announced,) = exchange.announced
    assert (announced.summary, announced.summary_state) == (None, SummaryState.FAILED)
    assert announced.cost == Usage(144, 0, 0, 9)
    assert reason in announced.error


@pytest.mark.parametrize(
    "code",
    [
        "compaction_block_ambiguous", "compaction_block_misplaced", "compaction_content_mismatch",
        "compaction_incomplete_turn", "compaction_nothing_to_summarize", "compaction_signature_invalid",
        "compaction_too_many_tool_references", "compaction_tool_changes_mismatch", "compaction_unavailable",
    ],
)  # fmt: skip
def test_a_refused_compaction_on_demand_has_failed(code):
    details = {"type": "invalid_request_error", "message": "No.", "details": {"error_code": code}}
    exchange = read(ask("Go.", compaction={"type": "summarize"}), error={"status": 400, "body": {"error": details}})
    (announced,) = exchange.announced
    assert announced.summary_state == SummaryState.FAILED
    assert announced.error == exchange.error == f"400 invalid_request_error ({code}): No."


def test_an_overloaded_server_has_compacted_nothing():
    body = {"error": {"type": "overloaded_error", "message": "Busy"}}
    exchange = read(ask("Go.", compaction={"type": "summarize"}), error={"status": 529, "body": body})
    assert (exchange.announced, exchange.error) == ([], "529 overloaded_error: Busy")
    assert read(ask("Go.", compaction={"type": "summarize"})).announced == []


def test_a_null_block_is_a_failed_compaction_and_no_message():
    message = answer({"type": "compaction", "content": None}, "Going on.", usage={"iterations": ROUNDS})
    exchange = read(ask("Go.", **edits(COMPACT)), message)
    (announced,) = exchange.announced
    assert (announced.summary_state, announced.summary) == (SummaryState.FAILED, None)
    assert announced.error
    assert exchange.received == [Spoken(Role.ASSISTANT, [Text("Going on.")])]
    again = ask("Go.", message["content"], "More.", **edits(COMPACT))
    assert read(again, answer("Yes.")).announced == []


def test_a_block_sent_back_stands_behind_what_it_replaced():
    sent = ask(
        "One.", [{"type": "text", "text": "Two."}], "Three.", [BLOCK, {"type": "text", "text": "Four."}], "Five."
    )
    exchange = read({**sent, **edits(COMPACT)}, answer("Six."))
    (seen,) = exchange.announced
    assert (seen.kind, seen.in_request, seen.before) == (CompactionKind.THRESHOLD, True, 3)
    assert seen.summary == "The user builds a bot."
    assert exchange.sent[3] == Spoken(Role.ASSISTANT, [Summary("The user builds a bot.")])
    assert len(exchange.sent) == 6


def test_a_signed_block_comes_first_and_what_it_replaced_is_gone():
    exchange = read(
        ask([SIGNED], "Kept turn.", [{"type": "text", "text": "Kept answer."}], "Now this."), answer("Yes.")
    )
    (seen,) = exchange.announced
    assert (seen.kind, seen.trigger, seen.before) == (CompactionKind.ON_DEMAND, Trigger.MANUAL, 0)


def test_every_block_that_is_still_held_is_seen():
    second = {"type": "compaction", "content": "Later."}
    exchange = read(ask("a", [BLOCK], "b", [second], "c", **edits(COMPACT)), answer("d"))
    assert [(seen.before, seen.summary) for seen in exchange.announced] == [
        (1, "The user builds a bot."),
        (3, "Later."),
    ]


def test_two_compactions_in_one_answer_have_each_their_own_cost():
    rounds = [
        iteration("message", 70_000, 5), iteration("compaction", 70_005, 50), iteration("message", 900, 60),
        iteration("compaction", 60_500, 40), iteration("message", 800, 7),
    ]  # fmt: skip
    later = {"type": "compaction", "content": "Later."}
    first, second = read(
        ask("Go.", **edits(COMPACT)), answer(BLOCK, later, "Ok.", usage={"iterations": rounds})
    ).announced
    assert (first.cost.input_tokens, first.tokens_after) == (70_005, 900)
    assert (second.cost.input_tokens, second.tokens_after) == (60_500, 800)


# --- clearing ---------------------------------------------------------------------------------------------------------

CLEAR = {"type": "clear_tool_uses_20250919", "trigger": {"type": "input_tokens", "value": 30_000}}


def used(key, name="read"):
    return [{"type": "tool_use", "id": key, "name": name, "input": {}}]


def results(*keys):
    return {"role": "user", "content": [{"type": "tool_result", "tool_use_id": key, "content": "x"} for key in keys]}


def cleared(count):
    applied = {"type": "clear_tool_uses_20250919", "cleared_tool_uses": count, "cleared_input_tokens": 50_000}
    return answer("Ok.", context_management={"applied_edits": [applied]})


@pytest.mark.parametrize(
    ("edit", "count", "ids"),
    [
        (CLEAR, 2, ["a", "b"]),
        ({**CLEAR, "exclude_tools": ["memory"]}, 2, ["a", "c"]),
        (CLEAR, 9, ["a", "b", "c"]),
        (CLEAR, 0, []),
    ],
)
def test_the_oldest_tool_results_are_those_that_were_cleared(edit, count, ids):
    turns = ["Go.", used("a"), results("a"), used("b", "memory"), results("b"), used("c"), results("c"), used("d")]
    (announced,) = read(ask(*turns, **edits(edit)), cleared(count)).announced
    assert (announced.kind, announced.trigger_tokens) == (CompactionKind.TOOL_CLEAR, 30_000)
    assert (announced.cleared, announced.cleared_count, announced.cleared_tokens) == (ids, count, 50_000)


def test_what_was_summarised_is_not_cleared_as_well():
    turns = ["Go.", used("a"), results("a"), [BLOCK, *used("b")], results("b"), used("c"), results("c")]
    announced = read(ask(*turns, **edits(CLEAR, COMPACT)), cleared(1)).announced
    assert [each.kind for each in announced] == [CompactionKind.THRESHOLD, CompactionKind.TOOL_CLEAR]
    assert announced[1].cleared == ["b"]


def test_cleared_thinking_is_told_by_its_tokens():
    applied = {"type": "clear_thinking_20251015", "cleared_thinking_turns": 3, "cleared_input_tokens": 4_000}
    message = answer("Ok.", context_management={"applied_edits": [applied]})
    (announced,) = read(ask("Go.", **edits({"type": "clear_thinking_20251015", "keep": "all"})), message).announced
    assert (announced.kind, announced.cleared_count, announced.cleared_tokens) == (
        CompactionKind.TOOL_CLEAR,
        None,
        4_000,
    )
    assert announced.raw["applied"]["cleared_thinking_turns"] == 3


# --- the article's words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {"enabled_tools": ["compaction"], "threshold": 80_000, "instruction": "Keep names."},
        {"context_management": {"enabled_tools": ["compact"], "threshold": 80_000, "instruction": "Keep names."}},
        {"context_management": {"enabled_tools": [
            {"type": "compact_20260112", "threshold": 80_000, "instruction": "Keep names."}]}},
        {"context_management": {"edits": [{"type": "compaction", "threshold": 80_000, "instruction": "Keep names."}]}},
    ],
)  # fmt: skip
def test_the_articles_spelling_is_shown_as_what_it_means(fields):
    exchange = read(ask("Go.", **fields), answer(BLOCK, "Yes."), headers={"anthropic-beta": "compact-2026-12"})
    (announced,) = exchange.announced
    assert (announced.kind, announced.trigger_tokens) == (CompactionKind.THRESHOLD, 80_000)
    assert announced.instructions == "Keep names."
    note = announced.raw["note"]
    assert '"threshold" means trigger' in note
    assert '"compact-2026-12" means the header compact-2026-01-12' in note


def test_the_apis_own_spelling_has_no_note():
    (announced,) = read(ask("Go.", **edits(COMPACT)), answer(BLOCK, "Yes.")).announced
    assert "note" not in announced.raw


def test_a_task_budget_is_kept_with_the_compaction():
    config = {"task_budget": {"type": "tokens", "total": 3_000_000, "remaining": 120_000}}
    (announced,) = read(ask("Go.", output_config=config, **edits(COMPACT)), answer(BLOCK, "Yes.")).announced
    assert announced.raw["task_budget"] == {"total": 3_000_000, "remaining": 120_000}
