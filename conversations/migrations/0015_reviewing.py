"""Queues of compactions, who has reserved what, and what people said: reviews, verdicts and marks."""

import conversations.models.review
import conversations.vocabulary
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


#: table, column, table it points to, what happens when that row goes; as in 0002.
LINKS = [
    ("queueitem", "queue_id", "queue", "CASCADE"),
    ("queueitem", "compaction_id", "compaction", "CASCADE"),
    ("reservation", "item_id", "queueitem", "CASCADE"),
    ("review", "compaction_id", "compaction", "CASCADE"),
    ("review", "item_id", "queueitem", "CASCADE"),
    ("verdict", "review_id", "review", "CASCADE"),
    ("verdict", "compaction_id", "compaction", "CASCADE"),
    ("mark", "review_id", "review", "CASCADE"),
    ("mark", "compaction_id", "compaction", "CASCADE"),
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
        ('conversations', '0014_guard'),
    ]

    operations = [
        migrations.CreateModel(
            name='Queue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('instructions', models.TextField(blank=True)),
                ('rubric', models.JSONField(default=conversations.models.review.default_rubric)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('filters', models.JSONField(default=dict)),
                ('sampling', models.CharField(choices=[('all', 'all'), ('random', 'random'), ('riskiest', 'riskiest'), ('disagreement', 'disagreement'), ('one_per_version', 'one_per_version')], default=conversations.vocabulary.Sampling['ALL'], max_length=20)),
                ('sample_percent', models.PositiveSmallIntegerField(default=10)),
                ('reviewers_per_item', models.PositiveSmallIntegerField(default=1)),
                ('blind', models.BooleanField(default=False)),
                ('reservation_minutes', models.PositiveIntegerField(default=30)),
                ('due_on', models.DateField(blank=True, null=True)),
                ('goal_per_week', models.PositiveIntegerField(blank=True, null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='queues', to='conversations.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='QueueItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('priority', models.FloatField(default=0)),
                ('state', models.CharField(choices=[('waiting', 'waiting'), ('done', 'done'), ('disagreed', 'disagreed'), ('settled', 'settled')], default=conversations.vocabulary.ItemState['WAITING'], max_length=20)),
                ('calibration', models.BooleanField(default=False)),
                ('added_at', models.DateTimeField(auto_now_add=True)),
                ('compaction', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='queue_items', to='conversations.compaction')),
                ('queue', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='items', to='conversations.queue')),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='Reservation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('expires_at', models.DateTimeField()),
                ('item', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='reservations', to='conversations.queueitem')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('overall', models.CharField(blank=True, choices=[('faithful', 'faithful'), ('minor_loss', 'minor_loss'), ('harmful_loss', 'harmful_loss')], max_length=20)),
                ('criteria', models.JSONField(default=dict)),
                ('comment', models.TextField(blank=True)),
                ('revision', models.PositiveIntegerField(default=0)),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('saved_at', models.DateTimeField(auto_now=True)),
                ('submitted_at', models.DateTimeField(null=True)),
                ('settles', models.BooleanField(default=False)),
                ('compaction', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='reviews', to='conversations.compaction')),
                ('item', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='reviews', to='conversations.queueitem')),
                ('reviewer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='reviews', to='conversations.workspace')),
            ],
        ),
        migrations.CreateModel(
            name='Mark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(choices=[('missed', 'missed'), ('invented', 'invented')], max_length=20)),
                ('block', models.PositiveIntegerField(default=0)),
                ('start', models.PositiveIntegerField()),
                ('end', models.PositiveIntegerField()),
                ('quote', models.TextField()),
                ('text', models.TextField(blank=True)),
                ('kind', models.CharField(blank=True, max_length=30)),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('compaction', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='marks', to='conversations.compaction')),
                ('message', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='conversations.message')),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace')),
                ('review', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='marks', to='conversations.review')),
            ],
        ),
        migrations.CreateModel(
            name='Verdict',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('fact_id', models.CharField(max_length=64)),
                ('answer', models.CharField(choices=[('agree', 'agree'), ('not_lost', 'not_lost'), ('does_not_matter', 'does_not_matter'), ('wrong_fact', 'wrong_fact'), ('reword', 'reword')], max_length=20)),
                ('reworded', models.TextField(blank=True)),
                ('at', models.DateTimeField(auto_now=True)),
                ('text', models.TextField()),
                ('kind', models.CharField(max_length=30)),
                ('outcome', models.CharField(max_length=20)),
                ('number', models.PositiveIntegerField()),
                ('detector', models.CharField(max_length=60)),
                ('auditor_version', models.CharField(max_length=40)),
                ('probability', models.FloatField()),
                ('compaction', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='verdicts', to='conversations.compaction')),
                ('review', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='verdicts', to='conversations.review')),
                ('workspace', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='conversations.workspace')),
            ],
        ),
        migrations.AddConstraint(
            model_name='queue',
            constraint=models.UniqueConstraint(fields=('workspace', 'name'), name='queue_name_once'),
        ),
        migrations.AddConstraint(
            model_name='queue',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='queue_in_workspace'),
        ),
        migrations.AddConstraint(
            model_name='queue',
            constraint=models.CheckConstraint(condition=models.Q(('sampling__in', [conversations.vocabulary.Sampling['ALL'], conversations.vocabulary.Sampling['RANDOM'], conversations.vocabulary.Sampling['RISKIEST'], conversations.vocabulary.Sampling['DISAGREEMENT'], conversations.vocabulary.Sampling['ONE_PER_VERSION']])), name='queue_sampling_known'),
        ),
        migrations.AddConstraint(
            model_name='queue',
            constraint=models.CheckConstraint(condition=models.Q(('sample_percent__range', (1, 100))), name='queue_percent_in_range'),
        ),
        migrations.AddConstraint(
            model_name='queue',
            constraint=models.CheckConstraint(condition=models.Q(('reviewers_per_item__range', (1, 20))), name='queue_reviewers_in_range'),
        ),
        migrations.AddConstraint(
            model_name='queue',
            constraint=models.CheckConstraint(condition=models.Q(('reservation_minutes__range', (1, 10080))), name='queue_minutes_in_range'),
        ),
        migrations.AddIndex(
            model_name='queueitem',
            index=models.Index(fields=['workspace', 'queue', 'state', '-priority', 'id'], name='queue_item_next'),
        ),
        migrations.AddIndex(
            model_name='queueitem',
            index=models.Index(fields=['workspace', 'compaction'], name='queue_item_compaction'),
        ),
        migrations.AddConstraint(
            model_name='queueitem',
            constraint=models.UniqueConstraint(fields=('workspace', 'queue', 'compaction'), name='queue_item_once'),
        ),
        migrations.AddConstraint(
            model_name='queueitem',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='queue_item_in_workspace'),
        ),
        migrations.AddConstraint(
            model_name='queueitem',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', [conversations.vocabulary.ItemState['WAITING'], conversations.vocabulary.ItemState['DONE'], conversations.vocabulary.ItemState['DISAGREED'], conversations.vocabulary.ItemState['SETTLED']])), name='queue_item_state_known'),
        ),
        migrations.AddIndex(
            model_name='reservation',
            index=models.Index(fields=['expires_at'], name='reservation_expiry'),
        ),
        migrations.AddConstraint(
            model_name='reservation',
            constraint=models.UniqueConstraint(fields=('workspace', 'item', 'user'), name='reservation_once'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['workspace', 'compaction', '-submitted_at'], name='review_of_compaction'),
        ),
        migrations.AddIndex(
            model_name='review',
            index=models.Index(fields=['workspace', 'submitted_at'], name='review_recent'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.UniqueConstraint(fields=('workspace', 'id'), name='review_in_workspace'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.UniqueConstraint(fields=('workspace', 'item', 'reviewer', 'settles'), name='review_once'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.UniqueConstraint(condition=models.Q(('item', None)), fields=('workspace', 'compaction', 'reviewer'), name='review_outside_once'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.UniqueConstraint(condition=models.Q(('settles', True)), fields=('workspace', 'item'), name='review_settles_once'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('overall__in', ['', conversations.vocabulary.Overall['FAITHFUL'], conversations.vocabulary.Overall['MINOR_LOSS'], conversations.vocabulary.Overall['HARMFUL_LOSS']])), name='review_overall_known'),
        ),
        migrations.AddConstraint(
            model_name='review',
            constraint=models.CheckConstraint(condition=models.Q(('settles', False), ('item__isnull', False), _connector='OR'), name='review_settles_an_item'),
        ),
        migrations.AddIndex(
            model_name='mark',
            index=models.Index(fields=['workspace', 'review', 'id'], name='mark_of_review'),
        ),
        migrations.AddIndex(
            model_name='mark',
            index=models.Index(fields=['workspace', 'compaction'], name='mark_of_compaction'),
        ),
        migrations.AddConstraint(
            model_name='mark',
            constraint=models.CheckConstraint(condition=models.Q(('what__in', [conversations.vocabulary.Marked['MISSED'], conversations.vocabulary.Marked['INVENTED']])), name='mark_what_known'),
        ),
        migrations.AddConstraint(
            model_name='mark',
            constraint=models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='mark_not_empty'),
        ),
        migrations.AddIndex(
            model_name='verdict',
            index=models.Index(fields=['workspace', 'compaction', 'fact_id'], name='verdict_of_compaction'),
        ),
        migrations.AddConstraint(
            model_name='verdict',
            constraint=models.UniqueConstraint(fields=('workspace', 'review', 'fact_id'), name='verdict_once'),
        ),
        migrations.AddConstraint(
            model_name='verdict',
            constraint=models.CheckConstraint(condition=models.Q(('answer__in', [conversations.vocabulary.Answer['AGREE'], conversations.vocabulary.Answer['NOT_LOST'], conversations.vocabulary.Answer['DOES_NOT_MATTER'], conversations.vocabulary.Answer['WRONG_FACT'], conversations.vocabulary.Answer['REWORD']])), name='verdict_answer_known'),
        ),
        *[link(*parts) for parts in LINKS],
    ]
