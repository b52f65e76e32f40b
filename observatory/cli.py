"""Run a management command; the `observatory` script of an installed wheel and `manage.py` are the same."""

import os
import sys


def main() -> None:
    """Hand the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observatory.settings")
    from django.core.management import execute_from_command_line  # noqa: PLC0415 -- needs the variable above

    execute_from_command_line(sys.argv)
