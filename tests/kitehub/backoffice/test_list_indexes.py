"""Each list has an index for its order, its tabs, its filters and its search."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.filters import SimpleListFilter
from django.db import connection, models
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from billing.models import PaymentOrder
from kitehub.backoffice.counts import counts_up_to, counts_within
from kitehub.backoffice.deletion import DeletedFilter
from kitehub.backoffice.filters import AmountRangeFilter, DayRangeFilter
from kitehub.backoffice.lists import CarefulLists
from kitehub.db.base import Record
from kitehub.models import User
from tests.explain import filled, indexes_used, sorts_many, tables_scanned
from tests.factories.kitehub import InstanceFactory
from tests.kitehub.backoffice.pages import list_url

REGISTERED = list(admin.site._registry.items())
LARGE = [(model, its) for model, its in REGISTERED if not its.small]
EACH = pytest.mark.parametrize(
    ("model", "model_admin"), LARGE, ids=[model._meta.model_name for model, _ in LARGE]
)
# Conditions of partial indexes that a list's rows fit by themselves.
LIVE = {"", "(NOT deleted)"}
# Tabs whose condition is an index's own, and what that index says of it.
BY_CONDITION = {
    "part-paid": "(paid_amount > 0)",
    "staff": "is_staff",
    "superusers": "is_superuser",
    "inactive": "(NOT is_active)",
}
# Filters without an index for their order, and why that is well.
OTHER_FILTERS = {
    # A partial index has those that are rare; the others, nearly all, are soon found by the moment.
    ("guestevent", "event_type"): "timestamp",
    ("storageevent", "operation"): "created_at",
    # The members of a group are few, and an index of theirs leads to them.
    ("user", "groups"): "email",
    # A partial index of its own leads to the few that were paid late.
    ("paymentorder", "paid"): "paid_at",
    # Those whose database wants somebody are few, and partial indexes of instance_watch name them.
    ("instance", "database"): "id",
    ("instancewatch", "database"): "instance",
    # The same of moves that go on.
    ("instancemove", "unfinished"): "instance",
    # Each tier has many schools, so that a page of them is soon found in any order.
    ("instanceconfig", "tier"): "created_at",
    # Live ones are most; partial indexes lead to the others.
    ("apikey", "state"): "created_at",
    # Partial indexes have the few that are full.
    ("storageusage", "fill"): "instance_id",
}


def indexes(model: type[models.Model]) -> list[tuple[list[str], str]]:
    """The columns of each index of a table, and its condition."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ARRAY(SELECT trim('\"' FROM pg_get_indexdef(i.indexrelid, n, true))"
            " FROM generate_series(1, i.indnkeyatts) AS n),"
            " coalesce(pg_get_expr(i.indpred, i.indrelid), '')"
            " FROM pg_index AS i WHERE i.indrelid = %s::regclass AND i.indisvalid",
            [model._meta.db_table],
        )
        return list(cursor.fetchall())


def leads(model: type[models.Model], *names: str, condition: str = "") -> bool:
    """Whether some index begins with these columns and holds the rows of a list."""
    columns = [model._meta.get_field(name).column for name in names]
    allowed = LIVE | {condition}
    allowed |= {f"({column} IS NOT NULL)" for column in columns}
    allowed |= {f"((NOT deleted) AND ({column} IS NOT NULL))" for column in columns}
    allowed |= {f"(NOT (({column})::text = ''::text))" for column in columns}
    return any(
        found[: len(columns)] == columns and pred in allowed for found, pred in indexes(model)
    )


def first_of(model_admin: Any) -> str:
    return str(model_admin.indexed_orders()[0].columns[0])


def test_every_list_is_a_careful_one() -> None:
    careless = [model for model, its in REGISTERED if not isinstance(its, CarefulLists)]
    assert careless == []
    assert len(LARGE) >= 14


def test_a_column_without_index_is_noticed(db: None) -> None:
    assert leads(PaymentOrder, "status", "created_at")
    assert not leads(PaymentOrder, "payment_content")
    assert not leads(PaymentOrder, "subject")


@EACH
def test_an_index_gives_each_order(db: None, model: type, model_admin: Any) -> None:
    for order in model_admin.indexed_orders():
        # Of rows with the same first column, few, PostgreSQL sorts the rest by itself.
        assert leads(model, order.columns[0]), order
    if issubclass(model, Record):
        assert leads(model, first_of(model_admin), condition="deleted"), "deleted rows"


@EACH
def test_an_index_leads_to_each_tab(db: None, model: type, model_admin: Any) -> None:
    for tab in model_admin.tabs:
        if says := BY_CONDITION.get(tab.key):
            first = [first_of(model_admin)]
            assert any(found[:1] == first and says in pred for found, pred in indexes(model)), tab
        else:
            ((column, _value),) = tab.condition().children
            assert leads(model, column, first_of(model_admin)), tab


@EACH
def test_an_index_leads_to_the_rows_of_each_filter(db: None, model: type, model_admin: Any) -> None:
    firsts = [order.columns[0] for order in model_admin.indexed_orders()]
    for declared in model_admin.get_list_filter(request()):
        name, kind = declared if isinstance(declared, tuple) else (declared, None)
        if kind in (DayRangeFilter, AmountRangeFilter):
            assert name in firsts, name
        elif name is not DeletedFilter:
            simple = isinstance(name, type) and issubclass(name, SimpleListFilter)
            column = name.parameter_name if simple else name
            if other := OTHER_FILTERS.get((model._meta.model_name, column)):
                assert leads(model, other)
            else:
                assert leads(model, column, first_of(model_admin)), column


