"""A transcript that grows, that is broken, or that nobody ever wrote."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.ingest.events import Problem
from conversations.ingest.formats import parser_for, resume_parser
from tests.ingest.formats.lines import boundary, claude, codex_meta, settled, to_lines, user
from tests.ingest.formats.test_lines import ANY_JSON

DATA = Path(__file__).parents[2] / "data"
SHARED = Path(__file__).parents[4] / "shared" / "transcripts"
RECORDED = {
    "claude_code": (DATA / "claude_code" / "2.1.330.jsonl").read_bytes().splitlines(),
    "codex": (DATA / "codex" / "0.169.0-local.jsonl").read_bytes().splitlines(),
}


def fed(parser, lines, start=1):
    return [output for number, line in enumerate(lines, start=start) for output in parser.feed(line, number)]


def in_parts(source, lines, cuts):
    """The file in several sittings, each with nothing but the checkpoint of the one before, as JSON in any order."""
    parser, found, start = parser_for(source), [], 0
    for cut in [*sorted(cuts), len(lines)]:
        found += fed(parser, lines[start:cut], start + 1)
        parser, start = resume_parser(source, json.loads(json.dumps(parser.checkpoint(), sort_keys=True))), cut
    return found + list(parser.finish())


def at_once(source, lines):
    parser = parser_for(source)
    return fed(parser, lines) + list(parser.finish())


def problems(found):
    return [output for output in found if isinstance(output, Problem)]


@pytest.mark.parametrize("source", RECORDED)
def test_a_file_cut_at_any_line_gives_the_same_events(source):
    lines = RECORDED[source]
    whole = at_once(source, lines)

    for cut in range(len(lines) + 1):
        parts = in_parts(source, lines, [cut])
        assert settled(parts) == settled(whole)
        assert problems(parts) == problems(whole)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_a_file_that_grows_in_many_steps_gives_the_same_events(data):
    source = data.draw(st.sampled_from(sorted(RECORDED)))
    lines = RECORDED[source]
    cuts = data.draw(st.lists(st.integers(0, len(lines)), max_size=5))

    assert settled(in_parts(source, lines, cuts)) == settled(at_once(source, lines))


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the real transcripts are not at {SHARED}")
@pytest.mark.parametrize("path", sorted(SHARED.glob("c*/*.jsonl")), ids=lambda path: path.stem[:8])
def test_a_real_file_read_in_parts_gives_the_same_events(path):
    source = "codex" if path.parent.name == "codex" else "claude_code"
    lines = path.read_bytes().splitlines()
    parts = in_parts(source, lines, [len(lines) // 7 * part for part in range(1, 7)])

    assert settled(parts) == settled(at_once(source, lines))


def test_checkpoint_stays_small():
    parser = parser_for("codex")
    fed(parser, RECORDED["codex"])
    claude_parser = parser_for("claude_code")
    fed(claude_parser, RECORDED["claude_code"] * 20)

    assert len(json.dumps(parser.checkpoint())) < 20_000
    assert len(json.dumps(claude_parser.checkpoint())) < 20_000


def fields_of(lines):
    return sorted({name for line in lines for name in json.loads(line)} - {"sessionId", "type"})


@st.composite
def mutated(draw, source):
    """A recorded line in which some fields, at the top or one level down, hold anything at all."""
    record = json.loads(draw(st.sampled_from(RECORDED[source])))
    for name in draw(st.lists(st.sampled_from(sorted(record)), max_size=3)):
        inner = record[name]
        if isinstance(inner, dict) and inner and draw(st.booleans()):
            record[name] = inner | {draw(st.sampled_from(sorted(inner))): draw(ANY_JSON)}
        else:
            record[name] = draw(ANY_JSON)
    return json.dumps(record).encode()


@pytest.mark.parametrize("source", RECORDED)
def test_mutated_lines_end_in_events_and_problems(source):
    @given(st.lists(mutated(source), min_size=1, max_size=6))
    @settings(max_examples=120, deadline=None)
    def check(lines):
        opening = {"claude_code": user("u0", "Hi"), "codex": codex_meta()}[source]
        found = in_parts(source, to_lines([opening, *lines]), [len(lines) // 2])
        assert found
        assert json.dumps([repr(output) for output in found]).isascii()

    check()


@pytest.mark.parametrize("source", RECORDED)
@given(line=st.one_of(st.binary(), ANY_JSON.map(json.dumps).map(str.encode)))
@settings(max_examples=150, deadline=None)
def test_arbitrary_lines_never_raise(source, line):
    parser = parser_for(source)

    assert list(parser.finish()) == []
    assert all(output.line == 1 for output in problems(fed(parser, [line])))


KINDS = [
    "user",
    "assistant",
    "system",
    "attachment",
    "queue-operation",
    "summary",
    "custom-title",
    "cost-state",
    "novelty",
]
BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "thinking", "tool_use", "tool_result", "image", "compaction", "odd"])},
    optional=dict.fromkeys(("text", "thinking", "input", "content", "source", "id", "tool_use_id", "name"), ANY_JSON),
)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_records_of_any_shape_never_raise(data):
    content = st.one_of(ANY_JSON, st.lists(BLOCK, max_size=3))
    names = (
        "uuid",
        "timestamp",
        "attachment",
        "content",
        "compactMetadata",
        "modelUsage",
        "rendered",
        "operation",
        "leafUuid",
    )
    records = [
        claude(
            data.draw(st.sampled_from(KINDS)),
            data.draw(st.sampled_from(["a", "b", "c"])),
            message={"id": data.draw(ANY_JSON), "usage": data.draw(ANY_JSON), "content": data.draw(content)},
            **{
                name: data.draw(ANY_JSON)
                for name in data.draw(st.sets(st.sampled_from(names), max_size=2))
                if name != "uuid"
            },
        )
        for _ in range(data.draw(st.integers(1, 5)))
    ]
    lines = to_lines([boundary("b0"), *records])

    assert settled(in_parts("claude_code", lines, [2])) == settled(at_once("claude_code", lines))
