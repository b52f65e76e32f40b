"""What was said at a boundary, kept for the next audit of the same compaction."""

import django.db.models.deletion
from django.db import migrations, models

from conversations.models.migrating import within_workspace


class Migration(migrations.Migration):
    dependencies = [("conversations", "0032_mail_and_looking")]

    operations = [
        migrations.CreateModel(
            name="BoundaryWork",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.BinaryField(max_length=16)),
                ("version", models.CharField(max_length=40)),
                ("body", models.BinaryField()),
                ("at", models.DateTimeField()),
                (
                    "compaction",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conversations.compaction",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="conversations.workspace",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["at"], name="boundary_work_idle")]},
        ),
        within_workspace("boundarywork", "compaction_id", "compaction"),
    ]
