"""The benchmark of silos runs; what it measures is not asserted."""

import pytest

from tests.benchmarks import tenants


@pytest.mark.django_db(transaction=True)
def test_every_way_is_compared(capsys: pytest.CaptureFixture[str]) -> None:
    tenants.main(["--tenants", "1", "--runs", "1", "--queries", "5"])
    said = capsys.readouterr().out
    opening = [line for line in said.splitlines() if line.startswith(("open_", "one "))]
    assert [line[:16].strip() for line in opening[:3]] == [
        "open_instances",
        "one by one",
        "one alone",
    ]
    assert opening[0].endswith(("met", "missed"))
    lines = said[said.index("1 silos") :].splitlines()
    assert [line[:16].strip() for line in lines[2:]] == [
        "nothing to do",
        "one AddField",
        "query in use",
        "entering use too",
        "from zero",
    ]
    assert [line.endswith(("met", "missed")) for line in lines[2:]] == [
        True,
        True,
        True,
        False,
        False,
    ]
