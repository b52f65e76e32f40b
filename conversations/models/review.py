"""What people think of compactions: queues of them, who is looking at which, and what each person found."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.urls import reverse

from conversations.models.account import User
from conversations.models.compaction import Compaction
from conversations.models.conversation import Message
from conversations.models.workspace import WITHIN_WORKSPACE, Workspace
from conversations.vocabulary import Answer, ItemState, Marked, Overall, Sampling


def default_rubric() -> list[dict[str, Any]]:
    """Criteria of a new queue: [{"key", "name", "help", "scale": [{"value": 1, "label"}, …]}, …], worst value first."""
    asked = [
        ("completeness", "Completeness", "Is everything there that the work still needs?"),
        ("faithfulness", "Faithfulness", "Does the summary say only what was said, as it was said?"),
        ("usefulness", "Usefulness for continuing", "Could you go on from the summary alone?"),
    ]
    labels = ["poor", "fair", "good", "excellent"]
    scale = [{"value": value, "label": label} for value, label in enumerate(labels, start=1)]
    return [{"key": key, "name": name, "help": text, "scale": scale} for key, name, text in asked]


class Queue(models.Model):
    """Compactions that a team wants judged, by how many people and by what rubric."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="queues", db_index=False)
    name = models.CharField(max_length=120)
    instructions = models.TextField(blank=True)  # Markdown
    rubric = models.JSONField(default=default_rubric)  # see `default_rubric`
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)  # then nothing flows in and nothing is handed out

    # what flows in
    filters = models.JSONField(default=dict)  # parameters of the compaction list: {"agent": "coder", …}
    sampling = models.CharField(max_length=20, choices=[(s.value, s.value) for s in Sampling], default=Sampling.ALL)
    sample_percent = models.PositiveSmallIntegerField(default=10)  # of `random`

    # who judges it, and how
    reviewers_per_item = models.PositiveSmallIntegerField(default=1)
    blind = models.BooleanField(default=False)  # the machine's findings are hidden until the person has judged
    reservation_minutes = models.PositiveIntegerField(default=30)
    due_on = models.DateField(null=True, blank=True)
    goal_per_week = models.PositiveIntegerField(null=True, blank=True)  # reviews handed in, of all people together

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="queue_name_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="queue_in_workspace"),
            models.CheckConstraint(condition=Q(sampling__in=list(Sampling)), name="queue_sampling_known"),
            models.CheckConstraint(condition=Q(sample_percent__range=(1, 100)), name="queue_percent_in_range"),
            models.CheckConstraint(condition=Q(reviewers_per_item__range=(1, 20)), name="queue_reviewers_in_range"),
            models.CheckConstraint(condition=Q(reservation_minutes__range=(1, 10_080)), name="queue_minutes_in_range"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("queue", args=[self.workspace.slug, self.pk])


class QueueItem(models.Model):
    """One compaction in one queue."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    queue = models.ForeignKey(Queue, models.DO_NOTHING, related_name="items", **WITHIN_WORKSPACE)
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, related_name="queue_items", **WITHIN_WORKSPACE)
    priority = models.FloatField(default=0)  # the highest is handed out first
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in ItemState], default=ItemState.WAITING)
    calibration = models.BooleanField(default=False)  # everybody gets it, however many reviewers are asked for
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "queue", "compaction"], name="queue_item_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="queue_item_in_workspace"),
            models.CheckConstraint(condition=Q(state__in=list(ItemState)), name="queue_item_state_known"),
        ]
        indexes = [
            # What is handed out next.
            models.Index(fields=["workspace", "queue", "state", "-priority", "id"], name="queue_item_next"),
            # The queues of a compaction.
            models.Index(fields=["workspace", "compaction"], name="queue_item_compaction"),
        ]

    def __str__(self) -> str:
        return f"item {self.pk} of queue {self.queue_id}"


class Reservation(models.Model):
    """Somebody is looking at an item: until it expires their place is kept."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    item = models.ForeignKey(QueueItem, models.DO_NOTHING, related_name="reservations", **WITHIN_WORKSPACE)
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "item", "user"], name="reservation_once"),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="reservation_expiry"),  # what the sweeper looks for
        ]

    def __str__(self) -> str:
        return f"item {self.item_id} for user {self.user_id} until {self.expires_at}"


