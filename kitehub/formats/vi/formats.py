"""What Vietnamese writes in its own way; the rest it shares with English."""

from kitehub.formats import *  # noqa: F403  Django reads all of them from this module.

DECIMAL_SEPARATOR = ","
THOUSAND_SEPARATOR = "."
YEAR_MONTH_FORMAT = r"\t\há\n\g n/Y"  # tháng 10/2025
MONTH_DAY_FORMAT = "d/m"  # 25/10
