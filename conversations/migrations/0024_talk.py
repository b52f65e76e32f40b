"""A place kept."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("conversations", "0023_ledger")]

    operations = []
