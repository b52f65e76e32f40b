from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("conversations", "0012_activity_and_notices")]

    operations = []
