"""Folders are found by any of their parts, and the conversations of a rare model without reading all."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models
from django.db.models import Func, Value


class Migration(migrations.Migration):
    """A new column and two indexes."""

    dependencies = [("conversations", "0005_copied_compactions")]

    operations = [
        # A generated column cannot be changed: it is made anew, with its index.
        migrations.RemoveIndex(model_name="conversation", name="conversation_search"),
        migrations.RemoveField(model_name="conversation", name="search"),
        migrations.AddField(
            model_name="conversation",
            name="search",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.contrib.postgres.search.SearchVector(
                    "title", "external_id", "cwd",
                    Func("title", Value("/-_."), Value("    "), function="translate", output_field=models.TextField()),
                    Func("cwd", Value("/-_."), Value("    "), function="translate", output_field=models.TextField()),
                    config="simple",
                ),
                output_field=django.contrib.postgres.search.SearchVectorField(),
            ),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=django.contrib.postgres.indexes.GinIndex(fields=["search"], name="conversation_search"),
        ),
        migrations.AddIndex(
            model_name="conversation",
            index=django.contrib.postgres.indexes.GinIndex(fields=["model_names"], name="conversation_models"),
        ),
    ]
