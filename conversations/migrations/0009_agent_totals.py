"""What agents sent over all days, for budgets."""
import django.db.models.deletion
from django.db import migrations, models

LINK = """ALTER TABLE conversations_agenttotal ADD CONSTRAINT agenttotal_agent_within_workspace
    FOREIGN KEY (workspace_id, agent_id) REFERENCES conversations_agent (workspace_id, id)
    ON DELETE NO ACTION DEFERRABLE INITIALLY DEFERRED"""
UNLINK = "ALTER TABLE conversations_agenttotal DROP CONSTRAINT agenttotal_agent_within_workspace"


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0008_contexts'),
    ]

    operations = [
        migrations.CreateModel(
            name='AgentTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('calls', models.BigIntegerField(default=0)),
                ('unknown_calls', models.BigIntegerField(default=0)),
                ('partial_calls', models.BigIntegerField(default=0)),
                ('uncertain_calls', models.BigIntegerField(default=0)),
                ('input_tokens', models.BigIntegerField(default=0)),
                ('cache_read_tokens', models.BigIntegerField(default=0)),
                ('cache_write_tokens', models.BigIntegerField(default=0)),
                ('output_tokens', models.BigIntegerField(default=0)),
                ('freed_input_tokens', models.BigIntegerField(default=0)),
                ('freed_read_tokens', models.BigIntegerField(default=0)),
                ('freed_write_tokens', models.BigIntegerField(default=0)),
                ('compactions', models.BigIntegerField(default=0)),
                ('unpriced_compactions', models.BigIntegerField(default=0)),
                ('summary_input_tokens', models.BigIntegerField(default=0)),
                ('summary_read_tokens', models.BigIntegerField(default=0)),
                ('summary_write_tokens', models.BigIntegerField(default=0)),
                ('summary_output_tokens', models.BigIntegerField(default=0)),
                ('model', models.CharField(blank=True, max_length=200)),
                ('agent', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='totals', to='conversations.agent')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='agent_totals', to='conversations.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'agent', 'model'), name='agent_total_once', nulls_distinct=False)],
            },
        ),
        migrations.RunSQL(LINK, UNLINK),
    ]
