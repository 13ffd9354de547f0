"""The benchmark of the admin's lists runs on both sizes; what it measures is not asserted."""

from collections.abc import Iterator

import pytest

from billing.models import PaymentOrder
from tests.benchmarks import admin, office

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _without_rows() -> Iterator[None]:
    yield
    # The planner of later tests would go by them.
    office.clear()


def test_pages_are_asked_for_on_both_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    lists = ["--lists", "paymentorder", "guestevent"]
    admin.main(["--orders", "400", "--small", "300", "--runs", "1", *lists])
    assert PaymentOrder.objects.count() == 400
    lines = capsys.readouterr().out.splitlines()
    pages = [line.rsplit(None, 4)[0] for line in lines[2:-1]]
    assert {f"paymentorder {name}" for name in ("first page", "middle", "search school")} <= {
        *pages
    }
    assert "guestevent search large school" in pages
    assert all(float(line.split()[-2]) > 0 for line in lines[2:-1])
    assert lines[-1].startswith("worst ratio ")


@pytest.mark.parametrize("wrong", ["--orders=10", "--small=5", "--runs=0", "--lists=nothing"])
def test_nonsense_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        admin.main([wrong])
    assert "usage:" in capsys.readouterr().err
