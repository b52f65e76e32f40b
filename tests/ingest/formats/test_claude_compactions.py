import pytest

from conversations.ingest.events import (
    CompactionEvent,
    ConversationEvent,
    MessageEvent,
    Summary,
    Usage,
)
from conversations.ingest.formats import STRIDE
from conversations.vocabulary import CompactionKind, Origin, Role, SummaryState, Trigger
from tests.ingest.formats.claude import attachment, queued, read, the
from tests.ingest.formats.lines import SESSION, assistant, boundary, claude, of, summary, user

# --- compactions ------------------------------------------------------------------------------------------------------


def test_boundary_becomes_a_compaction_with_all_it_says():
    meta = {
        "postTokens": 16_970,
        "durationMs": 174_437,
        "preservedMessages": {"anchorUuid": "s1", "uuids": ["k1", "k2"], "allUuids": ["k1", "k1b", "k2"]},
    }

    compaction = the(CompactionEvent, user("u1", "Hi"), assistant("a1", "Yo"), boundary("b1", **meta), summary("s1"))

    assert (compaction.id, compaction.kind, compaction.trigger) == ("b1", CompactionKind.CLIENT, Trigger.AUTO)
    assert (compaction.tokens_before, compaction.tokens_after, compaction.duration_ms) == (160_000, 16_970, 174_437)
    assert (compaction.kept, compaction.summary_message) == (["k1", "k2", "k1b"], "s1")
    assert (compaction.summary_state, compaction.model, compaction.sequence) == (
        SummaryState.TEXT,
        "claude-opus-5",
        3 * STRIDE,
    )


def test_summary_is_found_behind_attachments_and_without_its_wrapping():
    text = (
        "This session is being continued from a previous conversation that ran out of context. "
        "The summary below covers the earlier portion of the conversation.\n\nSummary:\n1. Port is 8443.\n\n"
        "If you need specific details from before compaction, read the full transcript at: /x.jsonl"
    )

    events = read(
        user("u1", "Hi"),
        boundary("b1"),
        attachment("f1", "date", date="2026-07-26"),
        summary("s1", text, parentUuid="f1"),
    )

    assert of(CompactionEvent, events)[0].summary_message == "s1"
    [message] = [event for event in of(MessageEvent, events) if event.origin is Origin.SUMMARY]
    assert (message.role, message.content[0].text) == (Role.USER, "1. Port is 8443.")
    assert isinstance(message.content[0], Summary)


def test_compaction_without_a_summary_has_none():
    compaction = the(CompactionEvent, user("u1", "Hi"), boundary("b1"), user("u2", "Go on"))

    assert (compaction.summary_message, compaction.summary_state) == ("", None)


def test_boundary_without_an_id_takes_that_of_its_line():
    compaction = the(CompactionEvent, user("u1", "Hi"), boundary(""), summary("s1"))

    assert (compaction.id, compaction.summary_message) == ("line-2", "s1")


def test_subagent_compacts_on_its_own():
    agent = {"isSidechain": True, "agentId": "ab12"}

    events = read(
        user("u1", "Work"),
        user("x1", "Explore", **agent),
        boundary("b1") | agent,
        user("u2", "More"),
        summary("s1", **agent),
    )

    [compaction] = of(CompactionEvent, events)
    assert (compaction.conversation, compaction.summary_message) == (f"{SESSION}/agent-ab12", "s1")


def test_repeated_boundary_is_one_compaction():
    events = read(user("u1", "Hi"), boundary("b1"), summary("s1"), boundary("b1", preTokens=5), boundary("b2"))

    assert [(event.id, event.tokens_before) for event in of(CompactionEvent, events)] == [
        ("b1", 160_000),
        ("b2", 160_000),
    ]


COMMAND = "<command-name>/compact</command-name>\n<command-args>keep the port</command-args>"


@pytest.mark.parametrize(
    "records",
    [
        [user("u1", "Hi"), boundary("b1", "manual"), summary("s1"), user("u2", COMMAND)],
        [user("u1", "Hi"), user("u2", COMMAND), boundary("b1", "manual"), summary("s1")],
        [
            user("u1", "Hi"),
            queued("enqueue", content="/compact keep the port"),
            boundary("b1", "manual"),
            summary("s1"),
        ],
        [
            user("u1", "Hi"),
            boundary("b1", "manual"),
            summary("s1"),
            claude("system", "l1", subtype="local_command", content=COMMAND),
        ],
        [user("u1", "Hi"), boundary("b1", "manual", userContext="keep the port"), summary("s1")],
        [user("u1", "Hi"), boundary("b1", "manual"), summary("s1", summarizeMetadata={"userContext": "keep the port"})],
    ],
)
def test_instructions_are_found_wherever_they_stand(records):
    assert the(CompactionEvent, *records).instructions == "keep the port"


