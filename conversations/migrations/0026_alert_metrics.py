"""Budgets remind people as rules do; a rule says how often in a row a figure must be well before its incident ends."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("conversations", "0025_learning")]

    operations = [
        migrations.AddField("budget", "remind_minutes", models.PositiveIntegerField(blank=True, null=True)),
        migrations.AddField("rule", "clear_in_a_row", models.PositiveSmallIntegerField(default=1)),
        migrations.AddConstraint(
            "rule",
            models.CheckConstraint(condition=Q(clear_in_a_row__range=(1, 100)), name="rule_clear_in_a_row_in_range"),
        ),
    ]
