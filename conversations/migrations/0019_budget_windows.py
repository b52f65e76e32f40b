"""Budgets by time, and what happened to them: sums of quarters of an hour, overrides, channels, versions, events."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import conversations.models.budget
import conversations.vocabulary

#: table, column, table it points to, what happens when that row goes
LINKS = [
    ("conversationslot", "conversation_id", "conversation", "CASCADE"),
    ("agentslot", "agent_id", "agent", "NO ACTION DEFERRABLE INITIALLY DEFERRED"),
    ("budgetchannel", "budget_id", "budget", "CASCADE"),
    ("budgetchannel", "channel_id", "channel", "CASCADE"),
    ("budgetoverride", "budget_id", "budget", "CASCADE"),
    ("budgetevent", "budget_id", "budget", "SET NULL (budget_id)"),
]


def link(table, column, target, on_delete):
    name = f"{table}_{column.removesuffix('_id')}_within_workspace"
    return migrations.RunSQL(
        f"""ALTER TABLE conversations_{table} ADD CONSTRAINT {name}
            FOREIGN KEY (workspace_id, {column}) REFERENCES conversations_{target} (workspace_id, id)
            ON DELETE {on_delete}""",
        f"ALTER TABLE conversations_{table} DROP CONSTRAINT {name}",
    )

#: In Postgres, so that nobody who changes what people have set can forget to say so. Times at which a budget was looked
#: at are none of it. A row that goes with its workspace finds no version to make: it only changes one.
NOTE = """
    CREATE FUNCTION conversations_note_spending_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            UPDATE conversations_spendingversion SET changed = changed + 1 WHERE workspace_id = OLD.workspace_id;
        ELSE
            INSERT INTO conversations_spendingversion AS v (workspace_id, counted, changed)
                VALUES (NEW.workspace_id, 0, 1)
                ON CONFLICT (workspace_id) DO UPDATE SET changed = v.changed + 1;
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_spending_change AFTER INSERT OR DELETE OR UPDATE OF name, scope, agent_name, agent_version,
        conversation_name, metric, "limit", period, rolling_hours, time_zone, warn_percents, action, message
        ON conversations_budget FOR EACH ROW EXECUTE FUNCTION conversations_note_spending_change();
    CREATE TRIGGER note_spending_change AFTER INSERT OR UPDATE OR DELETE
        ON conversations_budgetoverride FOR EACH ROW EXECUTE FUNCTION conversations_note_spending_change();
    CREATE TRIGGER note_spending_change AFTER INSERT OR UPDATE OR DELETE
        ON conversations_modelprice FOR EACH ROW EXECUTE FUNCTION conversations_note_spending_change();
"""
NOTE_NO_MORE = """
    DROP TRIGGER note_spending_change ON conversations_budget;
    DROP TRIGGER note_spending_change ON conversations_budgetoverride;
    DROP TRIGGER note_spending_change ON conversations_modelprice;
    DROP FUNCTION conversations_note_spending_change();