@EACH
def test_an_index_leads_to_what_is_searched(db: None, model: type, model_admin: Any) -> None:
    for column in (*model_admin.search_columns, *model_admin.search_uuids):
        assert leads(model, column), column
    if model_admin.search_amount:
        assert leads(model, model_admin.search_amount, first_of(model_admin))


def request(**asked: str) -> Any:
    made = RequestFactory().get(list_url(PaymentOrder), asked)
    made.user = User(is_superuser=True, is_staff=True, is_active=True)
    made.resolver_match = None
    return made


@pytest.fixture(scope="class")
def many(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Orders of ten years: half of them one school's, most paid, the few that wait the oldest."""
    columns = {
        "order_id": "'KH' || n",
        "type": "'SUBSCRIPTION'::payment_type",
        "status": "CASE WHEN n <= 40 THEN 'PENDING' WHEN n % 10 = 0 THEN 'EXPIRED' ELSE 'PAID' END"
        "::payment_status",
        "instance_id": "lpad(to_hex(CASE WHEN n % 2 = 0 THEN 7 ELSE n END), 32, '0')::uuid",
        "user_id": "lpad(to_hex(n), 32, '0')::uuid",
        "amount": "299000 + n % 7 * 1000",
        "payment_content": "'KITEHUB KH' || n",
        "created_at": "now() - (100001 - n) * interval '50 minutes'",
        "expires_at": "now()",
        "paid_at": "CASE WHEN n > 40 AND n % 10 > 0 THEN now() - (100001 - n)"
        " * interval '50 minutes' END",
    }
    with django_db_blocker.unblock(), filled("payment_orders", columns):
        yield


def paged(**asked: str) -> Sequence[Any]:
    """What the list's address asks for: the first page, the next, and the count."""
    changes = admin.site._registry[PaymentOrder].get_changelist_instance(request(**asked))
    behind = changes.order.position(PaymentOrder, changes.next_cursor, of=changes.first_url)
    rows = changes.queryset[:51]
    return [rows] if behind is None else [rows, changes.order.beyond(changes.queryset, behind)[:51]]


@pytest.mark.usefixtures("many")
class TestOnAHundredThousandOrders:
    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"tab": "PENDING"},
            {"tab": "PAID"},
            {"tab": "CANCELLED"},
            {"tab": "part-paid"},
            {"q": "big-school"},
            {"q": "KH77"},
            {"q": "301.000"},
            {"q": "5"},
            {"o": "3"},
            {"o": "-3"},
            {"amount_from": "304.000"},
            {"paid_at_from": "01/01/2024"},
            {"created_at_from": "01/01/2024", "tab": "PENDING"},
            {"type__exact": "SUBSCRIPTION"},
            {"deleted": "yes"},
            {"deleted": "all"},
            {"paid": "late"},
        ],
        ids=str,
    )
    def test_no_page_reads_or_sorts_the_table(self, db: None, asked: dict[str, str]) -> None:
        InstanceFactory(id="00000000-0000-0000-0000-000000000007", subdomain="big-school")
        for rows in paged(**asked):
            assert tables_scanned(rows) - {"instances"} == set()
            assert not sorts_many(rows)

    def test_what_scans_is_noticed(self, db: None) -> None:
        rows = PaymentOrder.objects.filter(payment_content__icontains="nowhere")
        assert tables_scanned(rows) or not indexes_used(rows) & {"payment_orders_pkey"}
        by_memo = PaymentOrder.objects.order_by("payment_content")[:51]
        assert sorts_many(by_memo)

    def test_late_orders_are_read_by_when_they_were_paid(self, db: None) -> None:
        for rows in paged(paid="late"):
            assert indexes_used(rows) - {"instances_pkey"} == {"idx_payment_orders_late"}

    def test_tabs_are_counted_in_the_declared_order_whichever_was_chosen(self, db: None) -> None:
        model_admin = admin.site._registry[PaymentOrder]
        with CaptureQueriesContext(connection) as asked:
            changes = model_admin.get_changelist_instance(request(o="3"))
        assert changes.order.columns[0] == "amount"
        (counts,) = [each["sql"] for each in asked if "parts" in each["sql"]]
        assert '"amount"' not in counts
        assert counts.count("ORDER BY") == len(changes.tabs)

    def test_all_is_not_counted_where_a_tab_has_more(self, db: None) -> None:
        orders = PaymentOrder.objects.order_by("-created_at", "-id")
        waiting, paid = (orders.filter(status=status) for status in ("PENDING", "PAID"))
        assert counts_within(orders.none(), [waiting, paid]) == [1_001, 40, 1_001]
        assert counts_within(orders, [waiting]) == [1_001, 40]
        assert counts_within(waiting, [waiting, orders.none()]) == [40, 40, 0]
        assert counts_within(orders.none(), [orders.none()]) == [0, 0]

    def test_counts_stop(self, db: None) -> None:
        model_admin = admin.site._registry[PaymentOrder]
        changes = model_admin.get_changelist_instance(request())
        assert changes.counted == 1_001
        assert [tab.said for tab in changes.tabs][:3] == ["1.000+", "40", "1.000+"]
        (all_of_a_school,) = counts_up_to([PaymentOrder.objects.filter(instance_id__isnull=False)])
        assert all_of_a_school == 1_001
