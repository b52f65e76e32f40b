"""The supervisor on small programs: in a process of its own, for it takes over signals and children."""

import subprocess
import sys

import pytest

from conversations.ops.supervisor import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, pause_after
from tests.ops.server import ROOT

PRELUDE = """
import logging, os, signal, sys, threading
from conversations.ops import supervisor
from conversations.ops.supervisor import GaveUp, Program, Supervisor
logging.basicConfig(format="%(levelname)s %(message)s", level="INFO", stream=sys.stdout)
supervisor.FIRST_PAUSE_SECONDS = 0.01

def stay(ready):
    print("here")
    ready()
    signal.pause()

def stay_on(ready):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready()
    while True:
        signal.pause()
"""


def run(script):
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE + script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_supervisor_shows_whose_line_it_is():
    output = run("s = Supervisor(); s.start(Program('web', stay), ready_within=20); s.stop()")

    assert "web       | here" in output.splitlines()


def test_supervisor_kills_what_does_not_stop():
    output = run("s = Supervisor(); s.start(Program('web', stay_on, stop_seconds=0.2), ready_within=20); s.stop()")

    assert "reason=it did not stop in time" in output


def test_supervisor_stops_the_last_stage_first():
    script = """
s = Supervisor()
for name, stage in (("postgres", 0), ("worker", 1), ("web", 2)):
    s.start(Program(name, stay, stage=stage), ready_within=20)
s.stop()
"""
    stopped = [line.split("process=")[1].split()[0] for line in run(script).splitlines() if "stopping" in line]

    assert stopped == ["web", "worker", "postgres"]


def test_supervisor_gives_up_on_what_always_dies():
    script = """
s = Supervisor()
try:
    s.start(Program('web', lambda ready: 3), ready_within=20)
except GaveUp as error:
    print(error)
s.stop()
"""
    output = run(script)

    assert "web ended 6 times in a row (exit=3); its last lines are above." in output
    assert output.count("started process=web") == 6


def test_supervisor_says_what_was_never_ready():
    script = """
s = Supervisor()
try:
    s.start(Program('web', lambda ready: signal.pause()), ready_within=0.3)
except GaveUp as error:
    print(error)
s.stop()
"""
    assert "web was not ready after 0 s" in run(script)


def test_supervisor_passes_a_child_s_exception_on_as_text():
    script = """
s = Supervisor()
program = Program('prepare', lambda ready: 1 / 0, once=True)
s.start(program, ready_within=20)
print('code', program.exit_code)
"""
    output = run(script)

    assert "prepare   | ZeroDivisionError: division by zero" in output
    assert "code 1" in output


@pytest.mark.parametrize(
    ("deaths", "pause"), [(1, FIRST_PAUSE_SECONDS), (2, 0.4), (4, 1.6), (20, LONGEST_PAUSE_SECONDS)]
)
def test_pause_doubles_up_to_a_limit(deaths, pause):
    assert pause_after(deaths) == pytest.approx(pause)
