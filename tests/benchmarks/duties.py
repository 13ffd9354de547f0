"""The nightly duties of subscriptions, each a `manage.py` of its own: how long, in how much memory.

Schools pay by the month, and their months end evenly over `--days`. Of those that ended in the last
24 hours two in three have paid for the next month, and half of the rest was on trial; schools whose
month ends within six days have their renewal's order, as the nights before opened it. So this night
begins periods, makes subscriptions past due or expired, opens a day's renewals and looks at two
weeks' ends for reminders. Each duty runs again afterwards: it finds nothing to do, and the memory
that it takes is what a process of the project has anyway.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from pathlib import Path

from django.core.management import call_command
from django.utils import timezone

from tests.benchmarks.processes import environment
from tests.benchmarks.schools import fill
from tests.benchmarks.sql import execute, server
from tests.migrations.commands import ROOT

DUTIES = ("advance_subscriptions", "renew_subscriptions", "send_reminders")
_DAY, _PLACE = "n %% {days}", "n / {days}"
_ENDS = (
    "%(at)s::timestamptz - interval '1 day'"
    f" + ({_DAY}) * interval '1 day' + (1 + ({_PLACE}) %% 86000) * interval '1 second'"
)
_PAID = "(n %% {days} = 0 AND n / {days} %% 3 < 2)"
_NIGHT = """
    SET session_replication_role = replica;
    INSERT INTO subscription_periods (subscription_id, kind, tier, starts_at, ends_at, created_by)
    SELECT subscription_id, 'CARRIED', 'STANDARD', ends_at, ends_at + interval '1 month',
        'benchmark'
    FROM school WHERE {paid};
    UPDATE subscriptions own SET current_period_end = school.ends_at + interval '1 month'
    FROM school WHERE school.subscription_id = own.id AND {paid};
    UPDATE subscriptions own SET status = 'TRIAL', trial_end = current_period_end
    FROM school
    WHERE school.subscription_id = own.id AND n % {days} = 0 AND NOT {paid} AND n / {days} % 2 = 0;
    RESET session_replication_role;
"""
# `manage.py`, which says at its end what it had.
MEASURED = """
import sys
from kitehub.management.cli import execute
execute(["manage.py", *sys.argv[1:]])
from tests.benchmarks.duties import _peak
print(_peak(), end="")
"""


def main(arguments: Sequence[str]) -> None:
    """Prints what each duty did, its seconds and the most memory it had, twice."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks duties", description=__doc__)
    parser.add_argument("--schools", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--days", type=int, default=30, help="over which the months end")
    parser.add_argument("--inside", action="store_true", help="in this process, for a try")
    options = parser.parse_args(arguments)
    print(f"{server()}; seconds, and the most memory in MB, of a first run and of a second")
    print(f"{'schools':>9} {'duty':22}{'s':>8}{'MB':>6}{'s':>8}{'MB':>6}  what it did")
    for schools in options.schools:
        at = timezone.now()
        _fill(schools, options.days, at)
        for duty in DUTIES:
            first, second = (_run(duty, at, inside=options.inside) for _ in range(2))
            print(
                f"{schools:9,} {duty:22}{first.seconds:8.1f}{first.megabytes:6.0f}"
                f"{second.seconds:8.1f}{second.megabytes:6.0f}  {first.said}",
                flush=True,
            )


def _fill(schools: int, days: int, at: datetime) -> None:
    paid = _PAID.format(days=days)
    asked = f"n %% {days} < 7 AND NOT {paid}"
    fill(schools, at=at, ends=_ENDS.format(days=days), asked=asked)
    execute(_NIGHT.format(days=days, paid=paid.replace("%%", "%")))
    for table in ("subscriptions", "subscription_periods"):
        execute(f"VACUUM ANALYZE {table}")


@dataclass(frozen=True, slots=True)
class _Run:
    seconds: float
    megabytes: float
    said: str


def _run(duty: str, at: datetime, *, inside: bool) -> _Run:
    started = time.perf_counter()
    if inside:
        with redirect_stdout(StringIO()) as output:
            call_command(duty, at=at)
        said, peak = output.getvalue(), _peak()
    else:
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, duty, "--at", at.isoformat()],
            cwd=ROOT,
            env=os.environ | environment(),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        said, peak = done.stdout.rsplit("\n", 1)
    return _Run(time.perf_counter() - started, int(peak) / 1024, said.strip())


def _peak() -> str:
    """The most kilobytes of memory that this process had, as Linux counts them.

    What `getrusage` says of a child includes what its parent had when it was started.
    """
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text("ascii"))
    assert found is not None
    return found[1]
