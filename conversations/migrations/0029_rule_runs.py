"""What every evaluation of a rule came to, also where it did not fire."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from conversations.models.migrating import within_workspace

STATES = ["firing", "ok", "no_data", "failed"]


def within(target, related_name="+"):
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING,
        related_name=related_name, to=f"conversations.{target}",
    )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("conversations", "0028_price_terms")]

    operations = [
        migrations.CreateModel(
            name="RuleRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField()),
                ("evaluations", models.PositiveIntegerField()),
                ("state", models.CharField(choices=[(s, s) for s in STATES], max_length=20)),
                ("matched", models.PositiveIntegerField()),
                ("groups", models.PositiveIntegerField()),
                ("told", models.PositiveIntegerField()),
                ("slowest", models.DurationField()),
                ("problem", models.CharField(blank=True, max_length=500)),
                ("rule", within("rule", "runs")),
                ("workspace", within("workspace")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["workspace", "rule", "since"], name="rule_run_once"),
                    models.CheckConstraint(condition=Q(state__in=STATES), name="rule_run_state_known"),
                ],
                "indexes": [models.Index(fields=["until"], name="rule_run_until")],
            },
        ),
        within_workspace("rulerun", "rule_id", "rule"),
    ]
