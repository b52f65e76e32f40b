"""What the server's processes do: database, web server, digestion, audits, timetable."""

import gc
import os
import signal
import socket
import warnings
from collections.abc import Callable

from celery.signals import beat_init, worker_ready
from django.conf import settings

from conversations.ops.supervisor import Program
from conversations.ops.watchdog import watch_jobs
from observatory.celery import app
from observatory.embedded import Cluster

Ready = Callable[[], None]


def preload() -> None:
    """Load what the children need before they are forked: they share it then, about 80 MB each."""
    import celery.apps.beat  # noqa: PLC0415 -- only the parent of forks wants it early
    import celery.apps.worker  # noqa: PLC0415
    import celery.concurrency.prefork  # noqa: F401, PLC0415
    import gunicorn.workers.gthread  # noqa: F401, PLC0415
    from django.urls import get_resolver  # noqa: PLC0415

    app.loader.import_default_modules()
    len(get_resolver().url_patterns)
    gc.collect()
    gc.freeze()  # the collector would write to every shared page


def database(cluster: Cluster) -> Program:
    """The embedded Postgres."""
    command = cluster.command()
    return Program(
        "postgres",
        lambda _ready: os.execv(command[0], command),  # noqa: S606 -- no shell is wanted
        stop_signal=signal.SIGINT,  # fast: open transactions are rolled back, the rest is written
        stop_seconds=60,
        account=lambda: cluster.account,
        is_ready=cluster.is_ready,
        stage=0,  # the others finish their work with it
    )


def web(listener: socket.socket) -> Program:
    """gunicorn on a socket that is open already: while it restarts, connections wait."""

    def run(ready: Ready) -> None:
        from observatory.server import serve  # noqa: PLC0415 -- gunicorn sets itself up when imported

        serve(listener, ready)

    return Program("web", run, stop_seconds=15, stage=2)  # takes nothing in any more while the rest is finished


def digester() -> Program:
    """Makes rows of batches, one after the other; nothing else ever keeps it waiting."""

    def run(ready: Ready) -> None:
        watch_jobs(settings.DIGEST_TIMEOUT)
        _work(ready, "digester", "digest", "--pool=solo")

    return Program("digester", run)


def worker() -> Program:
    """Everything else, in processes that can be stopped when a job takes too long. Jobs of alerts take turns with the
    others: they wait for one audit at most, and a process of their own would idle at 50 MB."""
    processes = f"--concurrency={settings.WORKER_PROCESSES}"
    # kB, what is shared included (107 MB when new). A job may take more; then its process ends after it: none idles
    # with what an audit needed.
    limits = "--max-memory-per-child=125000"
    return Program(
        "worker", lambda ready: _work(ready, "worker", "default,alerts", "--pool=prefork", processes, limits)
    )


def asker() -> Program:
    """Asks a language model, one question after the other: what others' servers take, no audit waits for."""

    def run(ready: Ready) -> None:
        watch_jobs(settings.CELERY_TASK_TIME_LIMIT)
        _work(ready, "asker", "model", "--pool=solo")

    return Program("asker", run)


def _work(ready: Ready, name: str, queue: str, *options: str) -> None:
    # Celery warns of root because of pickle; ours reads JSON only.
    warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")
    worker_ready.connect(lambda **_: ready(), weak=False)
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel=WARNING")
    app.worker_main(["--quiet", "worker", f"--hostname={name}@%h", f"--queues={queue}", *quiet, *options])


def scheduler() -> Program:
    """Celery beat: sends jobs at their times."""

    def run(ready: Ready) -> None:
        beat_init.connect(lambda **_: ready(), weak=False)
        app.Beat(loglevel="WARNING", quiet=True, schedule=settings.CELERY_BEAT_SCHEDULE_FILENAME).run()

    return Program("scheduler", run, stop_seconds=10)
