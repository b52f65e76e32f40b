"""What members want by e-mail, and who is looking at which compaction."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import Q

from conversations.models.migrating import CreateModels, within_workspace

KINDS = ["notices", "week"]
PERIODS = ["hourly", "daily", "weekly"]


def own_key():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


def to(target, **more):
    return models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to=target, **more)


class Migration(migrations.Migration):
    dependencies = [("conversations", "0031_display")]

    operations = [
        CreateModels(
            [
                migrations.CreateModel(
                    name="MailDigest",
                    fields=[
                        ("id", own_key()),
                        ("kind", models.CharField(choices=[(k, k) for k in KINDS], max_length=20)),
                        ("period", models.CharField(choices=[(p, p) for p in PERIODS], max_length=20)),
                        ("since", models.DateTimeField()),
                        ("due_at", models.DateTimeField()),
                        ("claimed_until", models.DateTimeField(null=True)),
                        ("attempts", models.PositiveIntegerField(default=0)),
                        ("failure", models.CharField(blank=True, max_length=300)),
                        ("sent_at", models.DateTimeField(null=True)),
                        ("user", to(settings.AUTH_USER_MODEL, related_name="mail_digests")),
                        ("workspace", to("conversations.workspace", related_name="mail_digests", db_index=False)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=["workspace", "user", "kind"], name="mail_digest_once"),
                            models.CheckConstraint(condition=Q(kind__in=KINDS), name="mail_digest_kind_known"),
                            models.CheckConstraint(condition=Q(period__in=PERIODS), name="mail_digest_period_known"),
                        ],
                        "indexes": [models.Index(fields=["due_at"], name="mail_digest_due")],
                    },
                ),
                migrations.CreateModel(
                    name="Looking",
                    fields=[
                        ("id", own_key()),
                        ("at", models.DateTimeField()),
                        (
                            "compaction",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="conversations.compaction",
                            ),
                        ),
                        ("user", to(settings.AUTH_USER_MODEL, related_name="+")),
                        ("workspace", to("conversations.workspace", related_name="+", db_index=False)),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=["workspace", "user"], name="looking_once"),
                        ],
                        "indexes": [models.Index(fields=["workspace", "compaction"], name="looking_at")],
                    },
                ),
            ]
        ),
        within_workspace("looking", "compaction_id", "compaction"),
        # Written every few seconds, worth nothing after a crash.
        migrations.RunSQL("ALTER TABLE conversations_looking SET UNLOGGED", migrations.RunSQL.noop),
    ]
