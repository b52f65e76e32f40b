from datetime import UTC, datetime

import pytest

from conversations.ingest.events import (
    CompactionEvent,
    ConversationEvent,
    Image,
    MessageEvent,
    RequestEvent,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Usage,
)
from conversations.ingest.formats import STRIDE
from conversations.vocabulary import Origin, Role
from tests.ingest.formats.claude import messages, read, said, the
from tests.ingest.formats.lines import SESSION, assistant, boundary, claude, of, parse, summary, user

# --- conversations ----------------------------------------------------------------------------------------------------


def test_conversation_tells_agent_version_directory_and_first_prompt():
    conversation = the(ConversationEvent, user("u1", "Add  a\nhealth check"), assistant("a1", "Done."))

    assert (conversation.conversation, conversation.agent, conversation.agent_version) == (
        SESSION,
        "claude-code",
        "2.1.217",
    )
    assert (conversation.title, conversation.cwd, conversation.complete) == (
        "Add a health check",
        "/home/dev/project",
        True,
    )


def test_conversation_follows_a_change_of_version():
    conversation = the(ConversationEvent, user("u1", "Hi"), user("u2", "Again", version="2.1.330"))

    assert conversation.agent_version == "2.1.330"


@pytest.mark.parametrize(
    ("records", "title"),
    [
        ([claude("custom-title", customTitle="Mine"), user("u1", "Hi")], "Mine"),
        ([user("u1", "Hi"), claude("ai-title", aiTitle="Made"), claude("custom-title", customTitle="Mine")], "Mine"),
        ([user("u1", "Hi"), claude("custom-title", customTitle="Mine"), claude("ai-title", aiTitle="Made")], "Mine"),
        ([user("u1", "Hi"), {"type": "summary", "summary": "Listed", "leafUuid": "u1"}], "Listed"),
        ([{"type": "summary", "summary": "Listed", "leafUuid": "u1"}, user("u1", "Hi")], "Listed"),
        ([{"type": "summary", "summary": "Another session", "leafUuid": "zz"}, user("u1", "Hi")], "Hi"),
        ([{"type": "summary", "summary": "Of nothing"}, user("u1", "Hi")], "Hi"),
        ([user("u0", "Caveat", isMeta=True), user("u1", "Hi"), user("u2", "More")], "Hi"),
        ([user("u1", "x" * 500)], "x" * 119 + "…"),
        (
            [user("u1", "<command-name>/plan</command-name>\n<command-args>phase 14</command-args>")],
            "/plan phase 14",
        ),
    ],
)
def test_conversation_takes_its_best_title(records, title):
    assert the(ConversationEvent, *records).title == title


@pytest.mark.parametrize(
    ("first", "complete", "reason"),
    [
        (user("u1", "Hi"), True, "UNSET"),
        (user("u1", "Hi", parentUuid="gone"), False, "in mid-session"),
        (claude("system", "s1", subtype="turn_duration", parentUuid="gone"), False, "in mid-session"),
        (boundary("b1"), False, "at a compaction copied from another session"),
        (summary("s1"), False, "with the summary of an earlier part"),
    ],
)
def test_conversation_says_when_its_beginning_is_missing(first, complete, reason):
    conversation = the(ConversationEvent, first, assistant("a1", "Hello"))

    assert conversation.complete is complete
    assert reason in repr(conversation.incomplete_reason)


def test_only_the_first_compaction_of_an_incomplete_conversation_is_incomplete():
    events = read(user("u1", "Hi", parentUuid="gone"), boundary("b1"), summary("s1"), boundary("b2"), summary("s2"))

    assert [event.complete for event in of(CompactionEvent, events)] == [False, True]


def test_subagent_file_is_a_conversation_of_its_own_with_a_parent():
    events = read(
        user("u1", "Explore", isSidechain=True, agentId="ab12"),
        assistant("a1", "Found.", isSidechain=True, agentId="ab12"),
    )

    assert {event.conversation for event in events} == {f"{SESSION}/agent-ab12"}
    assert of(ConversationEvent, events)[0].parent == SESSION


def test_long_sidechains_are_followed_without_remembering_all_of_them():
    chain = [user("x0", "Task", isSidechain=True)]
    chain += [assistant(f"x{n}", "…", isSidechain=True, parentUuid=f"x{n - 1}") for n in range(1, 2_500)]
    chain += [assistant("x2499", "again", isSidechain=True, parentUuid="x2498")]

    assert {event.conversation for event in read(*chain)} == {f"{SESSION}/sidechain-x0"}


