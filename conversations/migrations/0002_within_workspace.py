"""Foreign keys that include the workspace: no row can point into another one, and Postgres does the cascading."""

from django.db import migrations

#: table, column, table it points to, what happens when that row goes
LINKS = [
    ("message", "conversation_id", "conversation", "CASCADE"),
    ("request", "conversation_id", "conversation", "CASCADE"),
    ("compaction", "conversation_id", "conversation", "CASCADE"),
    ("message", "dropped_by_id", "compaction", "SET NULL (dropped_by_id)"),
    ("conversation", "agent_id", "agent", "NO ACTION DEFERRABLE INITIALLY DEFERRED"),
    ("batch", "api_key_id", "apikey", "SET NULL (api_key_id)"),
    ("batch", "continues_id", "batch", "SET NULL (continues_id)"),
    ("batchchunk", "batch_id", "batch", "CASCADE"),
    ("batchproblem", "batch_id", "batch", "CASCADE"),
    ("compactionaudit", "compaction_id", "compaction", "CASCADE"),
    ("finding", "conversation_id", "conversation", "CASCADE"),
    ("finding", "compaction_id", "compaction", "CASCADE"),
    ("addition", "compaction_id", "compaction", "CASCADE"),
    ("lifeline", "conversation_id", "conversation", "CASCADE"),
]


def link(table, column, target, on_delete):
    name = f"{table}_{column.removesuffix('_id')}_within_workspace"
    return migrations.RunSQL(
        f"""ALTER TABLE conversations_{table} ADD CONSTRAINT {name}
            FOREIGN KEY (workspace_id, {column}) REFERENCES conversations_{target} (workspace_id, id)
            ON DELETE {on_delete}""",
        f"ALTER TABLE conversations_{table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [link(*parts) for parts in LINKS]
