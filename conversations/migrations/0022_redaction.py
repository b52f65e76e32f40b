"""Redaction: when a workspace's texts are redacted, by which detectors and patterns, and runs over what is stored."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

STATES = ["running", "done", "failed"]
MODES = ["off", "ingest"]


def key():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def workspace(related_name):
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name=related_name,
        to="conversations.workspace",
    )  # fmt: skip


def person():
    return models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
    )


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_within_workspace")]

    operations = [
        migrations.AddField(
            model_name="workspace",
            name="redaction",
            field=models.CharField(choices=[(mode, mode) for mode in MODES], default="off", max_length=20),
        ),
        migrations.CreateModel(
            name="RedactionSettings",
            fields=[
                ("id", key()),
                (
                    "detectors",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=40), default=list, size=None
                    ),
                ),
                ("sealed_key", models.TextField()),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "workspace",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="redaction_settings",
                        to="conversations.workspace",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RedactionPattern",
            fields=[
                ("id", key()),
                ("name", models.CharField(max_length=40)),
                ("expression", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("created_by", person()),
                ("workspace", workspace("redaction_patterns")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("workspace", "name"), name="redaction_pattern_once")],
            },
        ),
        migrations.CreateModel(
            name="RedactionRun",
            fields=[
                ("id", key()),
                (
                    "state",
                    models.CharField(choices=[(state, state) for state in STATES], default="running", max_length=20),
                ),
                ("table", models.PositiveSmallIntegerField(default=0)),
                ("after", models.BigIntegerField(default=0)),
                ("total", models.PositiveBigIntegerField(default=0)),
                ("done", models.PositiveBigIntegerField(default=0)),
                ("changed", models.PositiveBigIntegerField(default=0)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
                ("requested_by", person()),
                ("workspace", workspace("redaction_runs")),
            ],
            options={
                "indexes": [models.Index(fields=["workspace", "-id"], name="redaction_run_recent")],
                "constraints": [
                    models.CheckConstraint(condition=Q(state__in=STATES), name="redaction_run_state_known"),
                    models.UniqueConstraint(
                        condition=Q(state="running"), fields=("workspace",), name="redaction_run_one_at_work"
                    ),
                ],
            },
        ),
    ]
