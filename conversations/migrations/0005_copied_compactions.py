"""A compaction that was copied into another conversation points to the one where it happened."""

import django.db.models.deletion
from django.db import migrations, models

LINK = """
ALTER TABLE conversations_compaction ADD CONSTRAINT compaction_copy_of_within_workspace
FOREIGN KEY (workspace_id, copy_of_id) REFERENCES conversations_compaction (workspace_id, id)
ON DELETE SET NULL (copy_of_id)
"""
UNLINK = "ALTER TABLE conversations_compaction DROP CONSTRAINT compaction_copy_of_within_workspace"


class Migration(migrations.Migration):
    dependencies = [("conversations", "0004_language_model")]

    operations = [
        migrations.AddField(
            model_name="compaction",
            name="copy_of",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="copies",
                to="conversations.compaction",
            ),
        ),
        migrations.AddIndex(
            model_name="compaction",
            index=models.Index(
                condition=models.Q(("copy_of__isnull", False)),
                fields=["workspace", "copy_of"],
                name="compaction_copied",
            ),
        ),
        migrations.RunSQL(LINK, UNLINK),
    ]
