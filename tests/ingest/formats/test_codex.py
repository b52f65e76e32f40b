import pytest

from conversations.ingest.events import (
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
from tests.ingest.formats.lines import SESSION, codex, codex_meta, of, parse, said, token_count
from tests.ingest.formats.rollout import blocks, item, read, the

STARTED = codex("event_msg", {"type": "task_started", "model_context_window": 258_400})
AGENTS = said("user", "# AGENTS.md instructions for /home/dev\n\nUse tabs.")
RULES = said("developer", "<permissions instructions>Ask first.")


# --- conversations ----------------------------------------------------------------------------------------------------


def test_conversation_tells_agent_version_directory_window_and_first_prompt():
    conversation = the(ConversationEvent, STARTED, item(AGENTS), item(said("user", "Fix the build")))

    assert (conversation.conversation, conversation.agent, conversation.agent_version) == (SESSION, "codex", "0.140.0")
    assert (conversation.title, conversation.cwd, conversation.context_window) == (
        "Fix the build",
        "/home/dev/project",
        258_400,
    )


def test_conversation_takes_the_name_of_its_thread():
    named = codex("event_msg", {"type": "thread_name_updated", "thread_name": "Build fixes"})

    assert the(ConversationEvent, item(said("user", "Fix the build")), named).title == "Build fixes"


def test_session_copied_by_a_fork_does_not_rename_the_conversation():
    events = read(codex("session_meta", {"id": "the-parent"}), item(said("user", "Hi")))

    assert {event.conversation for event in events} == {SESSION}


def test_subagent_names_its_parent():
    source = {"subagent": {"thread_spawn": {"parent_thread_id": "the-parent", "depth": 1}}}

    events, _ = parse("codex", [codex_meta(source=source)])

    assert events[0].parent == "the-parent"


# --- messages ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "role", "origin"),
    [
        (said("user", "Fix it"), Role.USER, Origin.SPOKEN),
        (said("assistant", "Fixed"), Role.ASSISTANT, Origin.SPOKEN),
        (RULES, Role.SYSTEM, Origin.HARNESS),
        (AGENTS, Role.USER, Origin.HARNESS),
        (said("user", "<environment_context>\n<cwd>/x</cwd>"), Role.USER, Origin.HARNESS),
        (
            said("user", "<x>", internal_chat_message_metadata_passthrough={"content_item_kinds": ["user.text"]}),
            Role.USER,
            Origin.SPOKEN,
        ),
        (
            said("user", "y", internal_chat_message_metadata_passthrough={"content_item_kinds": ["environments.x"]}),
            Role.USER,
            Origin.HARNESS,
        ),
    ],
)
def test_message_tells_who_speaks(payload, role, origin):
    message = the(MessageEvent, item(payload))

    assert (message.role, message.origin) == (role, origin)


@pytest.mark.parametrize(
    ("payload", "block"),
    [
        (
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "x"},
            Thinking("Hm."),
        ),
        ({"type": "reasoning", "summary": []}, Thinking()),
        (
            {"type": "function_call", "name": "shell", "arguments": '{"cmd":"ls"}', "call_id": "c1"},
            ToolCall(name="shell", id="c1", input={"cmd": "ls"}),
        ),
        (
            {"type": "function_call", "name": "shell", "arguments": '{"cmd":', "call_id": "c1"},
            ToolCall(name="shell", id="c1", input='{"cmd":'),
        ),
        (
            {"type": "function_call", "name": "shell", "arguments": {"cmd": "ls"}, "call_id": "c1"},
            ToolCall(name="shell", id="c1", input={"cmd": "ls"}),
        ),
        (
            {"type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin", "call_id": "c1"},
            ToolCall(name="apply_patch", id="c1", input="*** Begin"),
        ),
        (
            {"type": "local_shell_call", "call_id": "c1", "action": {"type": "exec", "command": ["ls"]}},
            ToolCall(name="local_shell", id="c1", input={"type": "exec", "command": ["ls"]}),
        ),
        (
            {"type": "web_search_call", "id": "w1", "action": {"query": "x"}},
            ToolCall(name="web_search", id="w1", input={"query": "x"}),
        ),
        ({"type": "function_call_output", "call_id": "c1", "output": "ok"}, ToolResult(text="ok", id="c1")),
        (
            {"type": "function_call_output", "call_id": "c1", "output": {"content": "no", "success": False}},
            ToolResult(text="no", id="c1", is_error=True),
        ),
        (
            {
                "type": "function_call_output",
                "call_id": "c1",
                "output": [{"type": "input_text", "text": "a"}, {"type": "input_image"}],
            },
            ToolResult(text="a\n[image]", id="c1"),
        ),
        (
            {"type": "tool_search_output", "call_id": "c1", "tools": [{"name": "github"}, {"name": "jira"}]},
            ToolResult(text="github\njira", id="c1"),
        ),
    ],
)
def test_item_becomes_a_block(payload, block):
    assert blocks(payload) == [block]


