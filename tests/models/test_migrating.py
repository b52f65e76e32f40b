"""Making the tables, from nothing and from those of before."""

import pytest
from django.db import connection
from django.db.migrations import CreateModel
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.models import CASCADE, BigAutoField, ForeignKey

from conversations.models.migrating import CreateModels, forget, within_workspace

STORE = ("conversations", "0001_store")


def _models() -> CreateModels:
    key = BigAutoField(primary_key=True)
    leaf = CreateModel("Leaf", [("id", key), ("twig", ForeignKey("trials.Twig", CASCADE))])
    return CreateModels([leaf, CreateModel("Twig", [("id", key)])])


def _tables() -> set[str]:
    return {name for name in connection.introspection.table_names() if name.startswith("trials_")}


@pytest.mark.django_db(transaction=True)
def test_models_that_point_to_later_ones_are_created_at_once_and_removed_again() -> None:
    before, after = ProjectState(), ProjectState()
    before.apps, operation = before.apps, _models()
    operation.state_forwards("trials", after)
    with connection.schema_editor() as editor:
        operation.database_forwards("trials", editor, before, after)
    assert _tables() == {"trials_leaf", "trials_twig"}
    with connection.schema_editor() as editor:
        operation.database_backwards("trials", editor, after, before)
    assert _tables() == set()
    assert operation.describe() == "Create 2 models"


def test_rendered_models_are_rendered_anew() -> None:
    state = ProjectState()
    assert not list(state.apps.get_models())
    _models().state_forwards("trials", state)
    assert state.apps.get_model("trials", "Leaf")._meta.get_field("twig").related_model is state.apps.get_model(
        "trials", "Twig"
    )


@pytest.mark.django_db
def test_a_store_of_the_migrations_that_were_made_one_needs_nothing() -> None:
    recorder = MigrationRecorder(connection)
    replaced = MigrationLoader(connection, replace_migrations=False).disk_migrations[STORE].replaces
    recorder.record_unapplied(*STORE)
    for each in replaced:
        recorder.record_applied(*each)

    executor = MigrationExecutor(connection)

    assert STORE in executor.loader.applied_migrations
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []


@pytest.mark.parametrize(
    ("more", "end"),
    [
        ((), "ON DELETE CASCADE"),
        ((forget("twig_id"),), "ON DELETE SET NULL (twig_id)"),
    ],
)
def test_a_key_within_the_workspace_names_both_columns(more: tuple[str, ...], end: str) -> None:
    sql = str(within_workspace("leaf", "twig_id", "twig", *more).sql)
    assert "CONSTRAINT leaf_twig_within_workspace FOREIGN KEY (workspace_id, twig_id)" in sql
    assert sql.endswith(end)
