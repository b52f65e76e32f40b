"""What people did, and what they are told."""

from django.db import models

from conversations.models.account import User
from conversations.models.workspace import WITHIN_WORKSPACE, ApiKey, Workspace


class Activity(models.Model):
    """One thing that somebody did in a workspace: who, when, what, to what. Never changed."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="activities", db_index=False)
    at = models.DateTimeField(auto_now_add=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")  # null: a program, or somebody deleted
    api_key = models.ForeignKey(ApiKey, models.DO_NOTHING, null=True, related_name="+", **WITHIN_WORKSPACE)
    actor = models.CharField(max_length=200)  # their name at that time, which stays when they go
    action = models.CharField(max_length=60)  # what.done, e.g. "budget.changed"
    target_kind = models.CharField(max_length=60, blank=True)  # e.g. "budget"
    target_id = models.CharField(max_length=64, blank=True)
    target = models.CharField(max_length=300, blank=True)  # its name at that time
    detail = models.JSONField(
        default=dict
    )  # what changed: {"limit": [1000, 2000]}; never secrets, never texts of messages
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [
            # The list, newest first.
            models.Index(fields=["workspace", "-at", "-id"], name="activity_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.action} {self.target}"


class Notice(models.Model):
    """Something one person is told in the app."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="notices", db_index=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="notices")
    at = models.DateTimeField(auto_now_add=True)
    kind = models.CharField(max_length=40)  # mention, assignment, incident, …
    text = models.CharField(max_length=500)  # one sentence
    url = models.CharField(max_length=500)  # path within the site that shows it
    key = models.CharField(max_length=200)  # the same thing is told to one person once
    read_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user", "key"], name="notice_once"),
        ]
        indexes = [
            # Somebody's list, newest first.
            models.Index(fields=["workspace", "user", "-id"], name="notice_recent"),
            # How many are unread, on every page.
            models.Index(fields=["workspace", "user"], condition=models.Q(read_at=None), name="notice_unread"),
        ]

    def __str__(self) -> str:
        return self.text
