"""The language model's part: calls and what they cost, answers, what is believed of them, and how far it came."""

import conversations.vocabulary
import django.db.models.deletion
from django.db import migrations, models


#: table, what happens when its compaction goes; as in 0002. Calls stay: what a day has cost is counted from them.
LINKS = [("llmcall", "SET NULL (compaction_id)"), ("llmreading", "CASCADE")]


def link(table, on_delete):
    name = f"{table}_compaction_within_workspace"
    return migrations.RunSQL(
        f"""ALTER TABLE conversations_{table} ADD CONSTRAINT {name}
            FOREIGN KEY (workspace_id, compaction_id) REFERENCES conversations_compaction (workspace_id, id)
            ON DELETE {on_delete}""",
        f"ALTER TABLE conversations_{table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0003_message_storage'),
    ]

    operations = [
        migrations.CreateModel(
            name='LlmAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=64)),
                ('answer', models.TextField()),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='LlmCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(max_length=20)),
                ('model', models.CharField(max_length=120)),
                ('outcome', models.CharField(max_length=20)),
                ('error', models.TextField(blank=True)),
                ('attempt', models.PositiveIntegerField(default=1)),
                ('input_tokens', models.PositiveIntegerField(default=0)),
                ('output_tokens', models.PositiveIntegerField(default=0)),
                ('cache_write_tokens', models.PositiveIntegerField(default=0)),
                ('cache_read_tokens', models.PositiveIntegerField(default=0)),
                ('cost_usd', models.DecimalField(decimal_places=6, max_digits=12)),
                ('duration_ms', models.PositiveIntegerField()),
                ('request_id', models.CharField(blank=True, max_length=120)),
                ('at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='LlmReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('input_key', models.CharField(max_length=120)),
                ('reading', models.JSONField()),
                ('at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.AddField(
            model_name='compactionaudit',
            name='llm_attempts',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='compactionaudit',
            name='llm_cost_usd',
            field=models.DecimalField(decimal_places=6, default=0, max_digits=12),
        ),
        migrations.AddField(
            model_name='compactionaudit',
            name='llm_due_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='compactionaudit',
            name='llm_key',
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name='compactionaudit',
            name='llm_reason',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='compactionaudit',
            name='llm_state',
            field=models.CharField(choices=[('off', 'off'), ('waiting', 'waiting'), ('done', 'done'), ('partial', 'partial'), ('over_compaction_budget', 'over_compaction_budget'), ('over_day_budget', 'over_day_budget'), ('failed', 'failed')], default=conversations.vocabulary.LlmState['OFF'], max_length=30),
        ),
        migrations.AddIndex(
            model_name='compactionaudit',
            index=models.Index(condition=models.Q(('llm_due_at__isnull', False)), fields=['llm_due_at'], name='audit_llm_due'),
        ),
        migrations.AddConstraint(
            model_name='compactionaudit',
            constraint=models.CheckConstraint(condition=models.Q(('llm_state__in', [conversations.vocabulary.LlmState['OFF'], conversations.vocabulary.LlmState['WAITING'], conversations.vocabulary.LlmState['DONE'], conversations.vocabulary.LlmState['PARTIAL'], conversations.vocabulary.LlmState['OVER_COMPACTION_BUDGET'], conversations.vocabulary.LlmState['OVER_DAY_BUDGET'], conversations.vocabulary.LlmState['FAILED']])), name='audit_llm_state_known'),
        ),
        migrations.AddField(
            model_name='llmanswer',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='llm_answers', to='conversations.workspace'),
        ),
        migrations.AddField(
            model_name='llmcall',
            name='compaction',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='llm_calls', to='conversations.compaction'),
        ),
        migrations.AddField(
            model_name='llmcall',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='llm_calls', to='conversations.workspace'),
        ),
        migrations.AddField(
            model_name='llmreading',
            name='compaction',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='llm_reading', to='conversations.compaction'),
        ),
        migrations.AddField(
            model_name='llmreading',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='llm_readings', to='conversations.workspace'),
        ),
        migrations.AddConstraint(
            model_name='llmanswer',
            constraint=models.UniqueConstraint(fields=('workspace', 'key'), name='llm_answer_once'),
        ),
        migrations.AddIndex(
            model_name='llmcall',
            index=models.Index(fields=['workspace', 'at'], include=('cost_usd',), name='llm_call_day'),
        ),
        migrations.AddIndex(
            model_name='llmcall',
            index=models.Index(fields=['workspace', 'compaction'], name='llm_call_compaction'),
        ),
        *(link(*parts) for parts in LINKS),
    ]
