"""What people say to each other about a compaction: threads of comments."""

from django.db import models

from conversations.models.account import User
from conversations.models.compaction import Compaction
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace


class Thread(models.Model):
    """Comments on a compaction, or on one of its facts; open until somebody resolves it."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, related_name="threads", **WITHIN_WORKSPACE)
    fact_id = models.CharField(max_length=64, blank=True)  # empty: on the whole compaction
    about = models.TextField(blank=True)  # the fact as it was then: a later audit may find it no more
    opened_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True)  # null = open
    resolved_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    assignee = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")  # who is to see to it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "id"], name="thread_in_workspace")]
        indexes = [models.Index(fields=["workspace", "compaction", "id"], name="thread_of_compaction")]

    def __str__(self) -> str:
        return f"thread {self.pk} on compaction {self.compaction_id}"


class Comment(models.Model):
    """What one person said in a thread."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    thread = models.ForeignKey(Thread, models.DO_NOTHING, related_name="comments", **WITHIN_WORKSPACE)
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")  # null: somebody deleted
    author_name = models.CharField(max_length=254)  # as it was then, which stays when they go
    text = models.TextField()  # Markdown; empty once removed
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True)  # by its author
    revision = models.PositiveIntegerField(default=1)  # which words somebody saw who changes them
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["workspace", "thread", "id"], name="comment_of_thread")]

    def __str__(self) -> str:
        return f"comment {self.pk} in thread {self.thread_id}"