"""


class Migration(migrations.Migration):
    dependencies = [("conversations", "0018_incidents")]

    operations = [
        migrations.CreateModel(
            name='AgentSlot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('calls', models.BigIntegerField(default=0)),
                ('unknown_calls', models.BigIntegerField(default=0)),
                ('partial_calls', models.BigIntegerField(default=0)),
                ('input_tokens', models.BigIntegerField(default=0)),
                ('cache_read_tokens', models.BigIntegerField(default=0)),
                ('cache_write_tokens', models.BigIntegerField(default=0)),
                ('output_tokens', models.BigIntegerField(default=0)),
                ('compactions', models.BigIntegerField(default=0)),
                ('unpriced_compactions', models.BigIntegerField(default=0)),
                ('summary_input_tokens', models.BigIntegerField(default=0)),
                ('summary_read_tokens', models.BigIntegerField(default=0)),
                ('summary_write_tokens', models.BigIntegerField(default=0)),
                ('summary_output_tokens', models.BigIntegerField(default=0)),
                ('model', models.CharField(blank=True, max_length=200)),
                ('start', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='BudgetChannel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.CreateModel(
            name='BudgetEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('budget_name', models.CharField(blank=True, max_length=120)),
                ('kind', models.CharField(choices=[('warned', 'warned'), ('reached', 'reached'), ('wrap_up_injected', 'wrap up injected'), ('blocked', 'blocked')], max_length=20)),
                ('agent_name', models.CharField(blank=True, max_length=200)),
                ('agent_version', models.CharField(blank=True, max_length=100)),
                ('conversation_name', models.CharField(blank=True, max_length=512)),
                ('at', models.DateTimeField()),
                ('noted_at', models.DateTimeField(auto_now_add=True)),
                ('used', models.DecimalField(decimal_places=4, max_digits=24, null=True)),
                ('limit', models.DecimalField(decimal_places=4, max_digits=24, null=True)),
                ('percent', models.PositiveSmallIntegerField(null=True)),
                ('window_start', models.DateTimeField(null=True)),
                ('message', models.TextField(blank=True)),
                ('external_id', models.CharField(max_length=512, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='BudgetOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('agent_name', models.CharField(blank=True, max_length=200)),
                ('conversation_name', models.CharField(blank=True, max_length=512)),
                ('limit', models.DecimalField(decimal_places=4, max_digits=18)),
                ('expires_at', models.DateTimeField()),
                ('reason', models.CharField(max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='ConversationSlot',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('calls', models.BigIntegerField(default=0)),
                ('unknown_calls', models.BigIntegerField(default=0)),
                ('partial_calls', models.BigIntegerField(default=0)),
                ('input_tokens', models.BigIntegerField(default=0)),
                ('cache_read_tokens', models.BigIntegerField(default=0)),
                ('cache_write_tokens', models.BigIntegerField(default=0)),
                ('output_tokens', models.BigIntegerField(default=0)),
                ('compactions', models.BigIntegerField(default=0)),
                ('unpriced_compactions', models.BigIntegerField(default=0)),
                ('summary_input_tokens', models.BigIntegerField(default=0)),
                ('summary_read_tokens', models.BigIntegerField(default=0)),
                ('summary_write_tokens', models.BigIntegerField(default=0)),
                ('summary_output_tokens', models.BigIntegerField(default=0)),
                ('model', models.CharField(blank=True, max_length=200)),
                ('start', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='SpendingVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('counted', models.BigIntegerField(default=0)),
                ('changed', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='budget',
            name='budget_scope_known',
        ),
        migrations.AddField(
            model_name='budget',
            name='agent_version',
            field=models.CharField(blank=True, max_length=100),
        ),
        migrations.AddField(
            model_name='budget',
            name='conversation_name',
            field=models.CharField(blank=True, max_length=512),
        ),
        migrations.AddField(
            model_name='budget',
            name='period',
            field=models.CharField(choices=[('life', 'life'), ('hour', 'hour'), ('day', 'day'), ('week', 'week'), ('month', 'month'), ('rolling', 'rolling')], default=conversations.vocabulary.BudgetPeriod['LIFE'], max_length=20),
        ),
        migrations.AddField(
            model_name='budget',
            name='rolling_hours',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='budget',
            name='time_zone',
            field=models.CharField(default='UTC', max_length=60),
        ),
        migrations.AddField(
            model_name='budget',
            name='warn_percents',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)]), default=conversations.models.budget.default_warnings, size=None),
        ),
        migrations.RunSQL(
            "UPDATE conversations_budget SET warn_percents = ARRAY[warn_percent]",
            "UPDATE conversations_budget SET warn_percent = warn_percents[1]",
        ),
        migrations.RemoveConstraint(
            model_name='budget',
            name='budget_warn_percent_in_range',
        ),
        migrations.RemoveField(
            model_name='budget',
            name='warn_percent',
        ),
        migrations.AddField(
            model_name='budget',
            name='watched_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name='budget',
            name='scope',
            field=models.CharField(choices=[('conversation', 'conversation'), ('agent', 'agent'), ('agent_version', 'agent_version'), ('workspace', 'workspace')], max_length=20),
        ),
        migrations.AddIndex(
            model_name='agentday',
            index=models.Index(fields=['workspace', 'day'], name='agent_day_by_day'),
        ),
        migrations.AddField(
            model_name='agentslot',
            name='agent',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='slots', to='conversations.agent'),
        ),
        migrations.AddField(
            model_name='agentslot',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='agent_slots', to='conversations.workspace'),
        ),
        migrations.AddField(
            model_name='budgetchannel',
            name='budget',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.budget'),
        ),
        migrations.AddField(
            model_name='budgetchannel',
            name='channel',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.channel'),
        ),
        migrations.AddField(
            model_name='budgetchannel',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace'),
        ),
        migrations.AddField(
            model_name='budget',
            name='channels',
            field=models.ManyToManyField(related_name='budgets', through='conversations.BudgetChannel', to='conversations.channel'),
        ),
        migrations.AddConstraint(
            model_name='budget',
            constraint=models.CheckConstraint(condition=models.Q(('scope__in', [conversations.vocabulary.BudgetScope['CONVERSATION'], conversations.vocabulary.BudgetScope['AGENT'], conversations.vocabulary.BudgetScope['AGENT_VERSION'], conversations.vocabulary.BudgetScope['WORKSPACE']])), name='budget_scope_known'),
        ),
        migrations.AddConstraint(
            model_name='budget',
            constraint=models.CheckConstraint(condition=models.Q(('period__in', [conversations.vocabulary.BudgetPeriod['LIFE'], conversations.vocabulary.BudgetPeriod['HOUR'], conversations.vocabulary.BudgetPeriod['DAY'], conversations.vocabulary.BudgetPeriod['WEEK'], conversations.vocabulary.BudgetPeriod['MONTH'], conversations.vocabulary.BudgetPeriod['ROLLING']])), name='budget_period_known'),
        ),
        migrations.AddConstraint(
            model_name='budget',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('period', conversations.vocabulary.BudgetPeriod['ROLLING']), ('rolling_hours__gt', 0)), models.Q(models.Q(('period', conversations.vocabulary.BudgetPeriod['ROLLING']), _negated=True), ('rolling_hours', None)), _connector='OR'), name='budget_rolling_hours_fit'),
        ),
        migrations.AddField(
            model_name='budgetevent',
            name='budget',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='conversations.budget'),
        ),
        migrations.AddField(
            model_name='budgetevent',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace'),
        ),
        migrations.AddField(
            model_name='budgetoverride',
            name='budget',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='overrides', to='conversations.budget'),
        ),
        migrations.AddField(
            model_name='budgetoverride',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='budgetoverride',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace'),
        ),
        migrations.AddField(
            model_name='conversationslot',
            name='conversation',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='slots', to='conversations.conversation'),
        ),
        migrations.AddField(
            model_name='conversationslot',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace'),
        ),
        migrations.AddField(
            model_name='spendingversion',
            name='workspace',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='conversations.workspace'),
        ),
        migrations.AddConstraint(
            model_name='agentslot',
            constraint=models.UniqueConstraint(fields=('workspace', 'start', 'agent', 'model'), name='agent_slot_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='budgetchannel',
            constraint=models.UniqueConstraint(fields=('workspace', 'budget', 'channel'), name='budget_channel_once'),
        ),
        migrations.AddIndex(
            model_name='budgetevent',
            index=models.Index(fields=['workspace', 'conversation_name', 'at'], name='budget_event_of_conversation'),
        ),
        migrations.AddIndex(
            model_name='budgetevent',
            index=models.Index(fields=['workspace', 'budget', '-at'], name='budget_event_of_budget'),
        ),
        migrations.AddConstraint(
            model_name='budgetevent',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', [conversations.vocabulary.BudgetEventKind['WARNED'], conversations.vocabulary.BudgetEventKind['REACHED'], conversations.vocabulary.BudgetEventKind['WRAP_UP_INJECTED'], conversations.vocabulary.BudgetEventKind['BLOCKED']])), name='budget_event_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='budgetevent',
            constraint=models.UniqueConstraint(condition=models.Q(('external_id__isnull', False)), fields=('workspace', 'conversation_name', 'external_id'), name='budget_event_told_once'),
        ),
        migrations.AddConstraint(
            model_name='budgetevent',
            constraint=models.UniqueConstraint(condition=models.Q(('budget__isnull', False), ('external_id__isnull', True)), fields=('workspace', 'budget', 'conversation_name', 'agent_name', 'agent_version', 'window_start', 'percent'), name='budget_event_seen_once', nulls_distinct=False),
        ),
        migrations.AddIndex(
            model_name='budgetoverride',
            index=models.Index(fields=['workspace', 'budget', 'expires_at'], name='budget_override_in_force'),
        ),
        migrations.AddConstraint(
            model_name='budgetoverride',
            constraint=models.CheckConstraint(condition=models.Q(('limit__gt', 0)), name='budget_override_limit_positive'),
        ),
        migrations.AddConstraint(
            model_name='budgetoverride',
            constraint=models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='budget_override_has_reason'),
        ),
        migrations.AddConstraint(
            model_name='conversationslot',
            constraint=models.UniqueConstraint(fields=('workspace', 'conversation', 'start', 'model'), name='conversation_slot_once'),
        ),
        *(link(*parts) for parts in LINKS),
        migrations.RunSQL(NOTE, NOTE_NO_MORE),
    ]
