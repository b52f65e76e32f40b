"""Figures of a rule's evaluations; rules that say nothing when it is over; Krippendorff's α and incidents by entry of the
ledger; overrides of budgets by tag."""

from django.db import migrations, models
from django.db.models import Q

_AGGREGATIONS = ["each", "count", "sum", "mean", "share", "p50", "p95", "max", "alpha"]
_GROUPS = ["agent", "version", "model", "conversation", "ledger_entry"]


def _known(name, column, values):
    listed = ", ".join(f"'{value}'" for value in values)
    return f"DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK ({column} IN ({listed}))"


def _constraints(aggregations, groups):
    return ", ".join([
        _known("rule_aggregation_known", "aggregation", aggregations), _known("rule_group_known", "group_by", groups)
    ])  # fmt: skip


#: The defaults stay in the store: rows are also made by statements that know nothing of these columns.
_FORWARDS = f"""
    ALTER TABLE conversations_rule ADD COLUMN tells_resolved boolean NOT NULL DEFAULT true,
        {_constraints(_AGGREGATIONS, ["", *_GROUPS])};
    ALTER TABLE conversations_rulerun ADD COLUMN value double precision, ADD COLUMN gap interval,
        ADD COLUMN worst varchar(300) NOT NULL DEFAULT '', ADD COLUMN places jsonb NOT NULL DEFAULT '[]';
    ALTER TABLE conversations_budgetoverride ADD COLUMN tag_name varchar(60) NOT NULL DEFAULT '';
"""
_BACKWARDS = f"""
    ALTER TABLE conversations_budgetoverride DROP COLUMN tag_name;
    ALTER TABLE conversations_rulerun DROP COLUMN value, DROP COLUMN gap, DROP COLUMN worst, DROP COLUMN places;
    ALTER TABLE conversations_rule DROP COLUMN tells_resolved, {_constraints(_AGGREGATIONS[:-1], ["", *_GROUPS[:-1]])};
"""


class ChangeColumns(migrations.RunSQL):
    """In one statement a table. As operations of Django each would render all models anew, 85 ms."""

    def state_forwards(self, app_label, state):
        state.__dict__.pop("apps", None)  # rendered once, when somebody asks
        super().state_forwards(app_label, state)


def _words(names, **options):
    return models.CharField(choices=[(name, name) for name in names], max_length=20, **options)


def _constrained(name, condition):
    return [
        migrations.RemoveConstraint("rule", name),
        migrations.AddConstraint("rule", models.CheckConstraint(condition=condition, name=name)),
    ]


_STATE = [
    migrations.AddField("rule", "tells_resolved", models.BooleanField(default=True)),
    migrations.AlterField("rule", "aggregation", _words(_AGGREGATIONS)),
    migrations.AlterField("rule", "group_by", _words(_GROUPS, blank=True)),
    *_constrained("rule_aggregation_known", Q(aggregation__in=_AGGREGATIONS)),
    *_constrained("rule_group_known", Q(group_by__in=["", *_GROUPS])),
    migrations.AddField("rulerun", "value", models.FloatField(null=True)),
    migrations.AddField("rulerun", "worst", models.CharField(blank=True, default="", max_length=300), False),
    migrations.AddField("rulerun", "places", models.JSONField(default=list)),
    migrations.AddField("rulerun", "gap", models.DurationField(null=True)),
    migrations.AddField("budgetoverride", "tag_name", models.CharField(blank=True, default="", max_length=60), False),
]


class Migration(migrations.Migration):
    dependencies = [("conversations", "0029_rule_runs")]

    operations = [ChangeColumns(_FORWARDS, _BACKWARDS, state_operations=_STATE)]
