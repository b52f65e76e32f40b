"""What conversations cost: sums by model and day, prices of models, budgets."""
import conversations.vocabulary
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


#: table, column, table it points to, what happens when that row goes; as in 0002.
LINKS = [
    ("conversationcount", "conversation_id", "conversation", "CASCADE"),
    ("conversationcount", "agent_id", "agent", "NO ACTION DEFERRABLE INITIALLY DEFERRED"),
    ("conversationday", "conversation_id", "conversation", "CASCADE"),
    ("agentday", "agent_id", "agent", "NO ACTION DEFERRABLE INITIALLY DEFERRED"),
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

    dependencies = [
        ('conversations', '0006_words_and_models'),
    ]

    operations = [
        migrations.CreateModel(
            name='AgentDay',
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
                ('day', models.DateField()),
                ('agent', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='days', to='conversations.agent')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='agent_days', to='conversations.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'agent', 'day', 'model'), name='agent_day_once', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('agent_name', models.CharField(blank=True, max_length=200)),
                ('scope', models.CharField(choices=[('conversation', 'conversation'), ('agent', 'agent'), ('workspace', 'workspace')], max_length=20)),
                ('metric', models.CharField(choices=[('total_tokens', 'total tokens'), ('input_tokens', 'input tokens'), ('output_tokens', 'output tokens'), ('compaction_tokens', 'compaction tokens'), ('compactions', 'compactions'), ('requests', 'requests'), ('cost', 'cost')], max_length=30)),
                ('limit', models.DecimalField(decimal_places=4, max_digits=18)),
                ('warn_percent', models.PositiveSmallIntegerField(default=80)),
                ('action', models.CharField(choices=[('tell', 'tell'), ('wrap_up', 'wrap up'), ('block', 'block')], max_length=20)),
                ('message', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='budgets', to='conversations.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='budget_name_once'), models.UniqueConstraint(fields=('workspace', 'id'), name='budget_in_workspace'), models.CheckConstraint(condition=models.Q(('scope__in', [conversations.vocabulary.BudgetScope['CONVERSATION'], conversations.vocabulary.BudgetScope['AGENT'], conversations.vocabulary.BudgetScope['WORKSPACE']])), name='budget_scope_known'), models.CheckConstraint(condition=models.Q(('metric__in', [conversations.vocabulary.BudgetMetric['TOTAL_TOKENS'], conversations.vocabulary.BudgetMetric['INPUT_TOKENS'], conversations.vocabulary.BudgetMetric['OUTPUT_TOKENS'], conversations.vocabulary.BudgetMetric['COMPACTION_TOKENS'], conversations.vocabulary.BudgetMetric['COMPACTIONS'], conversations.vocabulary.BudgetMetric['REQUESTS'], conversations.vocabulary.BudgetMetric['COST']])), name='budget_metric_known'), models.CheckConstraint(condition=models.Q(('action__in', [conversations.vocabulary.BudgetAction['TELL'], conversations.vocabulary.BudgetAction['WRAP_UP'], conversations.vocabulary.BudgetAction['BLOCK']])), name='budget_action_known'), models.CheckConstraint(condition=models.Q(('limit__gt', 0)), name='budget_limit_positive'), models.CheckConstraint(condition=models.Q(('warn_percent__range', (1, 100))), name='budget_warn_percent_in_range')],
            },
        ),
        migrations.CreateModel(
            name='ConversationCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('frontier', models.BigIntegerField()),
                ('standing', models.BigIntegerField(null=True)),
                ('open', models.BooleanField(default=False)),
                ('freed', models.BigIntegerField(default=0)),
                ('certain', models.BooleanField(default=True)),
                ('model', models.CharField(blank=True, max_length=200)),
                ('peak', models.BigIntegerField(null=True)),
                ('would_peak', models.BigIntegerField(null=True)),
                ('agent', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.agent')),
                ('conversation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.conversation')),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'conversation'), name='conversation_count_once')],
            },
        ),
        migrations.CreateModel(
            name='ConversationDay',
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
                ('day', models.DateField()),
                ('conversation', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='days', to='conversations.conversation')),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'conversation', 'model', 'day'), name='conversation_day_once')],
            },
        ),
        migrations.CreateModel(
            name='ModelPrice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('pattern', models.CharField(max_length=200)),
                ('since', models.DateField(blank=True, null=True)),
                ('input_usd', models.DecimalField(decimal_places=6, max_digits=12)),
                ('cache_read_usd', models.DecimalField(decimal_places=6, max_digits=12)),
                ('cache_write_usd', models.DecimalField(decimal_places=6, max_digits=12)),
                ('output_usd', models.DecimalField(decimal_places=6, max_digits=12)),
                ('window', models.PositiveBigIntegerField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='model_prices', to='conversations.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'pattern', 'since'), name='model_price_once', nulls_distinct=False)],
            },
        ),
        *(link(*parts) for parts in LINKS),
    ]
