from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("conversations", "0017_alert_rules")]

    operations = []
