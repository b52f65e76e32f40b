"""A place kept."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("conversations", "0024_talk")]

    operations = []
