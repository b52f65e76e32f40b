"""What a team's verdicts taught the ranking of findings: one row for each change of it, the newest in force."""

from django.db import models
from django.db.models import Q

from conversations.models.workspace import Workspace
from conversations.vocabulary import RankingState


class RankingVersion(models.Model):
    """Adjustments of the shipped ranking, how they did on findings they had not seen, and how far they are applied."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="ranking_versions", db_index=False)
    number = models.PositiveIntegerField()  # 1, 2, … within the workspace
    state = models.CharField(max_length=20, choices=[(s.value, s.value) for s in RankingState])
    weights = models.JSONField(default=dict)  # by trait: {"kind value": -0.31}; empty: the shipped ranking as it is
    trial = models.JSONField(default=dict)  # see review.learning.Trial; empty where nothing was tried
    verdicts_key = models.CharField(max_length=100, blank=True)  # which verdicts it was learned from
    made_at = models.DateTimeField(auto_now_add=True)

    # findings that were stored before are put in the new order in the background, the newest compactions first
    total = models.PositiveIntegerField(default=0)  # compactions
    done = models.PositiveIntegerField(default=0)
    below = models.BigIntegerField(null=True)  # compactions from this id on are done
    applied_at = models.DateTimeField(null=True)  # null = at work
    claimed_until = models.DateTimeField(null=True)  # a worker is at it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "number"], name="ranking_version_once"),
            models.CheckConstraint(condition=Q(state__in=list(RankingState)), name="ranking_state_known"),
        ]
        indexes = [
            # What is still to be applied: few rows at any time.
            models.Index(fields=["id"], condition=Q(applied_at=None), name="ranking_version_at_work"),
        ]

    def __str__(self) -> str:
        return f"ranking version {self.number} of workspace {self.workspace_id}"
