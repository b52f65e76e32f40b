"""What a team's verdicts taught the ranking, and whether the team wants that."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

STATES = ["used", "no_better", "too_few", "off"]


class Migration(migrations.Migration):
    dependencies = [("conversations", "0024_talk")]

    operations = [
        migrations.CreateModel(
            name="RankingVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("state", models.CharField(choices=[(state, state) for state in STATES], max_length=20)),
                ("weights", models.JSONField(default=dict)),
                ("trial", models.JSONField(default=dict)),
                ("verdicts_key", models.CharField(blank=True, max_length=100)),
                ("made_at", models.DateTimeField(auto_now_add=True)),
                ("total", models.PositiveIntegerField(default=0)),
                ("done", models.PositiveIntegerField(default=0)),
                ("below", models.BigIntegerField(null=True)),
                ("applied_at", models.DateTimeField(null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="ranking_versions",
                        to="conversations.workspace",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["workspace", "number"], name="ranking_version_once"),
                    models.CheckConstraint(condition=Q(state__in=STATES), name="ranking_state_known"),
                ],
                "indexes": [
                    models.Index(condition=Q(applied_at=None), fields=["id"], name="ranking_version_at_work"),
                ],
            },
        ),
        migrations.AddField("workspace", "learns_ranking", models.BooleanField(default=True)),
    ]