def test_other_parts_are_kept_as_json():
    assert blocks({"type": "message", "role": "user", "content": [{"type": "hologram"}]}) == [
        Text('{"type":"hologram"}')
    ]
    assert blocks({"type": "message", "role": "user", "content": "plain"}) == [Text("plain")]


def test_image_by_address_has_no_size():
    part = {"type": "input_image", "image_url": "https://example.org/a.png"}

    assert blocks({"type": "message", "role": "user", "content": [part]}) == [Image(media_type="image")]


def test_image_leaves_a_placeholder_with_its_size():
    part = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 400}

    assert blocks({"type": "message", "role": "user", "content": [part]}) == [Image(media_type="image/png", bytes=300)]


def test_message_takes_its_own_id_or_that_of_its_line():
    events = read(item(said("user", "Hi")), item(said("assistant", "Yo", id="msg_9")))

    assert [(message.id, message.sequence) for message in of(MessageEvent, events)] == [
        ("line-2", 2 * STRIDE),
        ("msg_9", 3 * STRIDE),
    ]


# --- requests ---------------------------------------------------------------------------------------------------------


def test_request_is_told_by_a_changed_total_and_excludes_the_cache():
    model = codex("turn_context", {"model": "gpt-5.5"})

    events = read(
        model, token_count(1_000, 900, second=1), token_count(1_000, 900, second=2), token_count(2_000, 990, second=3)
    )

    assert [(event.context_tokens, event.usage) for event in of(RequestEvent, events)] == [
        (900, Usage(input_tokens=450, cache_read_tokens=450, output_tokens=10)),
        (990, Usage(input_tokens=495, cache_read_tokens=495, output_tokens=10)),
    ]
    assert {event.model for event in of(RequestEvent, events)} == {"gpt-5.5"}


def test_count_without_figures_is_no_request():
    assert of(RequestEvent, read(codex("event_msg", {"type": "token_count", "info": None}))) == []


def test_usage_record_is_preferred_to_the_count_that_repeats_it():
    usage = {"input_tokens": 1_000, "cached_input_tokens": 600, "cache_write_input_tokens": 300, "output_tokens": 7}
    record = codex(
        "token_usage_record", {"response_id": "resp_1", "usage": usage, "thread_token_usage": {"total_tokens": 1_007}}
    )

    request = the(RequestEvent, record, token_count(1_007, 1_000))

    assert (request.id, request.context_tokens) == ("resp_1", 1_000)
    assert request.usage == Usage(input_tokens=100, cache_read_tokens=600, cache_write_tokens=300, output_tokens=7)


# --- other shapes, and what is not understood -------------------------------------------------------------------------


def test_rollout_of_early_2025_has_no_envelope():
    records = [
        {"id": SESSION, "timestamp": "2025-06-18T08:00:00.000Z", "instructions": None, "git": {}},
        {"record_type": "state"},
        said("user", "Hi"),
        {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c1"},
    ]

    events, problems = parse("codex", records)

    assert problems == []
    assert [message.content for message in of(MessageEvent, events)] == [
        [Text("Hi")],
        [ToolCall(name="shell", id="c1", input={})],
    ]


def test_unknown_types_are_reported_once_a_type():
    records = [
        codex_meta(),
        codex("novelty", {}),
        item({"type": "odd"}),
        codex("event_msg", {"type": "event"}),
        codex("novelty", {}),
    ]

    _, problems = parse("codex", records)

    assert [(problem.field, problem.line) for problem in problems] == [
        ("novelty", 2),
        ("response_item/odd", 3),
        ("event_msg/event", 4),
    ]


def test_records_before_the_session_are_reported_once():
    events, problems = parse("codex", [item(said("user", "Hi")), item(said("user", "Ho")), codex_meta()])

    assert [(problem.code, problem.line) for problem in problems] == [("bad_field", 1)]
    assert of(MessageEvent, events) == []