def test_progress_of_a_subagent_opens_no_conversation():
    progress = {"isSidechain": True, "parentUuid": "gone"}

    events = read(
        claude("progress", "p1", agentId="ab12", **progress),
        claude("progress", "p2", **progress),
        user("u1", "Explore", isSidechain=True, agentId="ab12"),
    )

    [conversation] = of(ConversationEvent, events)
    assert (conversation.conversation, conversation.complete) == (f"{SESSION}/agent-ab12", True)


def test_interleaved_sidechains_are_told_apart_by_their_roots():
    events = read(
        user("u1", "Work"),
        user("x1", "Task one", isSidechain=True),
        user("y1", "Task two", isSidechain=True),
        assistant("x2", "One.", "msg_x", isSidechain=True, parentUuid="x1"),
        assistant("y2", "Two.", "msg_y", isSidechain=True, parentUuid="y1"),
        assistant("a1", "Both done.", "msg_a", parentUuid="u1"),
    )

    by_conversation = {}
    for message in of(MessageEvent, events):
        by_conversation.setdefault(message.conversation, []).append(message.id)
    assert by_conversation == {
        SESSION: ["u1", "a1"],
        f"{SESSION}/sidechain-x1": ["x1", "x2"],
        f"{SESSION}/sidechain-y1": ["y1", "y2"],
    }


# --- messages ---------------------------------------------------------------------------------------------------------


def test_message_keeps_its_id_time_and_place_in_the_file():
    message = messages({"type": "mode"}, user("u1", "Hi", minute=7))[0]

    assert (message.id, message.at, message.sequence) == ("u1", datetime(2026, 7, 26, 15, 7, tzinfo=UTC), 2 * STRIDE)


def test_assistant_blocks_are_kept_in_order():
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "abc"},
        {"type": "redacted_thinking", "data": "xyz"},
        {"type": "text", "text": "Reading."},
        {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": "/a.py"}},
    ]

    [message] = messages(assistant("a1", content))

    assert message.content == [
        Thinking("Hm."),
        Thinking(),
        Text("Reading."),
        ToolCall(name="Read", id="t1", input={"file_path": "/a.py"}),
    ]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        (None, ""),
        ([{"type": "text", "text": "one"}, {"type": "text", "text": "two"}], "one\ntwo"),
        ([{"type": "image", "source": {"type": "base64", "data": "AAAA"}}], "[image]"),
        (["one", {"type": "text", "text": "two"}], "one\ntwo"),
        ([{"type": "tool_reference", "tool_name": "X"}], '{"type":"tool_reference","tool_name":"X"}'),
    ],
)
def test_tool_result_is_text(content, text):
    [message] = messages(
        user("u1", [{"type": "tool_result", "tool_use_id": "t1", "content": content, "is_error": True}])
    )

    assert (message.role, message.content) == (Role.TOOL, [ToolResult(text=text, id="t1", is_error=True)])


@pytest.mark.parametrize(
    ("text", "role"), [("my user name is dana", "user"), ("<system-reminder>Be brief.</system-reminder>", "tool")]
)
def test_words_of_the_user_beside_a_tool_result_are_the_users(text, role):
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "ok"}

    [message] = messages(user("u1", [result, {"type": "text", "text": text}]))

    assert message.role == role
    assert message.content == [ToolResult(text="ok", id="t1"), Text(text)]


def test_image_leaves_a_placeholder_with_its_size():
    source = {"type": "base64", "media_type": "image/png", "data": "A" * 400}

    [message] = messages(user("u1", [{"type": "image", "source": source}, {"type": "text", "text": "See"}]))

    assert message.content == [Image(media_type="image/png", bytes=300), Text("See")]


def test_unknown_block_is_kept_as_json_and_reported():
    events, problems = parse("claude_code", [assistant("a1", [{"type": "hologram", "depth": 3}])])

    assert of(MessageEvent, events)[0].content == [Text('{"type":"hologram","depth":3}')]
    assert [problem.field for problem in problems] == ["block/hologram"]


