"""Rows for tests: plain functions with sensible defaults. They fill the denormalised fields as `settle` would."""

import hashlib
import itertools
from datetime import UTC, datetime, timedelta

import msgspec
from django.db.models import F

from conversations.models import (
    Agent,
    ApiKey,
    Batch,
    BatchChunk,
    BatchProblem,
    Compaction,
    Conversation,
    Message,
    Request,
    Workspace,
)
from conversations.vocabulary import BatchState, CompactionKind, Origin, Role, SummaryState, Trigger

START = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
_numbers = itertools.count(1)


def create_workspace(slug="acme", **fields):
    return Workspace.objects.create(slug=slug, **{"name": slug.title(), **fields})


def create_agent(workspace, name="support-agent", version="1.0"):
    return Agent.objects.get_or_create(workspace=workspace, name=name, version=version)[0]


def create_conversation(workspace, *, agent=None, **fields):
    """`agent` is an Agent or the name of one."""
    number = next(_numbers)
    if isinstance(agent, str):
        agent = create_agent(workspace, agent)
    fields = {
        "source": "events",
        "external_id": f"conversation-{number}",
        "title": f"Conversation {number}",
        "started_at": START,
        "last_at": START + timedelta(minutes=number),
        **fields,
    }
    return Conversation.objects.create(workspace=workspace, agent=agent, **fields)


def text_blocks(text):
    return [{"type": "text", "text": text}]


def create_message(conversation, text="Hello", *, role=Role.USER, blocks=None, position=None, **fields):
    """The next message of the conversation; `blocks` instead of `text` for what is not prose."""
    blocks = text_blocks(text) if blocks is None else blocks
    position = _next_position(conversation) if position is None else position
    fields = {
        "external_id": f"message-{next(_numbers)}",
        "at": START + timedelta(seconds=position),
        "origin": Origin.SPOKEN,
        "size": sum(len(block.get("text", "")) for block in blocks),
        "content_hash": hashlib.blake2b(msgspec.json.encode(blocks), digest_size=16).digest(),
        **fields,
    }
    message = Message.objects.create(
        workspace=conversation.workspace,
        conversation=conversation,
        role=role,
        blocks=blocks,
        position=position,
        **fields,
    )
    _bump(conversation, message_count=F("message_count") + 1)
    return message


def create_request(conversation, context_tokens=1000, *, output_tokens=100, position=None, **fields):
    """A model call that read `context_tokens`."""
    position = _next_position(conversation) if position is None else position
    fields = {
        "external_id": f"request-{next(_numbers)}",
        "at": START + timedelta(seconds=position),
        "model": "claude-sonnet-5-5",
        "input_tokens": context_tokens,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        **fields,
    }
    request = Request.objects.create(
        workspace=conversation.workspace,
        conversation=conversation,
        position=position,
        context_tokens=context_tokens,
        output_tokens=output_tokens,
        **fields,
    )
    peak = max(conversation.tokens_peak or 0, context_tokens)
    models = sorted({*conversation.model_names, request.model})
    _bump(
        conversation,
        request_count=F("request_count") + 1,
        tokens_now=context_tokens,
        tokens_peak=peak,
        model_names=models,
    )
    return request


def create_compaction(conversation, summary="What happened so far.", *, dropped=(), position=None, **fields):
    """A compaction that dropped the given messages and left `summary` (None: it left none)."""
    position = _next_position(conversation) if position is None else position
    number = conversation.compactions.count() + 1
    message = None
    if summary is not None:
        blocks = [{"type": "summary", "text": summary}]
        message = create_message(
            conversation, blocks=blocks, origin=Origin.SUMMARY, position=position + 1, external_id=f"summary-{number}"
        )
    fields = {
        "external_id": f"compaction-{next(_numbers)}",
        "kind": CompactionKind.CLIENT,
        "trigger": Trigger.AUTO,
        "at": START + timedelta(seconds=position),
        "number": number,
        "summary_state": SummaryState.ABSENT if summary is None else SummaryState.TEXT,
        "dropped_count": len(dropped),
        **fields,
    }
    compaction = Compaction.objects.create(
        workspace=conversation.workspace,
        conversation=conversation,
        position=position,
        summary_message=message,
        **fields,
    )
    Message.objects.filter(pk__in=[dropped_message.pk for dropped_message in dropped]).update(dropped_by=compaction)
    _bump(conversation, compaction_count=F("compaction_count") + 1)
    return compaction


def create_batch(workspace, body=b"", *, problems=(), **fields):
    """A digested batch of events that held `body`; `problems` are fields of BatchProblem rows."""
    fields = {
        "format": "events",
        "state": BatchState.DIGESTED,
        "digested_at": START,
        "byte_count": len(body),
        "sha256": hashlib.sha256(body or str(next(_numbers)).encode()).digest(),
        **fields,
    }
    batch = Batch.objects.create(workspace=workspace, **fields)
    for problem in problems:
        defaults = {"code": "bad_json", "message": "This line is not JSON.", "line": 1}
        BatchProblem.objects.create(workspace=workspace, batch=batch, **{**defaults, **problem})
    return batch


def create_api_key(workspace, scopes=("ingest", "read"), **fields):
    """The row and the key itself; send it as `Authorization: Bearer <key>`."""
    key = f"obs_{next(_numbers):043d}"
    fields = {"name": "tests", "prefix": key[:12], "key_hash": hashlib.sha256(key.encode()).digest(), **fields}
    return ApiKey.objects.create(workspace=workspace, scopes=list(scopes), **fields), key


def _next_position(conversation):
    last = max(
        conversation.messages.order_by("-position").values_list("position", flat=True).first() or 0,
        conversation.requests.order_by("-position").values_list("position", flat=True).first() or 0,
        conversation.compactions.order_by("-position").values_list("position", flat=True).first() or 0,
    )
    return last + 10


def _bump(conversation, **fields):
    Conversation.objects.filter(pk=conversation.pk).update(**fields)
    conversation.refresh_from_db()


def chunks_of(batch):
    return BatchChunk.objects.filter(batch=batch).order_by("number")
