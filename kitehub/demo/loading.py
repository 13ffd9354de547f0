"""Loading: writes the demo in one transaction, into an empty database or beside other data."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import astuple, dataclass, replace
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, models, transaction

from analytics.models import GuestEvent, GuestSession
from billing.models import BankTransfer, PaymentOrder, Subscription, SubscriptionHistory
from branding.models import BrandingJob
from kitehub.db import locks
from kitehub.demo import files, instances, jobs, money, people, silos, subscriptions, visits
from kitehub.demo.chance import stream
from kitehub.demo.clock import moved_clock
from kitehub.demo.enrollments import enrollments
from kitehub.demo.schools import SCHOOLS
from kitehub.demo.silos import Homes
from kitehub.demo.subscriptions import Life
from kitehub.models import Instance, InstanceConfig, StaffRole, User
from storage.models import StorageEvent, StorageUsage

DEFAULT_SEED = 1
_DOMAIN: tuple[type[models.Model], ...] = (
    Instance,
    InstanceConfig,
    PaymentOrder,
    BankTransfer,
    Subscription,
    SubscriptionHistory,
    GuestSession,
    GuestEvent,
    BrandingJob,
    StorageUsage,
    StorageEvent,
)


class DemoRefused(Exception):
    """The demo cannot be loaded here; the message says why, and what to do, in one line."""


@dataclass(frozen=True, slots=True)
class DemoCounts:
    """How many rows were added to each table; all zero where the demo was there already."""

    users: int = 0
    instances: int = 0
    configs: int = 0
    orders: int = 0
    subscriptions: int = 0
    history: int = 0
    transfers: int = 0
    entries: int = 0
    refunds: int = 0
    periods: int = 0
    receipts: int = 0
    feeds: int = 0
    usages: int = 0
    files: int = 0
    jobs: int = 0
    sessions: int = 0
    events: int = 0

    @property
    def total(self) -> int:
        """All rows together."""
        return sum(astuple(self))


def load(
    *,
    at: datetime,
    seed: int = DEFAULT_SEED,
    force: bool = False,
    own_databases: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> DemoCounts:
    """Writes the demo as it stands at the moment `at`, all of it or nothing.

    The same `at` and `seed` make the same rows; only the ids of history and credit balances are
    the database's own. If
    the demo is there already, says so and changes nothing. `report` gets a line for each step. With
    `own_databases` two schools live in silos, if the server lets us make some; their passwords are
    random.
    Raises DemoRefused where other data is there and `force` isn't given, where the demo's
    subdomains or logins belong to others, or while another one is loading.
    """
    at = at.replace(microsecond=0)
    # Outside the transaction: two at once would both find the database empty.
    with locks.held(connections[DEFAULT_DB_ALIAS], "demo") as alone, transaction.atomic():
        if not alone:
            raise DemoRefused("The demo is being loaded already; wait until that is done.")
        if Instance.all_objects.filter(pk__in=[school.id for school in SCHOOLS]).exists():
            report("The demo is already there; nothing was changed.")
            return DemoCounts()
        if not force:
            _refuse_other_data()
        told = subscriptions.lives(at=at, seed=seed)
        # The silos' transactions end before the platform's: what a kill leaves between the two is
        # databases that no instance lives in, which the next run makes anew.
        made: AbstractContextManager[Homes] = nullcontext({})
        with silos.homes(report) if own_databases else made as homes:
            return _write(told, homes, at=at, seed=seed, report=report)


def _refuse_other_data() -> None:
    # The base manager, because softly deleted rows are data too.
    tables = [model._meta.db_table for model in _DOMAIN if model._base_manager.exists()]
    if tables:
        raise DemoRefused(
            f"This database has other data ({', '.join(tables)}). Use an empty database, or put "
            "the demo beside that data with --force."
        )


def _refuse_taken_names(users: Sequence[User]) -> None:
    subdomains = [school.subdomain for school in SCHOOLS]
    taken = Instance.all_objects.filter(subdomain__in=subdomains).values_list("subdomain")
    logins = User.objects.filter(email__in=[user.email for user in users])
    strangers = logins.exclude(pk__in=[user.pk for user in users]).values_list("email")
    names = [name for (name,) in [*taken, *strangers]]
    if names:
        raise DemoRefused(
            f"Names that the demo uses belong to others here: {', '.join(sorted(names))}. Use "
            "another database."
        )


def _write(
    lives: list[Life], homes: Homes, *, at: datetime, seed: int, report: Callable[[str], None]
) -> DemoCounts:
    def step(label: str, count: int) -> int:
        report(f"{label:<22}{count:>7,}")
        return count

    fees = enrollments(lives, at=at, rng=stream(seed, "enrollments"))
    made = money.money(lives, fees, at=at, seed=seed)
    orders = [order for life in lives for order in life.orders] + fees
    orders.sort(key=lambda order: order.created_at)
    counts = DemoCounts(
        users=step("Users", _write_users(lives, at=at)),
        instances=step("Instances", _write_instances(lives, homes)),
        # Before the configs, whose trigger would make them with the moment of loading.
        usages=step("Storage usage", _write_tenants(map(files.usage, lives), homes)),
        configs=step("Instance configs", _write_tenants(instances.configs(lives), homes)),
        orders=step("Payment orders", _write_rows(orders)),
        subscriptions=step("Subscriptions", _subscribe(lives)),
        history=step("Subscription history", _live_through(lives)),
        transfers=step("Bank transfers", money.write_transfers(made)),
        entries=step("Allocations, credit", money.write_entries(made)),
        refunds=step("Refunds", money.write_refunds(made)),
        periods=step("Subscription periods", money.write_periods(made)),
        receipts=step("Receipts", money.write_receipts(made)),
        feeds=step("Bank feeds", money.write_feeds(made)),
        files=step("Storage events", _store(lives, homes, at=at, seed=seed)),
        jobs=step("Branding jobs", _write_rows(jobs.jobs(lives, at=at, rng=stream(seed, "jobs")))),
    )
    # The large ones last, and only made when the rest is written and said.
    sessions, events = visits.visits(lives, at=at, rng=stream(seed, "visits"))
    return replace(
        counts,
        sessions=step(
            "Guest sessions", _copy(GuestSession, visits.SESSION_COLUMNS, sessions, homes)
        ),
        events=step("Guest events", _copy(GuestEvent, visits.EVENT_COLUMNS, events, homes)),
    )


def _write_users(lives: list[Life], *, at: datetime) -> int:
    """Owners and staff; those who stayed behind from an earlier demo are left as they are."""
    users = people.staff(at=at) + list({life.owner.pk: life.owner for life in lives}.values())
    _refuse_taken_names(users)
    there = User.objects.in_bulk([user.pk for user in users])
    made = User.objects.bulk_create(user for user in users if user.pk not in there)
    _give_roles(made)
    return len(made)


def _give_roles(users: list[User]) -> None:
    made = {user.email: user for user in users}
    groups = {row.role: row.group for row in StaffRole.objects.select_related("group")}
    for _name, email, role in people.STAFF:
        group = groups.get(role)
        if email in made and group is not None:
            made[email].groups.add(group)


def _write_instances(lives: list[Life], homes: Homes) -> int:
    return _write_rows(silos.move_in(instances.instance(life), homes) for life in lives)


def _write_rows(rows: Iterable[models.Model], alias: str = DEFAULT_DB_ALIAS) -> int:
    rows = list(rows)
    return len(type(rows[0])._base_manager.using(alias).bulk_create(rows))


def _write_tenants(rows: Iterable[Any], homes: Homes) -> int:
    """Each school's rows where the school lives."""
    by_alias: dict[str, list[Any]] = {}
    for row in rows:
        by_alias.setdefault(silos.alias_of(homes, row.instance_id), []).append(row)
    return sum(_write_rows(same, alias) for alias, same in by_alias.items())