@pytest.mark.parametrize(
    ("content", "fields", "origin"),
    [
        ("Fix the login", {}, Origin.SPOKEN),
        ("Fix the login", {"origin": {"kind": "human"}}, Origin.SPOKEN),
        ("Fix the login", {"isMeta": True}, Origin.HARNESS),
        ("Agent finished", {"origin": {"kind": "task-notification"}}, Origin.HARNESS),
        ("<local-command-stdout>ok</local-command-stdout>", {}, Origin.HARNESS),
        ("<task-notification>\n<task-id>1</task-id>", {}, Origin.HARNESS),
        ("[Request interrupted by user]", {}, Origin.HARNESS),
        ('{"task_id": "b9", "description": "Run tests"}', {}, Origin.HARNESS),
        ('{"port": 8443}', {}, Origin.SPOKEN),
        ("{ not JSON, but said }", {}, Origin.SPOKEN),
        ("<command-name>/clear</command-name>\n<command-args></command-args>", {}, Origin.HARNESS),
        (
            "<command-message>plan</command-message>\n<command-name>/plan</command-name>\n<command-args>go</command-args>",
            {},
            Origin.SPOKEN,
        ),
        ("<command-name>/compact</command-name>\n<command-args>keep it</command-args>", {}, Origin.HARNESS),
    ],
)
def test_user_record_tells_who_really_speaks(content, fields, origin):
    assert said(user("u1", content, **fields)) == [("u1", "user", origin.value)]


def test_arguments_of_a_local_command_are_not_the_users_words():
    caveat = user("u1", "<local-command-caveat>Caveat…</local-command-caveat>", isMeta=True)
    command = user("u2", "<command-name>/model</command-name>\n<command-args>opus</command-args>")

    assert said(caveat, command)[1] == ("u2", "user", "harness")


def test_synthetic_reply_is_the_harness_and_costs_nothing():
    record = assistant("a1", "API Error: 529")
    record["message"]["model"] = "<synthetic>"

    events = read(record)

    assert of(MessageEvent, events)[0].origin is Origin.HARNESS
    assert of(RequestEvent, events) == []


# --- requests ---------------------------------------------------------------------------------------------------------


def usage(output, context=1000):
    return {
        "input_tokens": 3,
        "cache_read_input_tokens": context,
        "cache_creation_input_tokens": 0,
        "output_tokens": output,
    }


def test_request_is_counted_once_and_its_last_line_wins():
    request = the(
        RequestEvent,
        user("u1", "Hi", minute=1),
        assistant("a1", "One", usage=usage(1), minute=2),
        user("u2", [{"type": "tool_result", "tool_use_id": "t", "content": ""}], minute=3),
        assistant("a2", "Two", usage=usage(80), minute=4),
    )

    assert (request.id, request.model, request.stop_reason) == ("msg_1", "claude-opus-5", "end_turn")
    assert request.usage == Usage(input_tokens=3, cache_read_tokens=1000, cache_write_tokens=0, output_tokens=80)
    assert request.duration_ms == 180_000  # from the user's message to the last line


@pytest.mark.parametrize(
    ("version", "output"),
    [("2.0.76", 42), ("2.1.13", 42), ("2.1.14", None), ("2.1.29", None), ("2.1.30", 42), ("2.1.330", 42), ("dev", 42)],
)
def test_output_tokens_that_are_placeholders_are_not_known(version, output):
    assert the(RequestEvent, assistant("a1", "Hi", version=version)).usage.output_tokens == output


def test_context_of_a_response_in_several_passes_is_the_last_pass():
    passes = [
        usage(5, 900_000) | {"type": "message"},
        usage(5, 1) | {"type": "compaction"},
        usage(5, 70_000) | {"type": "message"},
    ]

    assert the(RequestEvent, assistant("a1", "Hi", usage=usage(10) | {"iterations": passes})).context_tokens == 70_003


# --- what is not understood -------------------------------------------------------------------------------------------


def test_unknown_types_are_reported_once_a_type_with_their_count():
    records = [
        user("u1", "Hi"),
        {"type": "novelty"},
        {"type": "novelty"},
        claude("system", "s1", subtype="odd"),
        {"a": 1},
    ]

    _, problems = parse("claude_code", records)

    assert [(problem.field, problem.line) for problem in problems] == [("novelty", 2), ("system/odd", 4), ("(none)", 5)]
    assert "2 times" in problems[0].message


def test_records_without_a_session_are_reported_once():
    records = [user("u1", "Hi", sessionId=...), user("u2", "Ho", sessionId=...), user("u3", "Now")]

    events, problems = parse("claude_code", records)

    assert [(problem.code, problem.line) for problem in problems] == [("bad_field", 1)]
    assert [message.id for message in of(MessageEvent, events)] == ["u3"]


def test_broken_line_is_reported_and_the_others_are_read():
    events, problems = parse("claude_code", [user("u1", "Hi"), b'{"type":"user","mess', b"", b"[1]", user("u2", "Ho")])

    assert [(problem.code, problem.line, problem.raw) for problem in problems] == [
        ("bad_json", 2, '{"type":"user","mess'),
        ("bad_json", 4, "[1]"),
    ]
    assert [message.id for message in of(MessageEvent, events)] == ["u1", "u2"]
