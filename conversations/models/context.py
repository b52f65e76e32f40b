"""What is known of the contexts of conversations that come as exchanges: by it the next exchange is compared."""

from django.db import models
from django.db.models import Q

from conversations.models.workspace import WITHIN_WORKSPACE, Workspace


class KnownContexts(models.Model):
    """The contexts of one conversation as they stood after its last exchange; see conversations/ingest/contexts.

    Not tied to the conversation's row: exchanges are compared when they are accepted, the row is made when they are
    digested. Whoever compares holds this row's lock. It has hashes, ids and sizes, and no text."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+", db_index=False)
    source = models.CharField(max_length=40)  # as the conversation's
    external_id = models.CharField(max_length=512)
    state = models.BinaryField()
    updated_at = models.DateTimeField(auto_now=True)

    # by what a conversation without an id is known again: its beginning up to the first answer, its last answer, and
    # its last exchange; null where the source gives ids
    opening = models.BigIntegerField(null=True)
    ending = models.BigIntegerField(null=True)
    latest = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "source", "external_id"], name="known_contexts_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="known_contexts_in_workspace"),
        ]
        indexes = [
            models.Index(
                fields=["workspace", name], condition=Q(**{f"{name}__isnull": False}), name=f"known_contexts_{name}"
            )
            for name in ("opening", "ending", "latest")
        ]

    def __str__(self) -> str:
        return f"contexts of {self.external_id}"


class ContextPage(models.Model):
    """Some messages of one context. Pages, because a context that grows changes only its last one."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, **WITHIN_WORKSPACE, related_name="+")
    contexts = models.ForeignKey(KnownContexts, models.DO_NOTHING, **WITHIN_WORKSPACE, related_name="pages")
    head = models.PositiveIntegerField()  # which context, by its place in the state
    part = models.CharField(max_length=10)  # held: in the context; closed: before its last compaction
    number = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "contexts", "head", "part", "number"], name="context_page_once"
            ),
        ]

    def __str__(self) -> str:
        return f"page {self.number} of {self.part} {self.head}"
