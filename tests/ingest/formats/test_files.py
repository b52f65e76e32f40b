import json
from pathlib import Path

import pytest

from conversations.errors import UnknownFormat
from conversations.ingest.events import MessageEvent
from conversations.ingest.formats import files, lines, parse_file, parser_for, recognise, resume_parser, source_key
from tests.ingest.formats.lines import SESSION, claude, codex_meta, of, said, to_lines, user

DATA = Path(__file__).parents[2] / "data"


def head(*records):
    return b"\n".join(to_lines(records))


@pytest.mark.parametrize(
    ("start", "source", "key"),
    [
        (head(user("u1", "Hi")), "claude_code", f"claude_code:{SESSION}"),
        (
            head({"type": "summary", "summary": "x", "leafUuid": "y"}, user("u1", "Hi")),
            "claude_code",
            f"claude_code:{SESSION}",
        ),
        (head({"type": "file-history-snapshot"}), "claude_code", None),
        (head(b"broken", claude("mode")), "claude_code", f"claude_code:{SESSION}"),
        (head(user("u1", "Hi", isSidechain=True, agentId="ab")), "claude_code", f"claude_code:{SESSION}:ab"),
        (head({"type": "system", "subtype": "init", "session_id": "s9"}), "claude_code", "claude_code:s9"),
        (head(codex_meta()), "codex", f"codex:{SESSION}"),
        (head({"id": SESSION, "timestamp": "2025-06-18", "instructions": None}), "codex", f"codex:{SESSION}"),
        (head({"type": "response_item", "payload": said("user", "Hi")}), "codex", None),
        (head({"type": "event", "payload": {}}, [1, 2], "text"), None, None),
        (head({"hook_event_name": "PreCompact", "session_id": "s1"}), None, None),
        (b"\x00\xff not json at all", None, None),
        (b"", None, None),
    ],
)
def test_format_and_identity_are_told_by_the_first_lines(start, source, key):
    assert (recognise(start), source_key(start)) == (source, key)


def test_format_is_recognised_although_the_head_is_cut_within_a_line():
    start = head({"type": "mode", "sessionId": SESSION}, user("u1", "x" * 1000))[:300]

    assert (recognise(start), source_key(start)) == ("claude_code", f"claude_code:{SESSION}")


@pytest.mark.parametrize(
    ("name", "source"), [("claude_code/2.1.330.jsonl", "claude_code"), ("codex/0.169.0-local.jsonl", "codex")]
)
def test_parse_file_reads_a_recording(name, source):
    parsed = parse_file(DATA / name)
    events, problems = parsed.events_and_problems()

    assert (parsed.source, problems) == (source, [])
    assert len(of(MessageEvent, events)) > 5


def test_parse_file_numbers_lines_as_an_editor_does(tmp_path):
    path = tmp_path / "any name.txt"
    path.write_text("\n".join([json.dumps(user("u1", "Hi")), "", "broken"]))

    _, problems = parse_file(path).events_and_problems()

    assert [problem.line for problem in problems] == [3]


def test_parse_file_passes_over_a_giant_line_without_reading_it_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 1_000)
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 1_000)
    path = tmp_path / "session.jsonl"
    path.write_bytes(b"\n".join(to_lines([user("u1", "Hi"), user("u2", "x" * 5_000), user("u3", "Ho")])))

    events, problems = parse_file(path).events_and_problems()

    assert [message.id for message in of(MessageEvent, events)] == ["u1", "u3"]
    assert [(problem.code, problem.line) for problem in problems] == [("too_large", 2)]


def test_parse_file_refuses_other_files(tmp_path):
    path = tmp_path / "notes.jsonl"
    path.write_text('{"note": 1}\n')

    with pytest.raises(UnknownFormat, match=r"notes\.jsonl is no transcript"):
        parse_file(path)


@pytest.mark.parametrize("make", [parser_for, lambda source: resume_parser(source, {})])
def test_unknown_sources_are_refused(make):
    with pytest.raises(UnknownFormat) as caught:
        make("cobol")

    assert caught.value.mend == "Known are claude_code, codex."
