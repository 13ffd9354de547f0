#!/usr/bin/env python
"""KiteHub's command line: `python manage.py help` lists the commands."""

import os
import sys


def main() -> None:
    """Runs the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitehub.settings")
    try:
        from kitehub.management.cli import execute
    except KeyboardInterrupt:
        sys.exit(130)
    execute(sys.argv)


if __name__ == "__main__":
    main()
