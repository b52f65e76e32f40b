"""The ledger: rules and facts that must survive, what became of each at each compaction, and alert rules about one."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

OUTCOMES = ["kept", "altered", "forgotten", "unverifiable", "not_in_context"]
#: table, column, table it points to, what becomes of the row when that one is deleted.
LINKS = [
    ("ledgerentry", "compaction_id", "compaction", "SET NULL (compaction_id)"),
    ("ledgercheck", "entry_id", "ledgerentry", "CASCADE"),
    ("ledgercheck", "conversation_id", "conversation", "CASCADE"),
    ("ledgercheck", "compaction_id", "compaction", "CASCADE"),
]


def link(table, column, target, on_delete):
    name = f"{table}_{column.removesuffix('_id')}_within_workspace"
    return migrations.RunSQL(
        f"""ALTER TABLE conversations_{table} ADD CONSTRAINT {name}
            FOREIGN KEY (workspace_id, {column}) REFERENCES conversations_{target} (workspace_id, id)
            ON DELETE {on_delete}""",
        f"ALTER TABLE conversations_{table} DROP CONSTRAINT {name}",
    )


def within(target, related_name="+", *, null=False):
    return models.ForeignKey(
        db_constraint=False, db_index=False, null=null, on_delete=django.db.models.deletion.DO_NOTHING,
        related_name=related_name, to=f"conversations.{target}",
    )  # fmt: skip


def person():
    return models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
    )


def key():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [("conversations", "0022_redaction")]

    operations = [
        migrations.CreateModel(
            name="LedgerEntry",
            fields=[
                ("id", key()),
                ("name", models.CharField(max_length=120)),
                ("text", models.TextField()),
                ("kind", models.CharField(max_length=20)),
                ("anchors", models.JSONField(default=list)),
                ("agent_name", models.CharField(blank=True, max_length=200)),
                ("agent_version", models.CharField(blank=True, max_length=100)),
                ("compaction", within("compaction", null=True)),
                ("fact_id", models.CharField(blank=True, max_length=64)),
                ("created_by", person()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                ("retired_at", models.DateTimeField(null=True)),
                ("retired_by", person()),
                ("revision", models.PositiveIntegerField(default=1)),
                ("past_total", models.PositiveIntegerField(default=0)),
                ("past_done", models.PositiveIntegerField(default=0)),
                ("past_below", models.BigIntegerField(null=True)),
                ("past_finished_at", models.DateTimeField(null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="ledger",
                        to="conversations.workspace",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["workspace", "id"], name="ledger_entry_in_workspace"),
                    models.UniqueConstraint(fields=["workspace", "name"], name="ledger_entry_name_once"),
                    models.CheckConstraint(
                        condition=Q(agent_version="") | ~Q(agent_name=""), name="ledger_entry_of_an_agent"
                    ),
                ],
                "indexes": [
                    models.Index(fields=["id"], condition=Q(past_finished_at=None), name="ledger_entry_at_work"),
                ],
            },
        ),
        migrations.CreateModel(
            name="LedgerCheck",
            fields=[
                ("id", key()),
                ("at", models.DateTimeField()),
                ("outcome", models.CharField(choices=[(o, o) for o in OUTCOMES], max_length=20)),
                ("detail", models.CharField(blank=True, max_length=30)),
                ("passage", models.TextField(blank=True)),
                ("reason", models.TextField()),
                ("probability", models.FloatField()),
                ("detector", models.CharField(max_length=60)),
                ("version", models.CharField(max_length=40)),
                ("revision", models.PositiveIntegerField()),
                ("checked_at", models.DateTimeField(auto_now=True)),
                ("entry", within("ledgerentry", "checks")),
                ("conversation", within("conversation")),
                ("compaction", within("compaction", "ledger_checks")),
                ("workspace", within("workspace")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["workspace", "entry", "compaction"], name="ledger_check_once"),
                    models.CheckConstraint(condition=Q(outcome__in=OUTCOMES), name="ledger_outcome_known"),
                ],
                "indexes": [
                    models.Index(fields=["workspace", "compaction"], name="ledger_check_of_compaction"),
                    models.Index(fields=["workspace", "entry", "outcome", "-at", "-id"], name="ledger_check_by_outcome"),
                    models.Index(fields=["workspace", "entry", "conversation"], name="ledger_check_life_line"),
                ],
            },
        ),
        *[link(*parts) for parts in LINKS],
        migrations.AddField("rule", "ledger_entry", models.CharField(blank=True, max_length=120)),
    ]
