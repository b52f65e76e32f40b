import pytest

from conversations.ingest.events import MessageEvent, Text
from conversations.ingest.formats.claude_attachments import SILENT, is_known, render
from tests.ingest.formats.claude import attachment, said
from tests.ingest.formats.lines import assistant, boundary, claude, of, parse, summary


@pytest.mark.parametrize(
    ("attachment", "text"),
    [
        (
            {
                "type": "file",
                "filename": "/a.py",
                "content": {"type": "text", "file": {"filePath": "/a.py", "content": "x = 1\n"}},
            },
            "File /a.py:\nx = 1\n",
        ),
        ({"type": "file", "filename": "/a.png", "content": {"type": "image", "file": {}}}, "File /a.png:\n[image]"),
        (
            {"type": "compact_file_reference", "filename": "/a.py"},
            "File /a.py was read before the compaction; its content is not included.",
        ),
        (
            {"type": "edited_text_file", "filename": "/a.py", "snippet": "1\tx = 2"},
            "File /a.py was modified:\n1\tx = 2",
        ),
        (
            {"type": "nested_memory", "path": "/r.md", "content": {"type": "Project", "content": "Use tabs."}},
            "Contents of /r.md:\nUse tabs.",
        ),
        (
            {"type": "relevant_memories", "memories": [{"path": "/m.md", "content": "Dana owns it."}]},
            "Contents of /m.md:\nDana owns it.",
        ),
        ({"type": "skill_listing", "content": "- dataviz"}, "Available skills:\n- dataviz"),
        (
            {"type": "invoked_skills", "skills": [{"name": "commit", "content": "Sign off."}]},
            "Skill commit:\nSign off.",
        ),
        (
            {"type": "task_reminder", "content": [{"id": "3", "subject": "Ship", "status": "pending"}], "itemCount": 1},
            "Task list:\n#3 [pending] Ship",
        ),
        ({"type": "todo_reminder", "content": [{"content": "Ship", "status": "done"}]}, "Task list:\n[done] Ship"),
        ({"type": "task_reminder", "content": [], "itemCount": 0}, ""),
        (
            {"type": "hook_additional_context", "hookName": "UserPromptSubmit", "content": ["Be terse."]},
            "UserPromptSubmit hook additional context:\nBe terse.",
        ),
        (
            {
                "type": "hook_success",
                "hookEvent": "SessionStart",
                "hookName": "SessionStart:compact",
                "content": "Terse.",
            },
            "SessionStart:compact hook success: Terse.",
        ),
        (
            {"type": "hook_success", "hookEvent": "PostToolUse", "hookName": "x", "content": "shown to the user only"},
            "",
        ),
        ({"type": "hook_success", "hookEvent": "SessionStart", "hookName": "x", "content": ""}, ""),
        (
            {
                "type": "hook_blocking_error",
                "hookName": "Stop",
                "blockingError": {"blockingError": "Tests fail", "command": "t"},
            },
            "Stop hook blocking error:\nTests fail",
        ),
        (
            {"type": "hook_stopped_continuation", "hookName": "Stop", "message": "Enough"},
            "Stop hook stopped continuation: Enough",
        ),
        (
            {"type": "deferred_tools_delta", "addedNames": ["A"], "addedLines": ["A: does a"], "removedNames": ["B"]},
            "Deferred tools:\nA: does a\nDeferred tools, removed:\nB",
        ),
        ({"type": "deferred_tools_delta", "addedNames": [], "removedNames": []}, ""),
        (
            {"type": "mcp_instructions_delta", "addedNames": ["c7"], "addedBlocks": ["## c7\nAsk."]},
            "MCP server instructions:\n## c7\nAsk.",
        ),
        ({"type": "command_permissions", "allowedTools": ["Bash"]}, ""),
        ({"type": "prompt_snapshot", "systemPrompt": ["You are…"]}, ""),
        ({"type": "novelty", "content": "?"}, ""),
        ({}, ""),
    ],
)
def test_render_gives_what_the_model_reads(attachment, text):
    assert render(attachment, None) == text


@pytest.mark.parametrize(
    ("rendered", "text"),
    [
        ([{"content": "one"}, {"content": "two"}], "one\ntwo"),
        ([{"content": [{"type": "text", "text": "one"}, {"type": "image", "source": {}}]}], "one\n[image]"),
        ([], ""),
        ("odd", ""),
    ],
)
def test_render_prefers_the_logged_rendering(rendered, text):
    assert render({"type": "date", "date": "2026-01-01"}, rendered) == text


def test_silent_types_are_known_and_say_nothing():
    assert all(is_known(kind) and render({"type": kind, "content": "x"}, None) == "" for kind in SILENT)
    assert not is_known("novelty")


# --- in a transcript --------------------------------------------------------------------------------------------------


def test_attachments_after_a_boundary_are_restored_until_the_first_reply():
    assert said(
        attachment("f0", "date", date="2026-07-26"),
        boundary("b1"),
        summary("s1"),
        attachment("f1", "date", date="2026-07-27"),
        assistant("a1", "On it."),
        attachment("f2", "date", date="2026-07-28"),
    ) == [
        ("f0", "system", "harness"),
        ("s1", "user", "summary"),
        ("f1", "system", "restored"),
        ("a1", "assistant", "spoken"),
        ("f2", "system", "harness"),
    ]


def test_local_command_is_the_harness_and_an_empty_one_is_nothing():
    command = {"subtype": "local_command", "content": "<command-name>/skills</command-name>"}

    assert said(claude("system", "l1", **command), claude("system", "l2", subtype="local_command", content="")) == [
        ("l1", "system", "harness")
    ]


def test_unknown_attachment_is_reported_unless_its_rendering_is_logged():
    rendered = attachment("f1", "novelty") | {"rendered": [{"content": "<system-reminder>New.</system-reminder>"}]}

    events, problems = parse("claude_code", [rendered, attachment("f2", "novelty")])

    assert [message.content for message in of(MessageEvent, events)] == [
        [Text("<system-reminder>New.</system-reminder>")]
    ]
    assert [(problem.code, problem.field, problem.line) for problem in problems] == [
        ("unknown_type", "attachment/novelty", 2)
    ]
