"""Whom a thread is assigned to, and whether its author changed a comment."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0023_ledger")]

    operations = [
        migrations.AddField(
            "thread",
            "assignee",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField("comment", "edited_at", models.DateTimeField(null=True)),
        migrations.AddField("comment", "revision", models.PositiveIntegerField(default=1)),
    ]
