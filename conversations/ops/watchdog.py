"""No job blocks its process for ever: what gives no sign of life is broken off, and its work is taken up again.

Celery's own time limits need a process a job; digestion runs in the worker's own process, which is 40 MB less.
"""

import signal
from collections.abc import Callable
from typing import Any

from celery.signals import task_postrun, task_prerun
from django.db import connection
from django.db.backends.signals import connection_created

#: A statement is ended before its process: then the job fails like any other, with an error that says where.
_STATEMENT_SHARE = 0.8


def watch_jobs(seconds: float) -> None:
    """From now on in this process: a statement may take 80 % of `seconds`; a job that has sent no statement
    for `seconds` ends the process by SIGALRM. To be called once, before the first job."""

    def alive(*_: object, **__: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def over(*_: object, **__: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)

    def execute(execute: Callable[..., Any], *arguments: Any) -> Any:
        if not signal.getitimer(signal.ITIMER_REAL)[0]:  # no job runs
            return execute(*arguments)
        alive()
        try:
            return execute(*arguments)
        finally:
            alive()  # a statement that was broken off leaves its job the whole time to say so

    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # needs no Python to work: it ends a regular expression, too
    task_prerun.connect(alive, weak=False)
    task_postrun.connect(over, weak=False)
    connection.execute_wrappers.append(execute)
    connection_created.connect(lambda connection, **_: _limit(connection, seconds * _STATEMENT_SHARE), weak=False)


def _limit(connection: Any, seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", [f"{seconds * 1000:.0f}"])
