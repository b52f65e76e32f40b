"""Decide which of Claude Code's attachment records the model reads, and as what text.

From 2.1.330 on a record carries what was sent (`rendered`); a record of that age without it was not sent.
Before, the harness rendered at the time of the request; the texts here say the same with the content word for word.
"""

from collections.abc import Callable, Mapping
from typing import Any

from conversations.ingest.formats.base import list_of, mapping_of, strings_of, text_of

Attachment = Mapping[str, Any]

#: Known, and nothing of it reaches the model: the harness's own book-keeping.
SILENT = frozenset(
    {
        "already_read_file", "command_permissions", "dynamic_skill", "goal_status", "hook_cancelled",
        "hook_deferred_tool", "hook_error_during_execution", "hook_non_blocking_error", "hook_permission_decision",
        "hook_system_message", "max_turns_reached", "prompt_snapshot", "session_context", "structured_output",
        "thinking_level", "ultrathink_effort",
    }
)  # fmt: skip

#: Hooks whose output is given to the model; that of all others is only shown to the user.
_HEARD_HOOKS = frozenset({"SessionStart", "UserPromptSubmit", "SubagentStart"})


def is_known(kind: str) -> bool:
    """Whether the attachment type is understood."""
    return kind in SILENT or kind in _RENDERERS or kind == "queued_command"


def render(attachment: Attachment, rendered: object) -> str:
    """What the model reads of it, "" if nothing."""
    if rendered is not None:
        return "\n".join(filter(None, map(_rendered_text, list_of(rendered))))
    kind = text_of(attachment.get("type"))
    renderer = _RENDERERS.get(kind)
    return renderer(attachment) if renderer else ""


def _rendered_text(item: object) -> str:
    return flat_text(mapping_of(item).get("content"))


def flat_text(content: object) -> str:
    """Strings and text blocks joined by newlines; other blocks as "[type]"."""
    if isinstance(content, str):
        return content
    if isinstance(content, dict):
        if "text" in content:
            return text_of(content["text"])
        kind = text_of(content.get("type")) or "object"
        return flat_text(content["content"]) if "content" in content else f"[{kind}]"
    return "\n".join(filter(None, map(flat_text, list_of(content))))


def _file(attachment: Attachment) -> str:
    content = mapping_of(attachment.get("content"))
    inner = mapping_of(content.get("file"))
    name = text_of(attachment.get("filename")) or text_of(inner.get("filePath"))
    text = text_of(inner.get("content")) or flat_text(content.get("content"))
    return _titled(f"File {name}:", text or f"[{text_of(content.get('type'))}]")


def _file_reference(attachment: Attachment) -> str:
    return f"File {text_of(attachment.get('filename'))} was read before the compaction; its content is not included."


def _edited_file(attachment: Attachment) -> str:
    return _titled(f"File {text_of(attachment.get('filename'))} was modified:", text_of(attachment.get("snippet")))


def _memory(attachment: Attachment) -> str:
    return _titled(f"Contents of {text_of(attachment.get('path'))}:", flat_text(attachment.get("content")))


def _memories(attachment: Attachment) -> str:
    return "\n".join(_memory(mapping_of(item)) for item in list_of(attachment.get("memories")))


def _skills(attachment: Attachment) -> str:
    return _titled("Available skills:", text_of(attachment.get("content")))


def _invoked_skills(attachment: Attachment) -> str:
    return "\n".join(map(_invoked_skill, map(mapping_of, list_of(attachment.get("skills")))))


def _invoked_skill(skill: Attachment) -> str:
    return _titled(f"Skill {text_of(skill.get('name'))}:", flat_text(skill.get("content")))


def _items(attachment: Attachment) -> str:
    """A to-do or task reminder; one without items is only a nudge and says nothing."""
    lines = [_item(mapping_of(item)) for item in list_of(attachment.get("content"))]
    return _titled("Task list:", "\n".join(lines)) if lines else ""


def _item(item: Mapping[str, Any]) -> str:
    subject = next((text_of(item.get(key)) for key in ("subject", "content", "title") if item.get(key)), "")
    number = item.get("id")
    return f"{f'#{number} ' if number else ''}[{text_of(item.get('status'))}] {subject}"


def _hook_context(attachment: Attachment) -> str:
    title = f"{text_of(attachment.get('hookName'))} hook additional context:"
    return _titled(title, flat_text(attachment.get("content")))


