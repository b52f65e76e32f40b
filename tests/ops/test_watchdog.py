"""Jobs that hang, in processes of their own: what is tested ends them."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from observatory.embedded import DATABASE, USER, Cluster
from tests.ops.server import ROOT

PRELUDE = """
import re, sys, threading
import django
django.setup()
from celery.signals import task_postrun, task_prerun
from django.db import DatabaseError, connection
from conversations.ops.watchdog import watch_jobs

def ask(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)

watch_jobs(float(sys.argv[1]))
ask("SELECT 1")
task_prerun.send(sender=None)
"""


@pytest.fixture
def run(database_url):
    """Run a script in the middle of a job that is watched, on the tests' database."""
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "observatory.settings", "DATABASE_URL": database_url}

    def run(script, seconds=2.0):
        command = [sys.executable, "-W", "ignore", "-c", PRELUDE + script, str(seconds)]
        return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)

    return run


@pytest.mark.parametrize("hang", ["threading.Event().wait()", "re.match('(a+)+$', 'a' * 60 + 'b')"])
def test_job_without_a_sign_of_life_ends_its_process(run, hang):
    assert run(hang).returncode == -signal.SIGALRM


def test_statement_begun_and_ended_are_signs_of_life(run):
    done = run("ask('SELECT pg_sleep(2)')\nthreading.Event().wait(2)\nprint('done')", seconds=3.0)

    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_worker_without_a_job_may_be_silent(run):
    done = run("task_postrun.send(sender=None)\nask('SELECT 1')\nthreading.Event().wait(2.5)\nprint('done')")

    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_statement_fails_before_its_process_is_ended(run):
    script = "try:\n    ask('SELECT pg_sleep(60)')\nexcept DatabaseError as error:\n    print(error)"

    done = run(script, seconds=10.0)  # 2 s between the two limits: a busy machine must not turn them round

    assert (done.returncode, done.stdout) == (0, "canceling statement due to statement timeout\n"), done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_digestion_that_waits_for_a_lock_is_broken_off_and_done_later(serve):
    server = serve(OBSERVATORY_DIGEST_TIMEOUT="2")
    key = server.wait_for(r"API key: +(obs_\S+)")
    said = {"type": "message", "id": "m", "conversation": "c", "role": "user", "content": "Wait."}
    host = Cluster(server.data_dir).socket_dir
    with psycopg.connect(host=str(host), user=USER, dbname=DATABASE) as other:
        other.execute("LOCK TABLE conversations_message IN SHARE MODE")
        _, answer = server.post("/api/v1/events", {"events": [said]}, key)
        server.wait_for("canceling statement due to statement timeout")

    batch = server.wait_until_digested(answer["batch"]["id"], key)

    assert batch["accepted"] == 1
    assert server.stop() == 0