def _subscribe(lives: list[Life]) -> int:
    """Subscriptions, each at its time; the trigger writes the first row of its history."""
    with moved_clock(connections[DEFAULT_DB_ALIAS]) as move_to:
        for life in lives:
            move_to(life.subscription.created_at)
            _write_rows([life.subscription])
    return len(lives)


def _live_through(lives: list[Life]) -> int:
    """Updates the subscriptions step by step, each at its time; the trigger writes the history."""
    steps = [(step, life.subscription.pk) for life in lives for step in life.steps]
    steps.sort(key=lambda pair: pair[0].moment)
    with moved_clock(connections[DEFAULT_DB_ALIAS]) as move_to:
        for step, pk in steps:
            move_to(step.moment)
            Subscription.all_objects.filter(pk=pk).update(**step.changes)
    return SubscriptionHistory.objects.filter(
        subscription__in=[life.subscription.pk for life in lives]
    ).count()


def _store(lives: list[Life], homes: Homes, *, at: datetime, seed: int) -> int:
    """Uploads and deletes school by school; the trigger adds them up, dated by the last one."""
    total = 0
    with ExitStack() as stack:
        clocks: dict[str, Callable[[datetime], None]] = {}
        for life in lives:
            rng = stream(seed, f"files/{life.school.subdomain}")
            made = files.events(life, at=at, rng=rng)
            if not made:
                continue
            alias = silos.alias_of(homes, life.school.id)
            if alias not in clocks:
                clocks[alias] = stack.enter_context(moved_clock(connections[alias]))
            clocks[alias](made[-1].created_at)
            total += _write_rows(made, alias)
    return total


def _copy(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    homes: Homes,
) -> int:
    """COPY: three times as fast as the largest INSERTs on these tables."""
    statement = f"COPY {model._meta.db_table} ({', '.join(columns)}) FROM STDIN"
    owner = columns.index("instance_id")
    with ExitStack() as stack:
        copies: dict[str, Any] = {}
        for row in rows:
            alias = silos.alias_of(homes, row[owner])
            if alias not in copies:
                cursor = stack.enter_context(connections[alias].cursor())
                copies[alias] = stack.enter_context(cursor.copy(statement))
            copies[alias].write_row(row)
    return len(rows)
