from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0020_discussion")]

    operations = [
        migrations.AddField("review", "made_by", models.CharField(blank=True, default="", max_length=200), preserve_default=False),
        migrations.AddField("review", "made_from", models.CharField(blank=True, default="", max_length=32), preserve_default=False),
        migrations.AddConstraint(
            "review",
            models.UniqueConstraint(
                condition=models.Q(("made_by", ""), _negated=True),
                fields=("workspace", "compaction", "made_by"),
                name="review_elsewhere_once",
            ),
        ),
    ]
