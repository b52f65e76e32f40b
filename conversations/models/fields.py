"""Columns of kinds that Django does not bring."""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from psycopg.types.json import Json
from psycopg.types.string import TextLoader


class VerbatimJSONField(models.JSONField):
    """JSON kept as it was written: Postgres's `json`, not `jsonb`.

    Storing 4 kB of prose costs 56 µs of Postgres's time as uncompressed `json`, 102 as `jsonb`, 146 as the compressed
    `jsonb` that is the default; and a tool call's input keeps the order of its keys. To ask for something inside, cast
    it: `Cast("blocks", JSONField())`.
    """

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        """The column's type."""
        return "json"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002 -- Django's signature
        """For psycopg; expressions are Django's business."""
        return value if value is None or hasattr(value, "as_sql") else Json(value)


@receiver(connection_created)
def read_json_as_text(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Every JSONField decodes text; Django asks psycopg for it only in the case of `jsonb`."""
    connection.connection.adapters.register_loader("json", TextLoader)
