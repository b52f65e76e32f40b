import pytest

from conversations.audit.segment import segments_of
from conversations.ingest.events import (
    CompactionEvent,
    MessageEvent,
    RequestEvent,
    Summary,
    Usage,
)
from conversations.ingest.formats import STRIDE
from conversations.vocabulary import CompactionKind, Origin, Role, SummaryState, Trigger, abandoned_in
from tests.ingest.formats.lines import codex, of, said, token_count
from tests.ingest.formats.rollout import compacted, item, read, the

PREFIX = (
    "Another language model started to solve this problem and produced a summary of its thinking process. "
    "Here is the summary produced by the other language model, use it:\n"
)
STARTED = codex("event_msg", {"type": "task_started", "model_context_window": 258_400})
COMPLETE = codex("event_msg", {"type": "task_complete"})
AGENTS = said("user", "# AGENTS.md instructions for /home/dev\n\nUse tabs.")
RULES = said("developer", "<permissions instructions>Ask first.")


OPAQUE = {"type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAA"}


@pytest.mark.parametrize(
    "fields",
    [{}, {"window_id": 1}, {"window_number": 1, "window_id": "w", "first_window_id": "w", "previous_window_id": "v"}],
)
def test_hosted_compaction_is_opaque_and_keeps_the_users_messages(fields):
    events = read(
        STARTED,
        item(RULES),
        item(AGENTS),
        item(said("user", "Fix the build")),
        item(said("assistant", "Fixing")),
        token_count(50_000, 40_000),
        compacted(said("user", "Fix the build"), RULES, AGENTS, OPAQUE, **fields),
        token_count(50_000, 0, last_total=9_000),
        item(said("assistant", "Fixed")),
    )

    [compaction] = of(CompactionEvent, events)
    assert (compaction.kind, compaction.summary_state) == (CompactionKind.HOSTED_OPAQUE, SummaryState.ENCRYPTED)
    assert (compaction.kept, compaction.summary_message) == (["line-5"], "")
    assert (compaction.tokens_before, compaction.tokens_after, compaction.trigger) == (40_010, 9_000, Trigger.AUTO)
    restored = [message for message in of(MessageEvent, events) if message.origin is Origin.RESTORED]
    assert [(message.id, message.role, message.sequence) for message in restored] == [
        ("line-8-1", Role.SYSTEM, 8 * STRIDE + 1),
        ("line-8-2", Role.USER, 8 * STRIDE + 2),
    ]


def test_compaction_whose_encrypted_item_was_redacted_is_still_opaque():
    compaction = the(CompactionEvent, item(said("user", "Hi")), compacted(said("user", "Hi")))

    assert (compaction.kind, compaction.summary_state) == (CompactionKind.HOSTED_OPAQUE, SummaryState.ENCRYPTED)


def test_local_compaction_is_readable():
    events = read(
        item(said("user", "Hi")),
        compacted(said("user", "Hi"), said("user", PREFIX + "Port 8443."), message=PREFIX + "Port 8443."),
    )

    [compaction] = of(CompactionEvent, events)
    assert (compaction.kind, compaction.summary_state, compaction.kept) == (
        CompactionKind.CLIENT,
        SummaryState.TEXT,
        ["line-2"],
    )
    [message] = [event for event in of(MessageEvent, events) if event.origin is Origin.SUMMARY]
    assert (message.id, message.role) == (compaction.summary_message, Role.USER)
    assert message.content == [Summary(text="Port 8443.", prefix=PREFIX)]


def test_old_compaction_without_a_history_keeps_the_users_messages():
    events = read(
        item(AGENTS),
        item(said("user", "Hi")),
        item(said("assistant", "Yo")),
        codex("compacted", {"message": PREFIX + "Port 8443."}),
    )

    [compaction] = of(CompactionEvent, events)
    assert (compaction.kept, compaction.kind) == (["line-3"], CompactionKind.CLIENT)
    assert compaction.summary_message == "line-5-1"


def test_unmarked_answer_of_the_summariser_becomes_the_summary_message():
    events = read(
        item(said("user", "Hi")),
        item(said("assistant", "Port 8443.")),
        compacted(said("user", "Hi"), said("user", PREFIX + "Port 8443."), message=PREFIX + "Port 8443."),
    )

    assert [(message.id, message.origin) for message in of(MessageEvent, events)] == [
        ("line-2", Origin.SPOKEN),
        ("line-3", Origin.SUMMARY),
    ]


