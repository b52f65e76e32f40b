"""People are told again of a budget, as of a rule, while nobody has acknowledged its incident."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0025_learning")]

    operations = [
        migrations.AddField("budget", "remind_minutes", models.PositiveIntegerField(blank=True, null=True)),
    ]
