"""What was said: agents, conversations, messages, and the model calls between them."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.urls import reverse

from conversations.models.fields import VerbatimJSONField
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.tags import TAG_CHARACTERS
from conversations.vocabulary import TIER_CHARACTERS, Origin, Role

#: The batch a row came from: looked at from the row and never the other way, and batches outlive their rows.
UNCHECKED: Any = {"db_constraint": False, "db_index": False}


class Agent(models.Model):
    """A program that converses, in one version: behaviour changes with the version, so both belong together."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="agents")
    name = models.CharField(max_length=200)
    version = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name", "version"], name="agent_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="agent_in_workspace"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


class Conversation(models.Model):
    """One run of an agent, from its first message on, over all its compactions."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="conversations")
    source = models.CharField(max_length=40)  # claude_code, codex, events …
    external_id = models.CharField(max_length=512)  # the source's own id
    agent = models.ForeignKey(Agent, models.RESTRICT, related_name="conversations", null=True, **WITHIN_WORKSPACE)
    parent_external_id = models.CharField(max_length=512, blank=True)  # who spawned it; may not have arrived (yet)
    title = models.TextField(blank=True)
    cwd = models.TextField(blank=True)
    context_window = models.PositiveBigIntegerField(null=True)  # tokens
    complete = models.BooleanField(default=True)  # False: its beginning is not in the data
    incomplete_reason = models.TextField(blank=True)

    # denormalised, set by `settle` at the end of every digestion that touched the conversation
    started_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField()  # the agent's clock
    model_names = ArrayField(models.CharField(max_length=200), default=list)
    tags = ArrayField(models.CharField(max_length=TAG_CHARACTERS), default=list)  # in order; see conversations/tags.py
    tags_taken_off = ArrayField(models.CharField(max_length=TAG_CHARACTERS), default=list)  # data puts none on again
    message_count = models.PositiveIntegerField(default=0)
    request_count = models.PositiveIntegerField(default=0)  # turns; not the calls that wrote summaries
    compaction_count = models.PositiveIntegerField(default=0)
    tokens_now = models.PositiveBigIntegerField(null=True)  # context of the last request; None = no request seen
    tokens_peak = models.PositiveBigIntegerField(null=True)
    last_request_position = models.BigIntegerField(null=True)  # of the last turn: what comes after it is only added
    sparkline = models.JSONField(default=dict)  # see conversations/ingest/sparkline.py

    audit_due_at = models.DateTimeField(null=True)  # it has grown since its compactions were audited
    created_at = models.DateTimeField(auto_now_add=True)  # our clock
    search = models.GeneratedField(
        # As written, and in parts: "/srv/shop-web" is one word to Postgres, and is looked for as "shop".
        expression=SearchVector(
            "title",
            "external_id",
            "cwd",
            Func("title", Value("/-_."), Value("    "), function="translate", output_field=models.TextField()),
            Func("cwd", Value("/-_."), Value("    "), function="translate", output_field=models.TextField()),
            config="simple",
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "source", "external_id"], name="conversation_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="conversation_in_workspace"),
        ]
        indexes = [
            # The conversation list of a workspace, newest activity first, and its filters.
            models.Index(fields=["workspace", "-last_at", "-id"], name="conversation_recent"),
            models.Index(fields=["workspace", "agent", "-last_at", "-id"], name="conversation_by_agent"),
            models.Index(
                fields=["workspace", "-last_at", "-id"],
                condition=Q(compaction_count__gt=0),
                name="conversation_compacted",
            ),
            # The children of a conversation.
            models.Index(
                fields=["workspace", "source", "parent_external_id"],
                condition=~Q(parent_external_id=""),
                name="conversation_children",
            ),
            GinIndex(fields=["search"], name="conversation_search"),
            # The conversations of a model, which may be few.
            GinIndex(fields=["model_names"], name="conversation_models"),
            GinIndex(fields=["tags"], name="conversation_tags"),
            # What the auditor is to look at again.
            models.Index(
                fields=["audit_due_at"], condition=Q(audit_due_at__isnull=False), name="conversation_audit_due"
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.external_id

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("conversation", args=[self.workspace.slug, self.pk])

    def called(self, parent: "Conversation | None") -> str:
        """What a person calls it beside who delegated it: an id alone says nothing of a side call without a title."""
        return str(self) if self.title or parent is None else f"Delegated by {parent}"


class Message(models.Model):
    """One message, stored once however often a client sends it again.

    It leaves the context at most once: `dropped_by` is the compaction at which it did, and null while it is in it.
    What a compaction kept is therefore what stood before it and left later or not at all.
    """

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="messages", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="messages", **WITHIN_WORKSPACE)
    batch = models.ForeignKey("Batch", models.DO_NOTHING, null=True, related_name="+", **UNCHECKED)  # that brought it
    external_id = models.CharField(max_length=512)
    position = models.BigIntegerField()  # order within the conversation; see conversations/ingest/events.py
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    origin = models.CharField(max_length=20, choices=[(o.value, o.value) for o in Origin], default=Origin.SPOKEN)
    at = models.DateTimeField(null=True)  # the agent's clock
    blocks = VerbatimJSONField()  # list of the blocks of conversations/ingest/events.py
    size = models.PositiveIntegerField()  # characters of text in all blocks
    excerpt = models.TextField(blank=True)  # the first 600 characters of a message too large for a list, else empty
    content_hash = models.BinaryField(max_length=16)  # blake2b of the blocks: the same id with other content is told
    dropped_by = models.ForeignKey(
        "Compaction", models.DO_NOTHING, null=True, related_name="dropped_messages", **WITHIN_WORKSPACE
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "conversation", "external_id"], name="message_once"),
            models.CheckConstraint(condition=Q(role__in=list(Role)), name="message_role_known"),
            models.CheckConstraint(condition=Q(origin__in=list(Origin)), name="message_origin_known"),
        ]
        indexes = [
            # The messages of a conversation in order, page by page.
            models.Index(fields=["workspace", "conversation", "position", "id"], name="message_in_order"),
            # What a compaction dropped, in order.
            models.Index(
                fields=["workspace", "dropped_by", "position", "id"],
                condition=Q(dropped_by__isnull=False),
                name="message_dropped",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} message {self.external_id}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("message", args=[self.workspace.slug, self.pk])


class Request(models.Model):
    """One model call: a point of the token timeline. Token counts are null where the source does not know them."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="requests", **WITHIN_WORKSPACE)
    conversation = models.ForeignKey(Conversation, models.DO_NOTHING, related_name="requests", **WITHIN_WORKSPACE)
    batch = models.ForeignKey("Batch", models.DO_NOTHING, null=True, related_name="+", **UNCHECKED)  # of this version
    external_id = models.CharField(max_length=512)
    position = models.BigIntegerField()
    at = models.DateTimeField(null=True)
    model = models.CharField(max_length=200, blank=True)
    purpose = models.CharField(max_length=20, default="turn")  # or compaction: the call that wrote a summary
    input_tokens = models.PositiveBigIntegerField(null=True)  # without the cache's
    cache_read_tokens = models.PositiveBigIntegerField(null=True)
    cache_write_tokens = models.PositiveBigIntegerField(null=True)
    output_tokens = models.PositiveBigIntegerField(null=True)
    context_tokens = models.PositiveBigIntegerField(null=True)  # what the model read: input + cache read + cache write
    cache_write_1h_tokens = models.PositiveBigIntegerField(null=True)  # of what was written; null = not told
    stop_reason = models.CharField(max_length=60, blank=True)
    duration_ms = models.PositiveBigIntegerField(null=True)
    service_tier = models.CharField(max_length=TIER_CHARACTERS, blank=True)  # standard, batch …; empty = not told

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "conversation", "external_id"], name="request_once"),
        ]
        indexes = [
            # The token timeline of a conversation.
            models.Index(fields=["workspace", "conversation", "position", "id"], name="request_in_order"),
        ]

    def __str__(self) -> str:
        return f"request {self.external_id}"


MESSAGE_ORDER = (F("position").asc(), F("id").asc())
