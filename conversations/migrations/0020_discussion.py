"""Threads of comments on compactions."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

#: table, column, table it points to; as in 0015.
LINKS = [("thread", "compaction_id", "compaction"), ("comment", "thread_id", "thread")]


def link(table, column, target):
    name = f"{table}_{column.removesuffix('_id')}_within_workspace"
    return migrations.RunSQL(
        f"""ALTER TABLE conversations_{table} ADD CONSTRAINT {name}
            FOREIGN KEY (workspace_id, {column}) REFERENCES conversations_{target} (workspace_id, id)
            ON DELETE CASCADE""",
        f"ALTER TABLE conversations_{table} DROP CONSTRAINT {name}",
    )


def within(target, related_name="+"):
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING,
        related_name=related_name, to=f"conversations.{target}",
    )  # fmt: skip


def person():
    return models.ForeignKey(
        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
    )


def key():
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [("conversations", "0019_budget_windows")]

    operations = [
        migrations.CreateModel(
            name="Thread",
            fields=[
                ("id", key()),
                ("fact_id", models.CharField(blank=True, max_length=64)),
                ("about", models.TextField(blank=True)),
                ("opened_at", models.DateTimeField(auto_now_add=True)),
                ("resolved_at", models.DateTimeField(null=True)),
                ("compaction", within("compaction", "threads")),
                ("resolved_by", person()),
                ("workspace", within("workspace")),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=["workspace", "id"], name="thread_in_workspace")],
                "indexes": [models.Index(fields=["workspace", "compaction", "id"], name="thread_of_compaction")],
            },
        ),
        migrations.CreateModel(
            name="Comment",
            fields=[
                ("id", key()),
                ("author_name", models.CharField(max_length=254)),
                ("text", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("deleted_at", models.DateTimeField(null=True)),
                ("author", person()),
                ("thread", within("thread", "comments")),
                ("workspace", within("workspace")),
            ],
            options={"indexes": [models.Index(fields=["workspace", "thread", "id"], name="comment_of_thread")]},
        ),
        *[link(*parts) for parts in LINKS],
    ]
