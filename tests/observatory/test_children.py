import os
import signal
import subprocess
import sys

import pytest

from tests.ops.server import ROOT, wait_until_gone

#: A parent with a child that does not mind being asked to stop; both say their ids.
PARENT = """
import os, signal, sys, threading
from observatory.children import die_with_parent, end_after_parent
parent = os.getpid()
if not os.fork():
    signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
    die_with_parent(signal.SIGTERM)
    end_after_parent(parent, float(sys.argv[1]))
    print(os.getpid(), flush=True)
    while True:
        threading.Event().wait(60)
signal.pause()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children")
def test_child_that_goes_on_is_killed_after_its_parent():
    command = [sys.executable, "-c", PARENT, "0.2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        child = int(parent.stdout.readline())
        os.kill(child, signal.SIGTERM)
        assert parent.stdout.readline() == "asked\n"

        parent.kill()

        wait_until_gone([child])
