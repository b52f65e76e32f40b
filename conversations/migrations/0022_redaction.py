"""A place kept."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_within_workspace")]

    operations = []
