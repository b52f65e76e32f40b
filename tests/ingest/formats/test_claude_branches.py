"""What a person took back by rewinding is not in the context: the next compaction neither drops nor keeps it."""

import json
from pathlib import Path

import msgspec
import pytest

from conversations.audit.segment import segments_of
from conversations.ingest.events import CompactionEvent, MessageEvent
from conversations.ingest.formats import parser_for
from conversations.ingest.formats.claude_branches import ASKED, SAID, Branches
from conversations.vocabulary import ABANDONED, abandoned_in
from tests.ingest.formats.claude import attachment, read
from tests.ingest.formats.lines import assistant, boundary, claude, of, settled, summary, user
from tests.ingest.formats.test_growing import SHARED, at_once, fed, in_parts

#: Of Claude Code 2.1.330 with /rewind, long texts cut: twice within the context, the second time with a /compact at
#: once; to before that compaction; a part summarised by /rewind; back to the very first prompt.
RECORDED = (Path(__file__).parents[2] / "data/rewound/claude_code-2.1.330.jsonl").read_bytes().splitlines()


def call(uuid, tool, parent):
    block = {"type": "tool_use", "id": tool, "name": "Read", "input": {"file_path": f"/{tool}"}}
    return assistant(uuid, [block], parentUuid=parent)


def result(uuid, tool, parent):
    return user(uuid, [{"type": "tool_result", "tool_use_id": tool, "content": "done"}], parentUuid=parent)


def turn(number, parent):
    """A prompt and its answer: u1, a1."""
    return [
        user(f"u{number}", f"Question {number}", parentUuid=parent),
        assistant(f"a{number}", f"Answer {number}", parentUuid=f"u{number}"),
    ]


TURNS = [*turn(1, None), *turn(2, "a1"), *turn(3, "a2")]
PARALLEL = [
    user("u1", "Read both", parentUuid=None),
    call("c1", "t1", "u1"),
    call("c2", "t2", "c1"),
    result("r1", "t1", "c1"),
    result("r2", "t2", "c2"),
]
COMMAND = [
    user("caveat", "<local-command-caveat>Caveat</local-command-caveat>", parentUuid="a1", isMeta=True),
    user("model", "<command-name>/model</command-name>", parentUuid="caveat"),
]
AGENT = {"isSidechain": True, "agentId": "x1"}

CASES = {
    "nobody rewound": (TURNS, []),
    "one turn": ([*TURNS, *turn(4, "a2")], ["u3", "a3"]),
    "several turns": ([*TURNS, *turn(4, "a1")], ["u2", "a2", "u3", "a3"]),
    "the whole conversation": ([*TURNS, *turn(4, None)], ["u1", "a1", "u2", "a2", "u3", "a3"]),
    "in the middle of a turn": ([*PARALLEL, *turn(4, "c1")], ["c2", "r1", "r2"]),
    "twice at the same place": ([*TURNS, *turn(4, "a2"), *turn(5, "a2")], ["u3", "a3", "u4", "a4"]),
    "twice, farther the second time": ([*TURNS, *turn(4, "a2"), *turn(5, "a1")], ["u3", "a3", "u2", "a2", "u4", "a4"]),
    "back to what had been taken back": ([*TURNS, *turn(4, "a1"), *turn(5, "a3")], ["u4", "a4"]),
    "back into the middle of it": ([*TURNS, *turn(4, "a1"), *turn(5, "a2")], ["u4", "a4", "u3", "a3"]),
    "a branch of a branch, and back": (
        [*TURNS, *turn(4, "a2"), *turn(5, "a1"), *turn(6, "a4")],
        ["u3", "a3", "u5", "a5"],
    ),
    "a prompt taken back before its answer": (
        [*turn(1, None), user("x", "Oh", parentUuid="a1"), *turn(2, "a1")],
        ["x"],
    ),
    "a command comes first": ([*TURNS, *COMMAND], ["u2", "a2", "u3", "a3"]),
    "a tool that answers late": (
        [*turn(1, None), *turn(2, "a1"), call("c1", "t1", "a2"), *turn(3, "a1"), result("r1", "t1", "c1")],
        ["u2", "a2", "c1", "r1"],
    ),
    "with the harness's own records between": (
        [
            *turn(1, None),
            claude("system", "end", subtype="turn_duration", parentUuid="a1"),
            *turn(2, "end"),
            *turn(3, "end"),
        ],
        ["u2", "a2"],
    ),
    "parallel calls are no rewind": ([*PARALLEL, *turn(2, "r2")], []),
    "nor parallel calls that end in another order": (
        [*PARALLEL[:3], PARALLEL[4], PARALLEL[3], *turn(2, "r2")],
        [],
    ),
    "nor an interruption": ([*TURNS, user("int", "[Request interrupted by user]", parentUuid="a2")], []),
    "nor what the harness tells": (
        [*TURNS, user("told", "<task-notification>done</task-notification>", parentUuid="a2")],
        [],
    ),
    "nor progress beside a record": (
        [*turn(1, None), claude("progress", "p1", parentUuid="a1"), *turn(2, "a1")],
        [],
    ),
    "nor a prompt on a record that is not in the file": ([*TURNS, *turn(4, "elsewhere")], []),
    "nor a file without links": (
        [user("u1", "One"), assistant("a1", "1"), user("u2", "Two"), assistant("a2", "2")],
        [],
    ),
    "nor a record that is repeated": ([*TURNS, TURNS[2], *turn(4, "a3")], []),
    "nor a subagent": (
        [
            *TURNS,
            user("s1", "Do", **AGENT),
            user("s2", "Do it", **AGENT),
            assistant("s3", "Ok", parentUuid="s2", **AGENT),
        ],
        [],
    ),
}


