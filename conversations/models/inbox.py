"""What was sent: bytes as they came, until and after they became rows."""

from typing import Self

from django.db import models
from django.db.models import Q

from conversations.models.workspace import WITHIN_WORKSPACE, ApiKey, Workspace
from conversations.vocabulary import BatchState


class BatchQuerySet(models.QuerySet["Batch"]):
    """Vocabulary of batches."""

    def pending(self) -> Self:
        """Accepted and not yet digested."""
        return self.filter(state=BatchState.PENDING)


class Batch(models.Model):
    """What one POST or one imported file delivered."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="batches")
    api_key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, db_constraint=False, related_name="batches")
    format = models.CharField(max_length=40)  # events, claude_code, codex
    name = models.TextField(blank=True)  # of the file, where there was one
    state = models.CharField(
        max_length=20, choices=[(s.value, s.value) for s in BatchState], default=BatchState.PENDING
    )
    received_at = models.DateTimeField(auto_now_add=True)
    digested_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)  # counted when it is claimed, so that a crash counts too
    claimed_until = models.DateTimeField(null=True)  # a worker is at it; not before then is it anybody else's
    error = models.TextField(blank=True)  # why digesting failed

    # the bytes
    byte_count = models.PositiveBigIntegerField(
        default=0
    )  # as they came, uncompressed; what is stored begins at offset
    sha256 = models.BinaryField(max_length=32)  # of everything that came
    raw_deleted_at = models.DateTimeField(null=True)

    # a transcript that grew: only what is new is stored and digested
    source_key = models.CharField(max_length=600, blank=True)  # which file this is, by its content
    offset = models.PositiveBigIntegerField(default=0)  # bytes that an earlier batch of the same file holds
    continues = models.ForeignKey("self", models.SET_NULL, null=True, db_constraint=False, related_name="continued_by")
    checkpoint = models.JSONField(null=True)  # the parser's state after the last whole line
    digested_bytes = models.PositiveBigIntegerField(default=0)  # of the whole file, up to the last whole line
    digested_sha256 = models.BinaryField(max_length=32, null=True)  # of those bytes: a grown file begins with them

    # what was found
    accepted = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    found = models.JSONField(default=dict)  # {"conversations": [ids], "messages": n, "requests": n, "compactions": n}

    objects = BatchQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(BatchState)), name="batch_state_known"),
            models.UniqueConstraint(fields=["workspace", "id"], name="batch_in_workspace"),
        ]
        indexes = [
            # What is still to be digested, oldest first.
            models.Index(fields=["id"], condition=Q(state="pending"), name="batch_pending"),
            # What came in a time, for alert rules.
            models.Index(fields=["workspace", "received_at"], name="batch_received"),
            # The batches of a workspace, newest first.
            models.Index(fields=["workspace", "-id"], name="batch_recent"),
            # The same bytes again; the last batch of a file that grew.
            models.Index(fields=["workspace", "sha256"], name="batch_same_bytes"),
            models.Index(
                fields=["workspace", "source_key", "-id"], condition=~Q(source_key=""), name="batch_same_file"
            ),
        ]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class BatchChunk(models.Model):
    """A piece of a batch's bytes, zstd-compressed. Pieces, because a batch may be 1 GB and a Postgres value may not."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, **WITHIN_WORKSPACE, related_name="+")
    batch = models.ForeignKey(Batch, models.DO_NOTHING, **WITHIN_WORKSPACE, related_name="chunks")
    number = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "batch", "number"], name="batch_chunk_once"),
        ]

    def __str__(self) -> str:
        return f"chunk {self.number} of batch {self.batch_id}"


class BatchProblem(models.Model):
    """Something in a batch that could not be understood: where, why, and what to do."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, **WITHIN_WORKSPACE, related_name="+")
    batch = models.ForeignKey(Batch, models.DO_NOTHING, **WITHIN_WORKSPACE, related_name="problems")
    line = models.BigIntegerField(null=True)  # from 1 in a transcript; the event's index from 0 in a JSON batch
    code = models.CharField(max_length=60)
    field = models.CharField(max_length=200, blank=True)
    message = models.TextField()
    mend = models.TextField(blank=True)
    raw = models.TextField(blank=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "batch", "id"], name="batch_problem_in_order")]

    def __str__(self) -> str:
        return f"{self.code} at {self.line}"
