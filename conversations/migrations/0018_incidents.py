"""Incidents, what happened to each, what is to be sent to whom, and silences."""

import conversations.vocabulary
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


#: table, column, table it points to, what happens when that row goes; as in 0002.
LINKS = [
    ("incident", "rule_id", "rule", "CASCADE"),
    ("incident", "budget_id", "budget", "CASCADE"),
    ("incidentevent", "incident_id", "incident", "CASCADE"),
    ("incidentevent", "api_key_id", "apikey", "SET NULL (api_key_id)"),
    ("delivery", "channel_id", "channel", "CASCADE"),
    ("delivery", "incident_id", "incident", "CASCADE"),
    ("delivery", "cause_id", "incidentevent", "CASCADE"),
    ("silence", "rule_id", "rule", "CASCADE"),
    ("silence", "budget_id", "budget", "CASCADE"),
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
        ('conversations', '0017_alert_rules'),
    ]

    operations = [
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.CharField(blank=True, max_length=300)),
                ('state', models.CharField(choices=[('open', 'open'), ('acknowledged', 'acknowledged'), ('resolved', 'resolved')], max_length=20)),
                ('severity', models.CharField(choices=[('info', 'info'), ('warning', 'warning'), ('critical', 'critical')], max_length=20)),
                ('summary', models.CharField(max_length=500)),
                ('value', models.FloatField(null=True)),
                ('threshold', models.FloatField(null=True)),
                ('evidence', models.JSONField(default=list)),
                ('since', models.DateTimeField()),
                ('until', models.DateTimeField(null=True)),
                ('opened_at', models.DateTimeField()),
                ('resolved_at', models.DateTimeField(null=True)),
                ('evaluated_at', models.DateTimeField()),
                ('told_at', models.DateTimeField(null=True)),
                ('acknowledged_at', models.DateTimeField(null=True)),
                ('snoozed_until', models.DateTimeField(null=True)),
                ('awaits_ok', models.BooleanField(default=False)),
                ('acknowledged_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('assigned_to', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('budget', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='incidents', to='conversations.budget')),
                ('rule', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='incidents', to='conversations.rule')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='conversations.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='IncidentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(choices=[('opened', 'opened'), ('worsened', 'worsened'), ('reminded', 'reminded'), ('escalated', 'escalated'), ('silenced', 'silenced'), ('notified', 'notified'), ('delivery_failed', 'delivery_failed'), ('delivery_uncertain', 'delivery_uncertain'), ('acknowledged', 'acknowledged'), ('snoozed', 'snoozed'), ('assigned', 'assigned'), ('commented', 'commented'), ('resolved_by_data', 'resolved_by_data'), ('resolved_by_hand', 'resolved_by_hand')], max_length=30)),
                ('actor', models.CharField(blank=True, max_length=200)),
                ('text', models.CharField(blank=True, max_length=2000)),
                ('detail', models.JSONField(default=dict)),
                ('api_key', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.apikey')),
                ('incident', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='conversations.incident')),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='conversations.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('opened', 'opened'), ('worsened', 'worsened'), ('reminded', 'reminded'), ('escalated', 'escalated'), ('resolved', 'resolved')], max_length=20)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('sending', 'sending'), ('sent', 'sent'), ('failed', 'failed'), ('dead', 'dead'), ('dropped', 'dropped')], default=conversations.vocabulary.DeliveryState['WAITING'], max_length=20)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('next_attempt_at', models.DateTimeField()),
                ('lease_until', models.DateTimeField(null=True)),
                ('message_key', models.UUIDField(null=True)),
                ('is_uncertain', models.BooleanField(default=False)),
                ('last_error', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField()),
                ('sent_at', models.DateTimeField(null=True)),
                ('channel', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='deliveries', to='conversations.channel')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='conversations.workspace')),
                ('incident', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='deliveries', to='conversations.incident')),
                ('cause', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.incidentevent')),
            ],
            options={
                'verbose_name_plural': 'deliveries',
            },
        ),
        migrations.CreateModel(
            name='Silence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group', models.CharField(blank=True, max_length=300)),
                ('reason', models.CharField(max_length=300)),
                ('starts_at', models.DateTimeField()),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('weekdays', django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), blank=True, default=list, size=None)),
                ('from_time', models.TimeField(blank=True, null=True)),
                ('to_time', models.TimeField(blank=True, null=True)),
                ('time_zone', models.CharField(default='UTC', max_length=60)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('budget', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.budget')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rule', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.rule')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='silences', to='conversations.workspace')),
            ],
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['workspace', '-opened_at', '-id'], name='incident_recent'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(('state', conversations.vocabulary.IncidentState['RESOLVED']), _negated=True), fields=['workspace', '-opened_at', '-id'], name='incident_open'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(condition=models.Q(models.Q(('state', conversations.vocabulary.IncidentState['RESOLVED']), _negated=True), ('awaits_ok', True), _connector='OR'), fields=['workspace', 'rule', 'budget'], name='incident_watched'),
        ),
        migrations.AddIndex(
            model_name='incident',
            index=models.Index(fields=['workspace', 'rule', 'budget', 'group', '-id'], name='incident_of_group'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='incident_in_workspace'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('budget__isnull', False), ('rule', None)), models.Q(('budget', None), ('rule__isnull', False)), _connector='OR'), name='incident_of_rule_or_budget'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', [conversations.vocabulary.IncidentState['OPEN'], conversations.vocabulary.IncidentState['ACKNOWLEDGED'], conversations.vocabulary.IncidentState['RESOLVED']])), name='incident_state_known'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(('severity__in', [conversations.vocabulary.Severity['INFO'], conversations.vocabulary.Severity['WARNING'], conversations.vocabulary.Severity['CRITICAL']])), name='incident_severity_known'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', False), ('state', conversations.vocabulary.IncidentState['RESOLVED'])), models.Q(models.Q(('state', conversations.vocabulary.IncidentState['RESOLVED']), _negated=True), ('resolved_at', None)), _connector='OR'), name='incident_resolved_has_time'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(('state', conversations.vocabulary.IncidentState['RESOLVED']), _negated=True), fields=('workspace', 'rule', 'budget', 'group'), name='incident_open_once', nulls_distinct=False),
        ),
        migrations.AddIndex(
            model_name='incidentevent',
            index=models.Index(fields=['workspace', 'incident', 'id'], name='incident_timeline'),
        ),
        migrations.AddConstraint(
            model_name='incidentevent',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='incident_event_in_workspace'),
        ),
        migrations.AddConstraint(
            model_name='incidentevent',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', [conversations.vocabulary.IncidentEventKind['OPENED'], conversations.vocabulary.IncidentEventKind['WORSENED'], conversations.vocabulary.IncidentEventKind['REMINDED'], conversations.vocabulary.IncidentEventKind['ESCALATED'], conversations.vocabulary.IncidentEventKind['SILENCED'], conversations.vocabulary.IncidentEventKind['NOTIFIED'], conversations.vocabulary.IncidentEventKind['DELIVERY_FAILED'], conversations.vocabulary.IncidentEventKind['DELIVERY_UNCERTAIN'], conversations.vocabulary.IncidentEventKind['ACKNOWLEDGED'], conversations.vocabulary.IncidentEventKind['SNOOZED'], conversations.vocabulary.IncidentEventKind['ASSIGNED'], conversations.vocabulary.IncidentEventKind['COMMENTED'], conversations.vocabulary.IncidentEventKind['RESOLVED_BY_DATA'], conversations.vocabulary.IncidentEventKind['RESOLVED_BY_HAND']])), name='incident_event_kind_known'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state__in', [conversations.vocabulary.DeliveryState['WAITING'], conversations.vocabulary.DeliveryState['FAILED']])), fields=['channel', 'next_attempt_at'], name='delivery_due'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('state', conversations.vocabulary.DeliveryState['SENDING'])), fields=['lease_until'], name='delivery_leased'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['workspace', 'incident', 'id'], name='delivery_of_incident'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(fields=['workspace', 'channel', '-id'], name='delivery_of_channel'),
        ),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(condition=models.Q(('sent_at__isnull', False)), fields=['channel', 'sent_at'], name='delivery_sent'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(fields=('workspace', 'cause', 'channel', 'kind'), name='delivery_once'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', [conversations.vocabulary.DeliveryKind['OPENED'], conversations.vocabulary.DeliveryKind['WORSENED'], conversations.vocabulary.DeliveryKind['REMINDED'], conversations.vocabulary.DeliveryKind['ESCALATED'], conversations.vocabulary.DeliveryKind['RESOLVED']])), name='delivery_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', [conversations.vocabulary.DeliveryState['WAITING'], conversations.vocabulary.DeliveryState['SENDING'], conversations.vocabulary.DeliveryState['SENT'], conversations.vocabulary.DeliveryState['FAILED'], conversations.vocabulary.DeliveryState['DEAD'], conversations.vocabulary.DeliveryState['DROPPED']])), name='delivery_state_known'),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', conversations.vocabulary.DeliveryState['SENDING']), _negated=True), models.Q(('lease_until__isnull', False), ('message_key__isnull', False)), _connector='OR'), name='delivery_sending_is_leased'),
        ),
        migrations.AddIndex(
            model_name='silence',
            index=models.Index(fields=['workspace', 'ends_at'], name='silence_by_end'),
        ),
        migrations.AddConstraint(
            model_name='silence',
            constraint=models.CheckConstraint(condition=models.Q(('rule', None), ('budget', None), _connector='OR'), name='silence_of_one_owner'),
        ),
        migrations.AddConstraint(
            model_name='silence',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at', None), ('ends_at__gte', models.F('starts_at')), _connector='OR'), name='silence_in_order'),
        ),
        migrations.AddConstraint(
            model_name='silence',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('from_time', None), ('to_time', None), ('weekdays', [])), models.Q(models.Q(('weekdays', []), _negated=True), ('from_time__isnull', False), ('to_time__isnull', False)), _connector='OR'), name='silence_once_or_weekly'),
        ),
        migrations.AddConstraint(
            model_name='silence',
            constraint=models.CheckConstraint(condition=models.Q(('weekdays__contained_by', [0, 1, 2, 3, 4, 5, 6])), name='silence_weekdays_known'),
        ),
        *(link(*parts) for parts in LINKS),
    ]
