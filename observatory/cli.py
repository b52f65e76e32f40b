"""Run a management command; the `observatory` script of an installed wheel and `manage.py` are the same."""

import os
import sys


def main() -> None:
    """Hand the command line to Django."""
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


def _advice(error: Exception) -> str:
    """What to do about a database that cannot be reached."""
    from django.conf import settings  # noqa: PLC0415 -- needs the variable above

    from observatory import embedded  # noqa: PLC0415 -- only where it is used

    if settings.EMBEDDED_POSTGRES and not embedded.Cluster(settings.DATA_DIR).running():
        return "The database does not run. `manage.py up` starts it; run this beside it, or set DATABASE_URL."
    return f"The database cannot be used: {error}"
