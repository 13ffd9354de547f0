"""A lifecycle is one table of states that services, SQL and documentation are made from."""

import pytest

from kitehub.db.lifecycle import ForbiddenTransition, Lifecycle

KITE = Lifecycle(
    table="kites", follows={"ROLLED": ("FLYING",), "FLYING": ("ROLLED", "LOST"), "LOST": ()}
)


def test_pairs_are_every_transition() -> None:
    assert list(KITE.pairs()) == [("ROLLED", "FLYING"), ("FLYING", "ROLLED"), ("FLYING", "LOST")]


def test_staying_is_always_allowed() -> None:
    for state in KITE.follows:
        KITE.check(state, state)


def test_check_names_table_and_states() -> None:
    KITE.check("FLYING", "LOST")
    with pytest.raises(ForbiddenTransition, match="kites: LOST cannot become FLYING"):
        KITE.check("LOST", "FLYING")


def test_unknown_states_are_forbidden() -> None:
    assert not KITE.allows("ROLLED", "BURNT")
    with pytest.raises(ForbiddenTransition, match="kites: BURNT cannot become FLYING"):
        KITE.check("BURNT", "FLYING")


def test_trigger_has_each_pair_once() -> None:
    assert KITE.trigger() == (
        "CREATE TRIGGER guard_kites_status\n"
        "    AFTER UPDATE ON kites\n"
        "    FOR EACH ROW\n"
        "    WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN (\n"
        "        ('ROLLED', 'FLYING'),\n"
        "        ('FLYING', 'ROLLED'),\n"
        "        ('FLYING', 'LOST')\n"
        "    ))\n"
        "    EXECUTE FUNCTION refuse_transition();\n"
    )


def test_diagram_ends_where_nothing_follows() -> None:
    assert KITE.diagram() == (
        "stateDiagram-v2\n"
        "    ROLLED --> FLYING\n"
        "    FLYING --> ROLLED\n"
        "    FLYING --> LOST\n"
        "    LOST --> [*]"
    )