def _hook_success(attachment: Attachment) -> str:
    content = text_of(attachment.get("content"))
    if text_of(attachment.get("hookEvent")) not in _HEARD_HOOKS or not content:
        return ""
    return f"{text_of(attachment.get('hookName'))} hook success: {content}"


def _hook_blocked(attachment: Attachment) -> str:
    error = mapping_of(attachment.get("blockingError")).get("blockingError") or attachment.get("blockingError")
    return _titled(f"{text_of(attachment.get('hookName'))} hook blocking error:", flat_text(error))


def _hook_stopped(attachment: Attachment) -> str:
    return f"{text_of(attachment.get('hookName'))} hook stopped continuation: {text_of(attachment.get('message'))}"


#: What a delta adds, the fullest wording first.
_ADDED = ("addedBlocks", "addedLines", "addedNames", "addedTypes")


def _delta(title: str) -> Callable[[Attachment], str]:
    def render_delta(attachment: Attachment) -> str:
        added = next((strings_of(attachment[key]) for key in _ADDED if attachment.get(key)), [])
        removed = strings_of(attachment.get("removedNames")) or strings_of(attachment.get("removedTypes"))
        parts = ((f"{title}:", added), (f"{title}, removed:", removed))
        return "\n".join(_titled(heading, "\n".join(lines)) for heading, lines in parts if lines)

    return render_delta


def _plain(*fields: str, title: str = "") -> Callable[[Attachment], str]:
    """The first of these fields that holds text."""

    def render_plain(attachment: Attachment) -> str:
        text = next(filter(None, (flat_text(attachment.get(field)) for field in fields)), "")
        return _titled(title, text) if text and title else text

    return render_plain


def _titled(title: str, text: str) -> str:
    return f"{title}\n{text}" if text else title


_RENDERERS: dict[str, Callable[[Attachment], str]] = {
    "agent_listing_delta": _delta("Available agent types"),
    "agent_mention": _plain("agentType", title="The user mentioned this agent:"),
    "async_hook_response": _plain("response", "content"),
    "budget_usd": _plain("text", "content"),
    "compact_file_reference": _file_reference,
    "companion_intro": _plain("content"),
    "context_efficiency": _plain("content"),
    "critical_system_reminder": _plain("content"),
    "date": _plain("date", title="Today's date:"),
    "date_change": _plain("newDate", title="The date has changed:"),
    "deferred_tools_delta": _delta("Deferred tools"),
    "diagnostics": _plain("summary", "content", title="New diagnostics:"),
    "directory": _plain("content", title="Directory:"),
    "edited_image_file": _edited_file,
    "edited_text_file": _edited_file,
    "environment": _plain("text", "content"),
    "file": _file,
    "hook_additional_context": _hook_context,
    "hook_blocking_error": _hook_blocked,
    "hook_stopped_continuation": _hook_stopped,
    "hook_success": _hook_success,
    "invoked_skills": _invoked_skills,
    "mcp_instructions_delta": _delta("MCP server instructions"),
    "mcp_resource": _plain("content", title="MCP resource:"),
    "model": _plain("text"),
    "nested_memory": _memory,
    "new_directory": _plain("content"),
    "opened_file_in_ide": _plain("filename", title="The user opened this file in the IDE:"),
    "output_style": _plain("style", title="Output style:"),
    "output_token_usage": _plain("text", "content"),
    "pdf_reference": _plain("filename", title="PDF:"),
    "plan_file_reference": _plain("planContent", "planFilePath", title="Plan:"),
    "plan_mode": _plain("planFilePath", "reminderType", title="Plan mode is active."),
    "plan_mode_exit": _plain("planFilePath", title="Plan mode was left."),
    "plan_mode_reentry": _plain("planFilePath", title="Plan mode was entered again."),
    "relevant_memories": _memories,
    "remote_session_change": _plain("text", "content"),
    "selected_lines_in_ide": _plain("content", title="The user selected these lines in the IDE:"),
    "skill_discovery": _plain("content"),
    "skill_listing": _skills,
    "task_reminder": _items,
    "task_status": _plain("deltaSummary", "description", "content", title="Background task:"),
    "team_context": _plain("content"),
    "teammate_mailbox": _plain("content", "messages"),
    "todo": _items,
    "todo_reminder": _items,
    "token_usage": _plain("text", "content"),
    "ultramemory": _plain("content"),
    "unified_tasks": _items,
    "verify_plan_reminder": _plain("content"),
}
