"""What English writes in its own way; the rest it shares with Vietnamese."""

from kitehub.formats import *  # noqa: F403  Django reads all of them from this module.

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
YEAR_MONTH_FORMAT = "F Y"  # October 2025
MONTH_DAY_FORMAT = "j F"  # 25 October
