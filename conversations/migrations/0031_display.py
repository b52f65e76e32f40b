"""Redaction at display: what placeholders stand for. And the OpenID provider, set on a page."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

from conversations.models.migrating import CreateModels, within_workspace

ROLES = ["owner", "admin", "reviewer", "viewer"]
MODES = ["off", "ingest", "display"]


def key():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


HIDDEN_SECRET = migrations.CreateModel(
    name="HiddenSecret",
    fields=[
        ("id", key()),
        ("placeholder", models.CharField(max_length=60)),
        ("sealed", models.TextField()),
        ("created_at", models.DateTimeField(auto_now_add=True)),
        (
            "conversation",
            models.ForeignKey(
                db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+", to="conversations.conversation",
            ),
        ),
        (
            "workspace",
            models.ForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+",
                to="conversations.workspace",
            ),
        ),
    ],
    options={
        "constraints": [
            models.UniqueConstraint(
                fields=["workspace", "placeholder", "conversation"], name="hidden_secret_once", nulls_distinct=False
            ),
        ],
        "indexes": [models.Index(fields=["workspace", "conversation"], name="hidden_secret_of")],
    },
)  # fmt: skip
SIGN_IN_PROVIDER = migrations.CreateModel(
    name="SignInProvider",
    fields=[
        ("id", key()),
        ("issuer", models.CharField(max_length=500)),
        ("name", models.CharField(max_length=60)),
        ("client_id", models.CharField(max_length=300)),
        ("sealed_secret", models.TextField()),
        (
            "domains",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=253), default=list, size=None
            ),
        ),
        ("auto_create", models.BooleanField(default=False)),
        (
            "default_role",
            models.CharField(choices=[(role, role) for role in ROLES], default="viewer", max_length=20),
        ),
        ("changed_at", models.DateTimeField(auto_now=True)),
        (
            "workspace",
            models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="sign_in_provider",
                to="conversations.workspace",
            ),
        ),
    ],
    options={
        "constraints": [
            models.CheckConstraint(
                condition=Q(default_role__in=["admin", "reviewer", "viewer"]), name="sign_in_provider_role_known"
            ),
        ],
    },
)  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("conversations", "0030_rule_figures")]

    operations = [
        migrations.AlterField(
            "workspace",
            "redaction",
            models.CharField(choices=[(mode, mode) for mode in MODES], default="off", max_length=20),
        ),
        CreateModels([HIDDEN_SECRET, SIGN_IN_PROVIDER]),
        within_workspace("hiddensecret", "conversation_id", "conversation"),
    ]
