"""What is known of the contexts of conversations that come as exchanges."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

LINK = """
ALTER TABLE conversations_contextpage ADD CONSTRAINT contextpage_contexts_within_workspace
FOREIGN KEY (workspace_id, contexts_id) REFERENCES conversations_knowncontexts (workspace_id, id) ON DELETE CASCADE
"""
UNLINK = "ALTER TABLE conversations_contextpage DROP CONSTRAINT contextpage_contexts_within_workspace"
KEY = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))


def pointer(to, on_delete=django.db.models.deletion.DO_NOTHING, *, checked=False, name="+"):
    return models.ForeignKey(
        db_constraint=checked, db_index=False, on_delete=on_delete, related_name=name, to=f"conversations.{to}"
    )


def found_by(name):
    condition = Q((f"{name}__isnull", False))
    index = models.Index(condition=condition, fields=["workspace", name], name=f"known_contexts_{name}")
    return migrations.AddIndex("knowncontexts", index)


class Migration(migrations.Migration):
    dependencies = [("conversations", "0007_spending")]

    operations = [
        migrations.CreateModel(
            name="KnownContexts",
            fields=[
                KEY,
                ("source", models.CharField(max_length=40)),
                ("external_id", models.CharField(max_length=512)),
                ("state", models.BinaryField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("opening", models.BigIntegerField(null=True)),
                ("ending", models.BigIntegerField(null=True)),
                ("latest", models.BigIntegerField(null=True)),
                ("workspace", pointer("workspace", django.db.models.deletion.CASCADE, checked=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("workspace", "source", "external_id"), name="known_contexts_once"),
                    models.UniqueConstraint(fields=("workspace", "id"), name="known_contexts_in_workspace"),
                ]
            },
        ),
        migrations.CreateModel(
            name="ContextPage",
            fields=[
                KEY,
                ("head", models.PositiveIntegerField()),
                ("part", models.CharField(max_length=10)),
                ("number", models.PositiveIntegerField()),
                ("body", models.BinaryField()),
                ("workspace", pointer("workspace")),
                ("contexts", pointer("knowncontexts", name="pages")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("workspace", "contexts", "head", "part", "number"), name="context_page_once"
                    )
                ]
            },
        ),
        found_by("opening"),
        found_by("ending"),
        found_by("latest"),
        migrations.RunSQL(LINK, UNLINK),
    ]
