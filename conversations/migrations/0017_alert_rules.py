import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import conversations.vocabulary

#: table, column, table it points to; a row goes with what it points to
LINKS = [
    ("rulechannel", "rule_id", "rule"),
    ("rulechannel", "channel_id", "channel"),
    ("ruleprogress", "rule_id", "rule"),
]


def link(table, column, target):
    name = f"{table}_{column.removesuffix('_id')}_within_workspace"
    return migrations.RunSQL(
        f"""ALTER TABLE conversations_{table} ADD CONSTRAINT {name}
            FOREIGN KEY (workspace_id, {column}) REFERENCES conversations_{target} (workspace_id, id)
            ON DELETE CASCADE""",
        f"ALTER TABLE conversations_{table} DROP CONSTRAINT {name}",
    )


class Migration(migrations.Migration):
    dependencies = [("conversations", "0016_channels")]

    operations = [
        migrations.CreateModel(
            name='Rule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('note', models.TextField(blank=True)),
                ('enabled', models.BooleanField(default=True)),
                ('metric', models.CharField(max_length=40)),
                ('aggregation', models.CharField(choices=[('each', 'each'), ('count', 'count'), ('sum', 'sum'), ('mean', 'mean'), ('share', 'share'), ('p50', 'p50'), ('p95', 'p95'), ('max', 'max')], max_length=20)),
                ('window_minutes', models.PositiveIntegerField(default=60)),
                ('agent_name', models.CharField(blank=True, max_length=200)),
                ('agent_version', models.CharField(blank=True, max_length=100)),
                ('model', models.CharField(blank=True, max_length=200)),
                ('fact_kind', models.CharField(blank=True, max_length=30)),
                ('least_importance', models.FloatField(default=0)),
                ('group_by', models.CharField(blank=True, choices=[('agent', 'agent'), ('version', 'version'), ('model', 'model'), ('conversation', 'conversation')], max_length=20)),
                ('direction', models.CharField(choices=[('above', 'above'), ('below', 'below'), ('rises', 'rises'), ('falls', 'falls')], default=conversations.vocabulary.Direction['ABOVE'], max_length=20)),
                ('warning', models.FloatField(blank=True, null=True)),
                ('critical', models.FloatField(blank=True, null=True)),
                ('clear', models.FloatField(blank=True, null=True)),
                ('in_a_row', models.PositiveSmallIntegerField(default=1)),
                ('minimum_sample', models.PositiveIntegerField(default=1)),
                ('no_data', models.CharField(choices=[('ignore', 'ignore'), ('tell', 'tell'), ('keep', 'keep'), ('ok', 'ok')], default=conversations.vocabulary.NoData['IGNORE'], max_length=20)),
                ('quiet_minutes', models.PositiveIntegerField(default=1440)),
                ('settle_minutes', models.PositiveIntegerField(default=2)),
                ('remind_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='RuleChannel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.CreateModel(
            name='RuleProgress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('definition', models.CharField(blank=True, max_length=64)),
                ('anchor', models.DateTimeField(null=True)),
                ('states', models.JSONField(default=dict)),
                ('told', models.JSONField(default=dict)),
                ('evaluated_until', models.DateTimeField(null=True)),
                ('evaluated_at', models.DateTimeField(null=True)),
                ('problem', models.CharField(blank=True, max_length=500)),
            ],
        ),
        migrations.AddIndex(
            model_name='batch',
            index=models.Index(fields=['workspace', 'received_at'], name='batch_received'),
        ),
        migrations.AddField(
            model_name='rule',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='rule',
            name='workspace',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rules', to='conversations.workspace'),
        ),
        migrations.AddField(
            model_name='rulechannel',
            name='channel',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.channel'),
        ),
        migrations.AddField(
            model_name='rulechannel',
            name='rule',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.rule'),
        ),
        migrations.AddField(
            model_name='rulechannel',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace'),
        ),
        migrations.AddField(
            model_name='rule',
            name='channels',
            field=models.ManyToManyField(blank=True, related_name='rules', through='conversations.RuleChannel', to='conversations.channel'),
        ),
        migrations.AddField(
            model_name='ruleprogress',
            name='rule',
            field=models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='progress', to='conversations.rule'),
        ),
        migrations.AddField(
            model_name='ruleprogress',
            name='workspace',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace'),
        ),
        migrations.AddIndex(
            model_name='rulechannel',
            index=models.Index(fields=['workspace', 'channel'], name='rule_channel_of_channel'),
        ),
        migrations.AddConstraint(
            model_name='rulechannel',
            constraint=models.UniqueConstraint(fields=('workspace', 'rule', 'channel'), name='rule_channel_once'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.UniqueConstraint(fields=('workspace', 'name'), name='rule_name_once'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='rule_in_workspace'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('aggregation__in', [conversations.vocabulary.Aggregation['EACH'], conversations.vocabulary.Aggregation['COUNT'], conversations.vocabulary.Aggregation['SUM'], conversations.vocabulary.Aggregation['MEAN'], conversations.vocabulary.Aggregation['SHARE'], conversations.vocabulary.Aggregation['P50'], conversations.vocabulary.Aggregation['P95'], conversations.vocabulary.Aggregation['MAX']])), name='rule_aggregation_known'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('direction__in', [conversations.vocabulary.Direction['ABOVE'], conversations.vocabulary.Direction['BELOW'], conversations.vocabulary.Direction['RISES'], conversations.vocabulary.Direction['FALLS']])), name='rule_direction_known'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('no_data__in', [conversations.vocabulary.NoData['IGNORE'], conversations.vocabulary.NoData['TELL'], conversations.vocabulary.NoData['KEEP'], conversations.vocabulary.NoData['OK']])), name='rule_no_data_known'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('group_by__in', ['', conversations.vocabulary.GroupBy['AGENT'], conversations.vocabulary.GroupBy['VERSION'], conversations.vocabulary.GroupBy['MODEL'], conversations.vocabulary.GroupBy['CONVERSATION']])), name='rule_group_known'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('warning__isnull', False), ('critical__isnull', False), _connector='OR'), name='rule_has_a_threshold'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('in_a_row__range', (1, 100))), name='rule_in_a_row_in_range'),
        ),
        migrations.AddConstraint(
            model_name='rule',
            constraint=models.CheckConstraint(condition=models.Q(('window_minutes__range', (5, 20160))), name='rule_window_in_range'),
        ),
        migrations.AddIndex(
            model_name='ruleprogress',
            index=models.Index(fields=['workspace', 'evaluated_at'], name='rule_progress_due'),
        ),
        *[link(*parts) for parts in LINKS],
    ]
