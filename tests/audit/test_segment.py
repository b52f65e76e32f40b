from conversations.audit.model import Author
from conversations.audit.segment import segments_of
from conversations.ingest.events import (
    CompactionEvent,
    ConversationEvent,
    MessageEvent,
    Summary,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from conversations.vocabulary import CompactionKind, Origin, Role, SummaryState


def message(name, at, content, role=Role.ASSISTANT, **fields):
    return MessageEvent(id=name, conversation="c", sequence=at, role=role, content=content, **fields)


def compaction(name, at, **fields):
    return CompactionEvent(id=name, conversation="c", sequence=at, **fields)


def texts(lines):
    return [line.text for line in lines]


def conversation():
    return [
        ConversationEvent(conversation="c", cwd="/app"),
        message("u1", 1, "first ask", Role.USER),
        message("a1", 2, [Thinking("hm"), Text("an answer"), ToolCall("Bash", "t1", {"command": "ls é"})]),
        message("r1", 3, [ToolResult("a file", "t1")], Role.USER),
        compaction("b1", 4, summary_message="s1"),
        message("s1", 5, [Summary("the first summary", "wrapping")], Role.USER, origin=Origin.SUMMARY),
        message("x1", 6, "a file put back", Role.USER, origin=Origin.RESTORED),
        message("a2", 7, "going on"),
        compaction("b2", 8, summary="the second summary", kept=["a2"]),
        message("a3", 9, "after all"),
    ]


def test_a_segment_holds_what_was_dropped_since_the_boundary_before():
    first, second = segments_of(conversation())
    assert texts(first.dropped) == ["first ask", "hm", "an answer", 'Bash {"command": "ls é"}', "a file"]
    assert texts(second.dropped) == ["the first summary", "a file put back"]
    assert second.dropped[0].author is Author.SUMMARY


def test_a_segment_knows_what_earlier_compactions_dropped():
    first, second = segments_of(conversation())
    assert texts(first.earlier()) == []
    assert texts(second.earlier()) == texts(first.dropped)


def test_a_summary_that_stands_in_its_event_is_dropped_by_the_next_compaction():
    log = [message("u1", 1, "ask", Role.USER), compaction("b1", 2, summary="what was known"), message("a2", 3, "on")]
    first, second = segments_of([*log, compaction("b2", 4, summary="what is left")])
    assert (first.summary, second.summary) == ("what was known", "what is left")
    assert texts(second.dropped) == ["what was known", "on"]
    assert (second.dropped[0].message, second.dropped[0].author) == ("b1/summary", Author.SUMMARY)


def test_a_segment_holds_the_context_after_and_what_followed():
    first, second = segments_of(conversation())
    assert (first.summary, texts(first.restored)) == ("the first summary", ["a file put back"])
    assert texts(first.continuation) == ["going on", "the second summary", "after all"]
    assert (second.summary, texts(second.kept), texts(second.continuation)) == (
        "the second summary",
        ["going on"],
        ["after all"],
    )
    assert (first.cwd, first.number, second.number) == ("/app", 1, 2)


def test_each_block_has_its_author():
    first, _ = segments_of(conversation())
    assert [line.author for line in first.dropped] == [
        Author.USER, Author.THINKING, Author.ASSISTANT, Author.TOOL_INPUT, Author.TOOL_RESULT,
    ]  # fmt: skip


def test_only_the_first_segment_lacks_the_missing_beginning():
    events = [*conversation(), ConversationEvent(conversation="c", complete=False)]
    assert [segment.complete for segment in segments_of(events)] == [False, True]


def test_a_repeated_event_counts_once_with_its_last_wording():
    events = [*conversation(), message("a3", 9, "after everything"), compaction("b2", 8, summary="mended", kept=["a2"])]
    second = segments_of(events)[1]
    assert (second.summary, texts(second.continuation)) == ("mended", ["after everything"])


def test_a_clearing_drops_only_the_results_it_names():
    events = [*conversation()[:4], compaction("b1", 4, kind=CompactionKind.TOOL_CLEAR, cleared=["t1"])]
    (segment,) = segments_of(events)
    assert (texts(segment.dropped), segment.summary_state) == (["a file"], SummaryState.ABSENT)
    assert "an answer" in texts(segment.kept)


def test_an_unreadable_summary_is_no_text():
    events = [*conversation()[:4], compaction("b1", 4, summary_state=SummaryState.ENCRYPTED, summary="gAAAA")]
    assert segments_of(events)[0].summary == ""