def compacted(*records, **fields):
    return read(*records, boundary("b1", **fields), summary("s1", parentUuid="b1"))


def abandoned(events, number=-1):
    """What a compaction says was taken back."""
    return abandoned_in({event.id: event for event in of(CompactionEvent, events)}[f"b{number}"].raw)


@pytest.mark.parametrize(("records", "expected"), CASES.values(), ids=CASES)
def test_compaction_tells_what_was_taken_back(records, expected):
    assert abandoned(compacted(*records), 1) == expected


@pytest.mark.parametrize(("records", "expected"), CASES.values(), ids=CASES)
def test_auditor_takes_it_for_neither_dropped_nor_kept(records, expected):
    [segment] = [each for each in segments_of(compacted(*records)) if each.boundary == "b1"]

    mains = [
        record["uuid"] for record in records if not record["isSidechain"] and record["type"] in ("user", "assistant")
    ]
    assert {line.message for line in segment.dropped} == set(mains) - set(expected)
    assert segment.kept == []


def test_a_rewind_and_a_compaction_at_once_leave_no_prompt_but_the_boundary_names_where_they_were():
    events = read(*TURNS, boundary("b1") | {"logicalParentUuid": "a1"}, summary("s1", parentUuid="b1"))

    assert abandoned(events, 1) == ["u2", "a2", "u3", "a3"]


@pytest.mark.parametrize(
    "fields",
    [
        {"logicalParentUuid": "a3"},
        {"logicalParentUuid": "not-in-the-file"},
        {"logicalParentUuid": "a1", "compactMetadata": {"trigger": "manual", "messagesSummarized": 4}},
        {"logicalParentUuid": None},
    ],
    ids=["the last", "one that is missing", "of a part that was summarised", "none"],
)
def test_a_boundary_that_names_a_record_means_no_rewind(fields):
    assert abandoned(read(*TURNS, boundary("b1") | fields), 1) == []


def test_records_after_the_named_one_are_taken_back_only_with_a_prompt_among_them():
    assert abandoned(read(*PARALLEL, boundary("b1") | {"logicalParentUuid": "r1"}), 1) == []


def test_later_compactions_tell_it_again_and_what_was_taken_back_since():
    events = read(
        *TURNS, *turn(4, "a2"), boundary("b1"), summary("s1", parentUuid="b1"),
        *turn(5, "s1"), *turn(6, "s1"), boundary("b2"), summary("s2", parentUuid="b2"),
    )  # fmt: skip

    assert abandoned(events, 1) == ["u3", "a3"]
    assert abandoned(events, 2) == ["u3", "a3", "u5", "a5"]
    dropped = [{line.message for line in segment.dropped} for segment in segments_of(events)]
    assert dropped == [{"u1", "a1", "u2", "a2", "u4", "a4"}, {"s1", "u6", "a6"}]


def test_a_rewind_past_a_compaction_takes_its_summary_back_and_what_it_kept():
    kept = {"preservedMessages": {"uuids": ["u3", "a3"], "allUuids": ["u3", "a3"]}}
    records = [*TURNS, boundary("b1", **kept), summary("s1", parentUuid="b1"), *turn(4, "s1"), *turn(5, "a1")]

    events = read(*records, boundary("b2"), summary("s2", parentUuid="b2"))

    assert abandoned(events, 1) == []
    assert abandoned(events, 2) == ["u3", "a3", "s1", "u4", "a4"]
    assert {line.message for line in segments_of(events)[1].dropped} == {"u5", "a5"}


