"""Tags of conversations, what was spent under each, and budgets by tag."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from conversations.models.migrating import CreateModels

_CHARACTERS = 60
_SCOPES = ["conversation", "agent", "agent_version", "tag", "workspace"]
_SUMS = (
    "calls", "unknown_calls", "partial_calls", "input_tokens", "cache_read_tokens", "cache_write_tokens",
    "output_tokens", "compactions", "unpriced_compactions", "summary_input_tokens", "summary_read_tokens",
    "summary_write_tokens", "summary_output_tokens",
)  # fmt: skip

#: A budget's tag is one of the things by which an answer about budgets changes; see 0002.
_NOTE = """
    DROP TRIGGER note_spending_change ON conversations_budget;
    CREATE TRIGGER note_spending_change AFTER INSERT OR DELETE OR UPDATE OF name, scope, agent_name, agent_version,
        conversation_name, {}metric, "limit", period, rolling_hours, time_zone, warn_percents, action, message
        ON conversations_budget FOR EACH ROW EXECUTE FUNCTION conversations_note_spending_change();
"""

#: Rows are also made by statements that know nothing of tags.
_NO_TAGS = """
    ALTER TABLE conversations_conversation ALTER tags SET DEFAULT '{}', ALTER tags_taken_off SET DEFAULT '{}';
"""


def tags():
    name = models.CharField(max_length=_CHARACTERS)
    return django.contrib.postgres.fields.ArrayField(base_field=name, default=list, size=None)


def sums_of(name, related_name, column, field, constraint):
    """A table of sums by tag, model and time."""
    workspace = models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name=related_name,
        to="conversations.workspace",
    )  # fmt: skip
    return migrations.CreateModel(
        name=name,
        fields=[
            ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            *((each, models.BigIntegerField(default=0)) for each in _SUMS),
            ("tag", models.CharField(max_length=_CHARACTERS)),
            ("model", models.CharField(blank=True, max_length=200)),
            (column, field),
            ("workspace", workspace),
        ],
        options={
            "constraints": [models.UniqueConstraint(fields=["workspace", "tag", column, "model"], name=constraint)]
        },
    )


class Migration(migrations.Migration):
    dependencies = [("conversations", "0026_alert_metrics")]

    operations = [
        CreateModels(
            [
                sums_of("TagDay", "tag_days", "day", models.DateField(), "tag_day_once"),
                sums_of("TagSlot", "tag_slots", "start", models.DateTimeField(), "tag_slot_once"),
            ]
        ),
        migrations.AddField("conversation", "tags", tags()),
        migrations.AddField("conversation", "tags_taken_off", tags()),
        migrations.RunSQL(_NO_TAGS, migrations.RunSQL.noop),
        migrations.AddIndex(
            "conversation", django.contrib.postgres.indexes.GinIndex(fields=["tags"], name="conversation_tags")
        ),
        migrations.AddField(
            "budget",
            "tag_name",
            models.CharField(blank=True, default="", max_length=_CHARACTERS),
            preserve_default=False,
        ),
        migrations.AlterField("budget", "scope", models.CharField(choices=[(s, s) for s in _SCOPES], max_length=20)),
        migrations.RemoveConstraint("budget", "budget_scope_known"),
        migrations.AddConstraint(
            "budget", models.CheckConstraint(condition=Q(scope__in=_SCOPES), name="budget_scope_known")
        ),
        migrations.AddConstraint(
            "budget",
            models.CheckConstraint(condition=~Q(scope="tag") | ~Q(tag_name=""), name="budget_of_tag_names_it"),
        ),
        migrations.RunSQL(_NOTE.format("tag_name, "), _NOTE.format("")),
    ]