class Review(models.Model):
    """What one person said of one compaction: a draft until it is handed in, a record from then on."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="reviews", **WITHIN_WORKSPACE)
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, related_name="reviews", **WITHIN_WORKSPACE)
    item = models.ForeignKey(  # null = judged outside of a queue
        QueueItem, models.DO_NOTHING, null=True, related_name="reviews", **WITHIN_WORKSPACE
    )
    reviewer = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")  # null: somebody deleted
    made_by = models.CharField(max_length=200, blank=True)  # who labelled it elsewhere; then nobody here did
    made_from = models.CharField(max_length=32, blank=True)  # digest of that line: the same again changes nothing
    overall = models.CharField(max_length=20, blank=True, choices=[(o.value, o.value) for o in Overall])
    criteria = models.JSONField(default=dict)  # value by key of the queue's rubric: {"completeness": 3}
    comment = models.TextField(blank=True)
    revision = models.PositiveIntegerField(default=0)  # rises by one with every change: who saves must name it
    started_at = models.DateTimeField(auto_now_add=True)
    saved_at = models.DateTimeField(auto_now=True)
    submitted_at = models.DateTimeField(null=True)  # null = a draft
    settles = models.BooleanField(default=False)  # the record of an item on which reviewers differed

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="review_in_workspace"),
            models.UniqueConstraint(fields=["workspace", "item", "reviewer", "settles"], name="review_once"),
            models.UniqueConstraint(
                fields=["workspace", "compaction", "reviewer"], condition=Q(item=None), name="review_outside_once"
            ),
            models.UniqueConstraint(
                fields=["workspace", "item"], condition=Q(settles=True), name="review_settles_once"
            ),
            models.UniqueConstraint(
                fields=["workspace", "compaction", "made_by"], condition=~Q(made_by=""), name="review_elsewhere_once"
            ),
            models.CheckConstraint(condition=Q(overall__in=["", *Overall]), name="review_overall_known"),
            models.CheckConstraint(condition=Q(settles=False) | Q(item__isnull=False), name="review_settles_an_item"),
        ]
        indexes = [
            # What people said of a compaction.
            models.Index(fields=["workspace", "compaction", "-submitted_at"], name="review_of_compaction"),
            # What was handed in since some day.
            models.Index(fields=["workspace", "submitted_at"], name="review_recent"),
        ]

    def __str__(self) -> str:
        return f"review {self.pk} of compaction {self.compaction_id}"


class Verdict(models.Model):
    """A person's word on one finding, with the finding as it was then: a later audit changes nothing here."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    review = models.ForeignKey(Review, models.DO_NOTHING, related_name="verdicts", **WITHIN_WORKSPACE)
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, related_name="verdicts", **WITHIN_WORKSPACE)
    fact_id = models.CharField(max_length=64)
    answer = models.CharField(max_length=20, choices=[(a.value, a.value) for a in Answer])
    reworded = models.TextField(blank=True)  # the fact in the person's words, with `reword`
    at = models.DateTimeField(auto_now=True)

    # the finding judged, as in `Finding`
    text = models.TextField()
    kind = models.CharField(max_length=30)
    outcome = models.CharField(max_length=20)
    number = models.PositiveIntegerField()  # its rank
    detector = models.CharField(max_length=60)
    auditor_version = models.CharField(max_length=40)
    probability = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "review", "fact_id"], name="verdict_once"),
            models.CheckConstraint(condition=Q(answer__in=list(Answer)), name="verdict_answer_known"),
        ]
        indexes = [
            # What people said of a compaction's findings.
            models.Index(fields=["workspace", "compaction", "fact_id"], name="verdict_of_compaction"),
        ]

    def __str__(self) -> str:
        return f"{self.answer}: {self.text}"


class Mark(models.Model):
    """A span that a person marked: a fact in a dropped message that the auditor missed, or an invented statement."""

    workspace = models.ForeignKey(Workspace, models.DO_NOTHING, related_name="+", **WITHIN_WORKSPACE)
    review = models.ForeignKey(Review, models.DO_NOTHING, related_name="marks", **WITHIN_WORKSPACE)
    compaction = models.ForeignKey(Compaction, models.DO_NOTHING, related_name="marks", **WITHIN_WORKSPACE)
    what = models.CharField(max_length=20, choices=[(m.value, m.value) for m in Marked])
    message = models.ForeignKey(Message, models.SET_NULL, null=True, related_name="+")  # null: a span of the summary
    block = models.PositiveIntegerField(default=0)
    start = models.PositiveIntegerField()  # characters into the block's, or the summary's, text
    end = models.PositiveIntegerField()
    quote = models.TextField()  # verbatim
    text = models.TextField(blank=True)  # the fact in the person's words
    kind = models.CharField(max_length=30, blank=True)  # of a missed fact
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(what__in=list(Marked)), name="mark_what_known"),
            models.CheckConstraint(condition=Q(end__gt=models.F("start")), name="mark_not_empty"),
        ]
        indexes = [
            models.Index(fields=["workspace", "review", "id"], name="mark_of_review"),
            models.Index(fields=["workspace", "compaction"], name="mark_of_compaction"),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.quote}"
