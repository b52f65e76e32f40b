import conversations.vocabulary
import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('conversations', '0015_reviewing'),
    ]

    operations = [
        migrations.CreateModel(
            name='Channel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('kind', models.CharField(choices=[('apprise', 'apprise'), ('webhook', 'webhook'), ('in_app', 'in_app')], max_length=20)),
                ('sealed', models.TextField(blank=True)),
                ('shown_address', models.CharField(blank=True, max_length=200)),
                ('is_on', models.BooleanField(default=True)),
                ('off_reason', models.CharField(blank=True, max_length=500)),
                ('roles', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('owner', 'owner'), ('admin', 'admin'), ('reviewer', 'reviewer'), ('viewer', 'viewer')], max_length=20), blank=True, default=list, size=None)),
                ('most_an_hour', models.PositiveIntegerField(blank=True, null=True)),
                ('digest_minutes', models.PositiveIntegerField(default=0)),
                ('quiet_from', models.TimeField(blank=True, null=True)),
                ('quiet_to', models.TimeField(blank=True, null=True)),
                ('time_zone', models.CharField(default='UTC', max_length=60)),
                ('wakes_when_critical', models.BooleanField(default=True)),
                ('tells_resolved', models.BooleanField(default=True)),
                ('escalate_after_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('last_sent_at', models.DateTimeField(null=True)),
                ('last_failure_at', models.DateTimeField(null=True)),
                ('last_failure', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('escalate_to', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.channel')),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='channels', to='conversations.workspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('workspace', 'name'), name='channel_name_once'), models.UniqueConstraint(fields=('workspace', 'id'), name='channel_in_workspace'), models.CheckConstraint(condition=models.Q(('kind__in', [conversations.vocabulary.ChannelKind['APPRISE'], conversations.vocabulary.ChannelKind['WEBHOOK'], conversations.vocabulary.ChannelKind['IN_APP']])), name='channel_kind_known'), models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_to', None)), models.Q(('quiet_from__isnull', False), ('quiet_to__isnull', False)), _connector='OR'), name='channel_quiet_hours_whole'), models.CheckConstraint(condition=models.Q(('escalate_after_minutes', None), ('escalate_after_minutes__gt', 0), _connector='OR'), name='channel_escalation_takes_time')],
            },
        ),
        migrations.RunSQL(
            """ALTER TABLE conversations_channel ADD CONSTRAINT channel_escalate_to_within_workspace
               FOREIGN KEY (workspace_id, escalate_to_id) REFERENCES conversations_channel (workspace_id, id)
               ON DELETE SET NULL (escalate_to_id)""",
            "ALTER TABLE conversations_channel DROP CONSTRAINT channel_escalate_to_within_workspace",
        ),
    ]
