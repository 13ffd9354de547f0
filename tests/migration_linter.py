"""Lints the migrations for what would lock or break a running site.

Run `python -m tests.migration_linter`.

The plan's versions V1 to V8 are what the user wrote, V9 changes types on purpose (measured in
docs/schema.md), so the linter looks at what comes after them.
"""

import os
import re
import sys

# What the linter says of them isn't so.
EXPLAINED = {
    "0014_v17_open_orders",  # the unique indexes are built concurrently
    "0018_v17_subscription_periods",  # the table with the index is new
    "0033_v18_manual_payments",  # as above
    "0037_v18_goodwill",  # as above
}


def main() -> int:
    """Exit code of the linter: 0 if there is nothing to say."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kitehub.settings")
    import django

    django.setup()
    from django.db.migrations.loader import MigrationLoader
    from django_migration_linter import MigrationLinter

    apps = ["kitehub", "billing", "analytics", "branding", "storage", "jobs"]
    planned = re.compile(r"_v[1-9]_|0001_users")
    names = [
        name
        for app, name in MigrationLoader(None).disk_migrations
        if app in apps and (planned.search(name) or name in EXPLAINED)
    ]
    linter = MigrationLinter(
        include_apps=apps,
        ignore_name=names,
        no_cache=True,
        all_warnings_as_errors=True,
        analyser_string="postgresql",
    )
    linter.lint_all_migrations()
    linter.print_summary()
    return 1 if linter.has_errors else 0


if __name__ == "__main__":
    sys.exit(main())
