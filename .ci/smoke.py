"""Start the installed `observatory`, send it one event, find it in the API and on a page, and stop it cleanly."""

import http.cookiejar
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

DEADLINE_SECONDS = 120


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "OBSERVATORY_DATA_DIR": folder + "/data"}
        env.pop("DATABASE_URL", None)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command = ["observatory", "up", "--port", str(port), "--no-import"]
        server = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            use(f"http://127.0.0.1:{port}", link=wait_for_link(server), key=create_key(env))
        finally:
            server.send_signal(signal.SIGTERM)
            rest = server.communicate(timeout=DEADLINE_SECONDS)[0]
        assert server.returncode == 0, f"it stopped with {server.returncode}:\n{rest}"
        assert "Stopped." in rest, rest
        check_nobody_is_left(folder)


def wait_for_link(server: subprocess.Popen[str]) -> str:
    """The one-time link that the first run prints."""
    output = server.stdout
    assert output is not None
    alarm = threading.Timer(DEADLINE_SECONDS, server.kill)  # then its output ends
    alarm.start()
    try:
        for line in output:
            sys.stdout.write(line)
            if found := re.search(r"http\S+/sign-in/\S+", line):
                return found[0]
    finally:
        alarm.cancel()
    raise AssertionError("it did not become ready")


def create_key(env: dict[str, str]) -> str:
    """By the command, as an operator would."""
    command = ["observatory", "create_api_key", "--name", "smoke"]
    return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout.strip()


def use(url: str, *, link: str, key: str) -> None:
    """One event in; its conversation in the API; its words on the page of the person whom the link signs in."""
    event = {
        "type": "message",
        "id": "m1",
        "conversation": "smoke",
        "role": "user",
        "content": "Never deploy on Friday.",
    }
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    answer = ask(f"{url}/api/v1/events?wait=1", json.dumps({"events": [event]}).encode(), headers)
    assert json.loads(answer)["results"][0]["status"] == "accepted", answer
    listed = json.loads(ask(f"{url}/api/v1/conversations", headers=headers))
    assert len(listed["results"]) == 1, listed
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
    page = browser.open(link, timeout=30).read().decode()
    form = {"csrfmiddlewaretoken": re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]}  # type: ignore[index]
    browser.open(link, urllib.parse.urlencode(form).encode(), timeout=30)
    page = browser.open(f"{url}/w/default/conversations/", timeout=30).read().decode()
    assert re.search(r"/w/default/conversations/\d+/", page), page
    print("one event sent, read back and seen on a page")


def ask(url: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> str:
    """The body of the answer. Raises on anything but success."""
    with urllib.request.urlopen(urllib.request.Request(url, body, headers or {}), timeout=30) as response:
        return response.read().decode()


def check_nobody_is_left(folder: str) -> None:
    """No process still has the data directory on its command line or open as its working directory."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            assert folder.encode() not in (process / "cmdline").read_bytes(), f"{process} is left"
        except FileNotFoundError:  # it ended meanwhile
            continue


if __name__ == "__main__":
    main()