def test_instructions_are_not_those_of_an_automatic_compaction():
    compaction = the(CompactionEvent, user("u1", "Hi"), user("u2", COMMAND), boundary("b1", "auto"), summary("s1"))

    assert compaction.instructions == ""


def test_microcompaction_names_the_results_it_cleared():
    meta = {
        "trigger": "auto",
        "preTokens": 78_208,
        "tokensSaved": 38_535,
        "compactedToolIds": ["t1"],
        "clearedAttachmentUUIDs": ["f1"],
    }

    compaction = the(
        CompactionEvent,
        user("u1", "Hi"),
        claude("system", "m1", subtype="microcompact_boundary", microcompactMetadata=meta),
    )

    assert (compaction.kind, compaction.cleared, compaction.dropped) == (CompactionKind.MICROCOMPACT, ["t1"], ["f1"])
    assert (compaction.tokens_before, compaction.tokens_after) == (78_208, 39_673)


def cost_state(**tokens):
    return claude("cost-state", modelUsage={"claude-opus-5": tokens})


def test_cost_is_what_no_request_accounts_for():
    compaction = the(
        CompactionEvent,
        assistant("a1", "Hi", "msg_1"),
        cost_state(inputTokens=3, outputTokens=42, cacheReadInputTokens=1000, cacheCreationInputTokens=200),
        assistant("a2", "Hi", "msg_2"),
        boundary("b1"),
        summary("s1"),
        assistant("a3", "Hi", "msg_3"),
        cost_state(inputTokens=12, outputTokens=226, cacheReadInputTokens=4500, cacheCreationInputTokens=600),
    )

    assert compaction.cost == Usage(input_tokens=3, output_tokens=100, cache_read_tokens=1500, cache_write_tokens=0)


def test_cost_is_not_told_by_totals_that_began_anew():
    compaction = the(
        CompactionEvent,
        assistant("a1", "Hi"),
        cost_state(inputTokens=9000, outputTokens=9000),
        boundary("b1"),
        cost_state(inputTokens=5, outputTokens=5),
    )

    assert compaction.cost == Usage()


@pytest.mark.parametrize(
    "between",
    [
        [boundary("b1"), boundary("b2")],
        [boundary("b1"), assistant("a2", [{"type": "tool_use", "id": "t", "name": "Agent", "input": {}}], "msg_1")],
    ],
    ids=["two compactions", "a subagent at work"],
)
def test_cost_is_not_guessed(between):
    events = read(
        assistant("a1", "Hi"),
        cost_state(inputTokens=3, outputTokens=42),
        *between,
        cost_state(inputTokens=900, outputTokens=900, cacheReadInputTokens=9000, cacheCreationInputTokens=900),
    )

    assert {event.cost for event in of(CompactionEvent, events)} == {Usage()}


# --- stream-json ------------------------------------------------------------------------------------------------------


def streamed(kind, uuid, **fields):
    return {"type": kind, "uuid": uuid, "session_id": SESSION} | fields


def test_stream_json_compaction_is_read_in_snake_case():
    meta = {
        "trigger": "manual",
        "pre_tokens": 50_000,
        "post_tokens": 2_000,
        "preserved_messages": {"uuids": ["k1"], "all_uuids": ["k2"]},
    }
    text = "This session is being continued from a previous conversation that ran out of context. Done."

    compaction = the(
        CompactionEvent,
        streamed("system", "i1", subtype="init", claude_code_version="2.1.330"),
        streamed("system", "p1", subtype="status", status="compacting"),
        streamed("system", "b1", subtype="compact_boundary", compact_metadata=meta),
        streamed("user", "s1", message={"role": "user", "content": [{"type": "text", "text": text}]}),
        streamed("system", "p2", subtype="status", status=None, compact_result="success"),
        streamed("result", "r1"),
    )

    assert (compaction.tokens_before, compaction.tokens_after, compaction.kept) == (50_000, 2_000, ["k1", "k2"])
    assert (compaction.summary_message, compaction.trigger) == ("s1", Trigger.MANUAL)


def test_stream_json_subagent_is_a_conversation_of_its_own():
    events = read(
        streamed("user", "u1", message={"content": "Work"}),
        streamed("user", "x1", message={"content": "Task"}, parent_tool_use_id="toolu_7"),
    )

    assert [message.conversation for message in of(MessageEvent, events)] == [SESSION, f"{SESSION}/toolu_7"]
    assert of(ConversationEvent, events)[1].parent == SESSION


def test_stream_json_failure_is_a_failed_compaction():
    failure = streamed(
        "system", "f1", subtype="status", status=None, compact_result="failed", compact_error="Prompt too long"
    )

    compaction = the(CompactionEvent, failure)

    assert (compaction.id, compaction.summary_state, compaction.error) == ("f1", SummaryState.FAILED, "Prompt too long")
