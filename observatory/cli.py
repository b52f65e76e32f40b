"""Run a management command; the `observatory` script of an installed wheel and `manage.py` are the same."""

import os
import sys
from collections.abc import Sequence

#: Options of `audit FILE` that need neither settings nor store.
_PLAIN = frozenset({"--json", "--top", "--fail-on"})


def main() -> None:
    """Hand the command line to Django."""
    if _needs_nothing(sys.argv):
        from conversations.management.commands.audit import Command  # noqa: PLC0415 -- only where it is used

        os.environ.pop("DJANGO_SETTINGS_MODULE", None)  # else Django reads settings to close connections never opened
        Command().run_from_argv(sys.argv)
        return
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observatory.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 -- needs the variable above
    from django.db import OperationalError  # noqa: PLC0415 -- as above

    from observatory.env import BadSetting  # noqa: PLC0415 -- as above

    try:
        execute_from_command_line(sys.argv)
    except BadSetting as error:
        sys.exit(f"Setting: {error}")
    except OperationalError as error:
        sys.exit(_advice(error))


def _needs_nothing(argv: Sequence[str]) -> bool:
    """Whether a file is audited and nothing else: then the apps are not loaded, which takes longer than the audit.

    MEASURED for one compaction of 159,000 characters: 1.8 s of CPU with, 1.1 s without.
    """
    options = {word.partition("=")[0] for word in argv[2:] if word.startswith("-")}
    return argv[1:2] == ["audit"] and options <= _PLAIN


def _advice(error: Exception) -> str:
    """What to do about a database that cannot be reached."""
    from django.conf import settings  # noqa: PLC0415 -- needs the variable above

    from observatory import embedded  # noqa: PLC0415 -- only where it is used

    if settings.EMBEDDED_POSTGRES and not embedded.Cluster(settings.DATA_DIR).running():
        return "The database does not run. `manage.py up` starts it; run this beside it, or set DATABASE_URL."
    return f"The database cannot be used: {error}"
