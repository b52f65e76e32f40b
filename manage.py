#!/usr/bin/env python3
"""Observatory's commands: `manage.py up` starts everything; `manage.py help` lists the rest."""

from observatory.cli import main

if __name__ == "__main__":
    main()
