"""Wrong passwords are counted for all web processes together."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("conversations", "0010_fill_agent_totals")]

    operations = [
        migrations.CreateModel(
            name="SignInFailures",
            fields=[
                ("place", models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField(default=0)),
                ("until", models.DateTimeField()),
            ],
        ),
    ]
