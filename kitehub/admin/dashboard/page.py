"""The page: what of the dashboard the person who asks may see."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from billing.months import HANOI
from kitehub.admin.dashboard import figures, queues
from kitehub.admin.dashboard.charts import (
    Chart,
    Funnel,
    funnel,
    recurring_chart,
    revenue_chart,
)
from kitehub.admin.dashboard.queues import Queue
from kitehub.admin.dashboard.tiles import Tile, money_tiles, number, subscription_tiles

SEES_MONEY = "billing.view_dailyfigure"
SEES_SUBSCRIPTIONS = "billing.view_subscription"
# Without it the numbers of money lead nowhere.
SEES_ORDERS = "billing.view_paymentorder"


@dataclass(slots=True)
class Dashboard:
    """What is shown; lists are empty where somebody may not see what they are of.

    `sees_figures` tells an empty business from one that is hidden; `quiet` is an empty one.
    """

    at: datetime
    sees_figures: bool
    money: list[Tile] = field(default_factory=list)
    subscriptions: list[Tile] = field(default_factory=list)
    charts: list[Chart] = field(default_factory=list)
    funnel: Funnel | None = None
    queues: list[tuple[Queue, str]] = field(default_factory=list)
    quiet: bool = False


def dashboard(request: HttpRequest, *, at: datetime) -> Dashboard:
    """Everything at a moment, in Vietnam's days; two queries for the figures and one for trials."""
    of_money = request.user.has_perm(SEES_MONEY)
    of_subscriptions = request.user.has_perm(SEES_SUBSCRIPTIONS)
    shown = Dashboard(at, of_money or of_subscriptions)
    # What is empty comes last, else in the order of their urgency.
    waiting = [each for each in queues.queues(request) if request.user.has_perms(each.permissions)]
    waiting.sort(key=lambda queue: not queue.count)
    shown.queues = [
        (queue, f"{number(queue.count)}+" if queue.capped else number(queue.count))
        for queue in waiting
    ]
    today = at.astimezone(HANOI).date()
    found = figures.read(today=today, of_money=of_money, of_subscriptions=of_subscriptions)
    shown.quiet = shown.sees_figures and not found
    if found and of_money:
        shown.money = money_tiles(found, today=today)
        if not request.user.has_perm(SEES_ORDERS):
            shown.money = [replace(tile, address="") for tile in shown.money]
        shown.charts.append(revenue_chart(found, today=today))
    if found and of_subscriptions:
        shown.subscriptions = subscription_tiles(found, now=at, today=today, of_money=of_money)
        shown.funnel = funnel(found, today=today)
        if of_money:
            shown.charts.append(recurring_chart(found, today=today))
    return shown


def context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds the dashboard to what the first page is made of (unfold's DASHBOARD_CALLBACK)."""
    return {**context, "dashboard": dashboard(request, at=timezone.now())}