def test_marked_answer_and_usage_of_the_summariser_are_not_the_conversations():
    usage = {"input_tokens": 500, "cached_input_tokens": 400, "output_tokens": 20, "total_tokens": 520}
    events = read(
        item(said("user", "Hi")),
        token_count(50_000, 40_000),
        item(said("assistant", "Port 8443."), metadata={"compaction_output": True}),
        codex(
            "token_usage_record",
            {"response_id": "resp_c", "usage": usage, "thread_token_usage": {"total_tokens": 50_520}},
        ),
        compacted(said("user", "Hi"), message=PREFIX + "Port 8443.", compaction_response_id="resp_c"),
    )

    [compaction] = of(CompactionEvent, events)
    assert compaction.cost == Usage(input_tokens=100, cache_read_tokens=400, output_tokens=20)
    assert compaction.tokens_before == 40_010
    assert [(event.id, event.purpose) for event in of(RequestEvent, events)] == [
        ("tokens-3", "turn"),
        ("resp_c", "compaction"),
    ]
    assert [message.origin for message in of(MessageEvent, events)] == [Origin.SPOKEN, Origin.SUMMARY]


def test_summary_without_an_introduction_is_all_text():
    events = read(item(said("user", "Hi")), codex("compacted", {"message": "Port 8443."}))

    [message] = [event for event in of(MessageEvent, events) if event.origin is Origin.SUMMARY]
    assert message.content == [Summary("Port 8443.")]


def test_items_that_are_no_messages_are_passed_over():
    events = read(
        item({"type": "ghost_snapshot"}),
        item(said("user", "Hi")),
        compacted(said("user", "Hi"), {"type": "ghost_snapshot"}, {"type": "hologram"}, OPAQUE),
    )

    assert [message.id for message in of(MessageEvent, events)] == ["line-3"]


def test_of_equal_messages_the_later_one_stayed():
    compaction = the(
        CompactionEvent,
        item(said("user", "go on")),
        item(said("user", "go on")),
        compacted(said("user", "go on"), OPAQUE),
    )

    assert compaction.kept == ["line-3"]


def test_kept_message_is_found_by_its_id():
    compaction = the(
        CompactionEvent, item(said("user", "long text", id="m1")), compacted(said("user", "long…", id="m1"), OPAQUE)
    )

    assert compaction.kept == ["m1"]


@pytest.mark.parametrize(
    ("after", "trigger"),
    [([COMPLETE], Trigger.MANUAL), ([item(said("user", "Go"))], Trigger.AUTO), ([], Trigger.UNKNOWN)],
)
def test_trigger_of_a_compaction_that_opens_a_turn_is_told_by_how_the_turn_goes_on(after, trigger):
    events = read(STARTED, item(said("user", "Hi")), COMPLETE, STARTED, compacted(said("user", "Hi"), OPAQUE), *after)

    assert of(CompactionEvent, events)[0].trigger is trigger


# --- turns that were rolled back --------------------------------------------------------------------------------------


def rolled_back(turns):
    return codex("event_msg", {"type": "thread_rolled_back", "num_turns": turns})


CALL = {"type": "function_call", "name": "shell", "call_id": "c1", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "ok"}
#: Lines 2 to 10, the first line being the session's.
THREE_TURNS = [
    item(AGENTS),
    item(said("user", "One")),
    item(said("assistant", "First")),
    item(said("user", "Two")),
    item(CALL),
    item(OUTPUT),
    item(said("assistant", "Second")),
    item(said("user", "Three")),
    item(said("assistant", "Third")),
]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], []),
        ([rolled_back(0)], []),
        ([rolled_back(None)], []),
        ([rolled_back(1)], [9, 10]),
        ([rolled_back(2)], [5, 6, 7, 8, 9, 10]),
        ([rolled_back(99)], [3, 4, 5, 6, 7, 8, 9, 10]),
        ([rolled_back(1), rolled_back(1)], [9, 10, 5, 6, 7, 8]),
        ([rolled_back(1), item(said("user", "Other")), rolled_back(1)], [9, 10, 12]),
    ],
)
def test_compaction_tells_which_messages_were_rolled_back(records, expected):
    events = read(*THREE_TURNS, *records, compacted(said("user", "One"), OPAQUE))

    [compaction] = of(CompactionEvent, events)
    assert abandoned_in(compaction.raw) == [f"line-{number}" for number in expected]
    assert compaction.kept == ([] if 3 in expected else ["line-3"])
    [segment] = segments_of(events)
    assert not {line.message for line in segment.dropped} & set(abandoned_in(compaction.raw))


def test_words_said_again_after_a_rollback_are_the_ones_that_stay():
    again = [rolled_back(1), item(said("user", "Three")), item(said("assistant", "Better"))]
    events = read(*THREE_TURNS, *again, rolled_back(1), compacted(said("user", "Three"), OPAQUE))

    [compaction] = of(CompactionEvent, events)
    assert compaction.kept == []


def test_later_compactions_tell_what_was_rolled_back_before_the_first():
    first, second = of(
        CompactionEvent,
        read(*THREE_TURNS, rolled_back(1), compacted(OPAQUE), item(said("user", "Four")), compacted(OPAQUE)),
    )

    assert abandoned_in(first.raw) == abandoned_in(second.raw) == ["line-9", "line-10"]
