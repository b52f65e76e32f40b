"""Whose rows this thread's connection sees: those of one workspace, or all.

The second line behind the filters of every query: while a page or an answer of the API is made, Postgres itself shows
the rows of its workspace only (see row_security.py). Jobs and commands see everything.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from psycopg.pq import TransactionStatus

#: Sees nothing but the workspace that was entered; nobody signs in as it.
ROLE = "observatory_member"
SETTING = "observatory.workspace"
INERROR = TransactionStatus.INERROR
_LEAVE = f"RESET ROLE; RESET {SETTING}"
_MAY_ENTER = "SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(current_user, oid, %s)"
_SINCE_SET = 160_000  # the version from which being a member of a role and taking it on are two things


class _Here(threading.local):
    """Of this thread, as its connection is."""

    workspace_id: int | None = None


_here = _Here()
_in_force: bool | None = None


def in_force() -> bool:
    """Whether workspaces are entered: the role is there, this program may take it on, and no setting forbids it.

    Asked once a process; `forget` asks again."""
    global _in_force  # noqa: PLW0603 -- one answer for all threads
    if _in_force is None:
        _in_force = settings.ROW_SECURITY and _may_enter()
    return _in_force


def forget() -> None:
    """The role may have been made meanwhile."""
    global _in_force  # noqa: PLW0603 -- as above
    _in_force = None


def _may_enter() -> bool:
    connection.ensure_connection()
    right = "SET" if connection.connection.info.server_version >= _SINCE_SET else "MEMBER"
    with connection.wrap_database_errors:
        return connection.connection.execute(_MAY_ENTER, [ROLE, right]).fetchone() is not None


def entered() -> int | None:
    """The workspace whose rows alone are seen here; None where all are."""
    return _here.workspace_id


def enter(workspace_id: int) -> None:
    """See the rows of this workspace only, until `leave`."""
    if in_force():
        _here.workspace_id = workspace_id  # first: should telling fail, `leave` sees to it
        _tell(_enter(workspace_id))


def leave() -> None:
    """See everything again. A connection that cannot be told is closed: the next one begins anew."""
    if _here.workspace_id is None:
        return
    _here.workspace_id = None
    try:
        if connection.connection is not None:
            _tell(_LEAVE)
    except DatabaseError:
        connection.close()


@contextmanager
def within(workspace_id: int) -> Iterator[None]:
    """`enter` for as long as the block lasts; then as it was before."""
    before = _here.workspace_id
    enter(workspace_id)
    try:
        yield
    finally:
        _return_to(before)


@contextmanager
def unrestricted() -> Iterator[None]:
    """See everything for as long as the block lasts: for jobs, and for COPY, which Postgres refuses to such a role."""
    before = _here.workspace_id
    leave()
    try:
        yield
    finally:
        _return_to(before)


def _return_to(workspace_id: int | None) -> None:
    if _is_broken():  # nothing can be told to it; its rollback takes back what was told since it began
        _here.workspace_id = workspace_id
    elif workspace_id is None:
        leave()
    elif workspace_id != _here.workspace_id:
        enter(workspace_id)


def _is_broken() -> bool:
    """Whether a transaction is open in which a statement has failed."""
    return connection.connection is not None and connection.connection.info.transaction_status == INERROR


def _enter(workspace_id: int) -> str:
    return f"SET ROLE {ROLE}; SET {SETTING} = '{int(workspace_id)}'"


def _tell(statements: str) -> None:
    """Past Django's cursor: both statements are one message (80 µs), and belong to no page's own queries."""
    connection.ensure_connection()
    with connection.wrap_database_errors:
        connection.connection.execute(statements)


@receiver(connection_created)
def enter_again(connection: BaseDatabaseWrapper, **_: object) -> None:
    """A connection that was closed while a page is made comes back as restricted as it was."""
    if _here.workspace_id is not None:
        connection.connection.execute(_enter(_here.workspace_id))
