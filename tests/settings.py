"""The server's settings on a Postgres of the tests' own: DATABASE_URL where set, else an embedded one."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_data_dir = Path(tempfile.mkdtemp(prefix="observatory-tests-"))
os.environ["OBSERVATORY_DATA_DIR"] = str(_data_dir)
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)  # registered before the server's own, so it runs after it

if not os.environ.get("DATABASE_URL"):
    import psycopg

    from observatory import embedded

    embedded.start(_data_dir)
    _where = {"host": str(embedded.Cluster(_data_dir).socket_dir), "user": embedded.USER, "dbname": embedded.DATABASE}
    with psycopg.connect(**_where, autocommit=True) as _connection:
        _connection.execute("ALTER SYSTEM SET fsync = off")  # no test's rows are to outlive the machine
        _connection.execute("SELECT pg_reload_conf()")

from observatory.settings import *  # noqa: E402, F403 -- needs the variable and the server

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # 100 times faster; no real password is hashed
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

CELERY_TASK_ALWAYS_EAGER = CELERY_TASK_EAGER_PROPAGATES = True  # a real worker and queue run in tests/ops/test_up.py
MIDDLEWARE = [name for name in MIDDLEWARE if "whitenoise" not in name]  # noqa: F405 -- serves what `up` has collected
LLM_API_KEY = ""  # whatever the environment has: no test asks anybody but the stand-in
