"""Row-level security, computed from the models: which tables show only the rows of the workspace that was entered.

Runs after every `migrate`, so that no table is forgotten; what is as it should be is left alone.
"""

import logging
from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db import DatabaseError, connection, models, transaction
from django.db.backends.utils import CursorWrapper

from conversations.models import isolation
from conversations.models.isolation import ROLE, SETTING

log = logging.getLogger(__name__)

POLICY = "workspace_only"
#: By these the lists are searched through an index (`search @@ …`, `model_names @> …`). Postgres uses no index for a
#: condition before it has applied a policy, unless the function is declared to tell nobody of the rows it sees.
LEAKPROOF = ("ts_match_vq(tsvector, tsquery)", "arraycontains(anyarray, anyarray)")

_CREATE_ROLE = f"""
DO $$ BEGIN
    CREATE ROLE {ROLE} NOLOGIN NOINHERIT;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; -- another server on this Postgres was faster
END $$
"""
_UNPROTECTED = """
    SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
    AND NOT (c.relrowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %s))
"""
#: Tables that the role cannot use yet: also those that have no workspace, such as people and their sessions.
_UNGRANTED = """
    SELECT c.relname FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
    AND NOT (has_table_privilege(%(role)s, c.oid, 'SELECT') AND has_table_privilege(%(role)s, c.oid, 'INSERT')
        AND has_table_privilege(%(role)s, c.oid, 'UPDATE') AND has_table_privilege(%(role)s, c.oid, 'DELETE'))
"""


def protected_tables() -> Iterator[tuple[str, str]]:
    """(table, the column that says whose its rows are) of every table of a workspace."""
    workspace = apps.get_model("conversations", "Workspace")
    for model in apps.get_app_config("conversations").get_models(include_auto_created=True):
        if model is workspace:
            yield model._meta.db_table, "id"  # noqa: SLF001 -- public by its docs
        elif column := _workspace_column(model):
            yield model._meta.db_table, column  # noqa: SLF001


def _workspace_column(model: type[models.Model]) -> str:
    for field in model._meta.concrete_fields:  # noqa: SLF001
        if field.name == "workspace":
            return str(field.column)
    return ""


def protect(sender: AppConfig, **_: Any) -> None:
    """The role, what it may do, and a policy on every table. Where Postgres does not let us, a warning says so, and
    the filters of the queries stay the only line. A receiver of `post_migrate`."""
    if sender.label != "conversations" or not settings.ROW_SECURITY:
        return
    with connection.cursor() as cursor:
        if not _make_role(cursor):
            log.warning("row security is not in force: the role %s cannot be made; docs/operating.md says how", ROLE)
            return
        _grant(cursor)
        _make_policies(cursor)
        if slow := _unproof(cursor):
            log.warning("searches use no index functions=%s; docs/operating.md says why", ", ".join(slow))


def _make_role(cursor: CursorWrapper) -> bool:
    """Whether there is the role and we may take it on."""
    isolation.forget()
    if isolation.in_force():
        return True
    try:
        with transaction.atomic():
            cursor.execute(_CREATE_ROLE)
            cursor.execute(f"GRANT {ROLE} TO CURRENT_USER")
    except DatabaseError as error:  # of a managed server: only its administrator makes roles
        log.info("no role made error=%s", error)
        return False
    isolation.forget()
    return isolation.in_force()


def _grant(cursor: CursorWrapper) -> None:
    cursor.execute(_UNGRANTED, {"role": ROLE})
    tables = [connection.ops.quote_name(name) for [name] in cursor.fetchall()]
    if tables:
        cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {', '.join(tables)} TO {ROLE}")


def _make_policies(cursor: CursorWrapper) -> None:
    columns = dict(protected_tables())
    cursor.execute(_UNPROTECTED, [list(columns), POLICY])
    for [table] in cursor.fetchall():
        with transaction.atomic():
            cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            cursor.execute(f"DROP POLICY IF EXISTS {POLICY} ON {table}")
            cursor.execute(
                f"CREATE POLICY {POLICY} ON {table} TO {ROLE}"
                f" USING ({columns[table]} = current_setting('{SETTING}')::bigint)"
            )


def _unproof(cursor: CursorWrapper) -> list[str]:
    """Declare the functions of searches leakproof; those that only a superuser could have."""
    cursor.execute(
        "SELECT f FROM unnest(%s::text[]) f WHERE NOT (SELECT proleakproof FROM pg_proc WHERE oid = f::regprocedure)",
        [list(LEAKPROOF)],
    )
    missing = [name for [name] in cursor.fetchall()]
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    [superuser] = cursor.fetchone()
    if not superuser:
        return missing
    for name in missing:
        cursor.execute(f"ALTER FUNCTION pg_catalog.{name} LEAKPROOF")
    return []