def test_what_a_compaction_kept_was_not_taken_back():
    kept = {"preservedMessages": {"uuids": ["u3"], "allUuids": ["u3"]}}

    assert abandoned(compacted(*TURNS, *turn(4, "a2"), **kept), 1) == ["a3"]


def test_cleared_results_leave_what_was_taken_back_aside_too():
    meta = {"trigger": "auto", "preTokens": 9, "tokensSaved": 1, "compactedToolIds": ["t1"]}
    micro = claude("system", "m1", subtype="microcompact_boundary", microcompactMetadata=meta, parentUuid="a4")
    events = read(*PARALLEL, *turn(2, "r2"), *turn(3, "a2"), *turn(4, "a2"), micro)

    [segment] = segments_of(events)
    assert {line.message for line in segment.dropped} == {"r1"}
    assert {line.message for line in segment.kept} == {"u1", "c1", "c2", "r2", "u2", "a2", "u4", "a4"}


def test_only_messages_are_listed():
    silent = attachment("q1", "prompt_snapshot") | {"parentUuid": "a2"}

    assert abandoned(compacted(*turn(1, None), *turn(2, "a1"), silent, *turn(3, "a1")), 1) == ["u2", "a2"]


def test_a_queued_message_is_taken_back_with_the_reply_it_came_before():
    records = [
        *turn(1, None), user("u2", "Go", parentUuid="a1"),
        claude("queue-operation", operation="enqueue", content="And this"),
        claude("queue-operation", operation="remove"),
        assistant("a2", "Both done", parentUuid="u2"), *turn(3, "a1"),
    ]  # fmt: skip

    assert abandoned(compacted(*records), 1) == ["u2", "a2", "queued-5"]


# --- the real tool ----------------------------------------------------------------------------------------------------


def words(events, keys):
    texts = {e.id: "".join(getattr(block, "text", "") for block in e.content) for e in of(MessageEvent, events)}
    return [texts[key] for key in keys if texts[key].startswith(("Answer", "Tell", "And the", "Another", "After"))]


def test_a_recorded_session_tells_what_was_taken_back():
    events = at_once("claude_code", RECORDED)
    first, second = {event.id: event for event in of(CompactionEvent, events)}.values()

    once = ["Tell me about the port", "Answer 10: done.", "And the other file?", "Answer 11: done."]
    at_the_compaction = ["Another question A", "Answer 13: done.", "Another question B", "Answer 14: done."]
    assert words(events, abandoned_in(first.raw)) == once + at_the_compaction
    past = ["Answer 12: done.", "After compaction one", "Answer 16: done.", "After two", "Answer 17: done."]
    assert words(events, abandoned_in(second.raw)) == once + at_the_compaction + past
    assert first.summary_message in abandoned_in(second.raw)
    audited = segments_of(event for event in events if not hasattr(event, "code"))
    assert [line.text for line in audited[1].dropped] == [
        "Partial two", "Answer 20: done.", "Partial three", "Answer 21: done.",
    ]  # fmt: skip


def test_a_recorded_session_cut_at_any_line_tells_the_same():
    whole = settled(at_once("claude_code", RECORDED))

    assert all(settled(in_parts("claude_code", RECORDED, [cut])) == whole for cut in range(len(RECORDED) + 1))


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the real transcripts are not at {SHARED}")
@pytest.mark.parametrize("path", sorted(SHARED.glob("claude-code/*.jsonl")), ids=lambda path: path.stem[:8])
def test_a_real_session_without_a_rewind_has_nothing_taken_back(path):
    events = at_once("claude_code", path.read_bytes().splitlines())

    assert all(ABANDONED not in event.raw for event in of(CompactionEvent, events) if event.raw)


# --- bounds -----------------------------------------------------------------------------------------------------------


def test_what_is_remembered_of_a_hostile_file_is_bounded():
    parser = parser_for("claude_code")
    records = turn(1, None)
    for number in range(2, 3_000):
        records += turn(number, f"a{number - 1 - number % 3}" if number > 3 else "a1")
    fed(parser, [json.dumps(record).encode() for record in records])

    assert len(json.dumps(parser.checkpoint())) < 200_000


def test_a_long_branch_is_forgotten_from_its_beginning():
    branches, parent = Branches(), ""
    for number in range(5_000):
        branches.place(f"r{number}", parent, ASKED | SAID)
        parent = f"r{number}"

    branches.place("far", "r10", ASKED)
    assert branches.abandoned() == []
    branches.place("near", "r4990", ASKED)
    assert branches.abandoned() == [f"r{number}" for number in range(4_991, 5_000)]
    assert len(branches.live) < 2_001
    assert msgspec.json.decode(msgspec.json.encode(branches), type=Branches) == branches
