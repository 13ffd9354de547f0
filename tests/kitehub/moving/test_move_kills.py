"""A move that is killed anywhere leaves the school working at one place, and the next run finishes.

Two writers go on through all of it. No event of theirs is lost or counted twice.
"""

import signal

import pytest

from kitehub import tenancy
from kitehub.enums import MoveStep
from kitehub.models import Instance, InstanceMove
from kitehub.moving import abort, copying, move, purge
from storage.models import StorageEvent
from tests.kitehub.moving.movers import Writers, movers
from tests.kitehub.moving.schools import assert_ledger, fresh, sums

# In the order of a move; each is killed when it begins, or once it is done. One school goes through
# all of them, so each run also goes on from where the last one died.
KILLS = [
    ("run._prepare", False),
    ("places.make", True),
    ("copying.copy_all", False),
    ("copying._stream", True),
    ("copying.copy_all", True),
    ("copying.copy_changes", False),
    ("copying.compare", False),
    ("gates.extend", True),
    ("run._switch", True),
    ("gates.reopen", False),
    ("run._finish", True),
]


def lived_at(instance: Instance) -> str:
    return tenancy.alias_of(fresh(instance))


def test_every_kill_leaves_one_place_that_works(moved_school: Instance) -> None:
    first = lived_at(moved_school)
    with movers() as moved_by_another:
        writers = Writers(moved_school)
        for to in ("silo", "pool"):
            for function, after in KILLS:
                status = moved_by_another(moved_school, to, function, after)
                assert status == signal.SIGKILL, (to, function, after)
                writers.wait_for_more()
            assert InstanceMove.objects.latest("created_at").step == MoveStep.DONE
            move(instance=fresh(moved_school), to=to, actor="ops")
            purge(instance=fresh(moved_school))
            writers.wait_for_more()
        writers.end()
    assert lived_at(moved_school) == first == tenancy.POOL
    assert writers.refused > 0
    with tenancy.use(fresh(moved_school)):
        written = StorageEvent.objects.filter(file_size_bytes=1)
        assert set(written.values_list("pk", flat=True)) == set(writers.kept)
    assert_ledger(moved_school, 4 + len(writers.kept))
    assert InstanceMove.objects.count() == 2


@pytest.mark.parametrize("function", ["copying.copy_all", "copying.compare", "gates.extend"])
def test_killed_move_can_be_given_up(moved_school: Instance, function: str) -> None:
    before = sums(moved_school)
    with movers() as moved_by_another:
        assert moved_by_another(moved_school, "silo", function, True) == signal.SIGKILL
    abort(instance=fresh(moved_school))
    assert InstanceMove.objects.get().step == MoveStep.ABORTED
    assert lived_at(moved_school) == tenancy.POOL
    assert copying.late_changes(tenancy.POOL, moved_school.pk) == 0
    assert sums(moved_school) == before
    writers = Writers(moved_school, count=1)
    writers.wait_for_more()
    writers.end()
    assert writers.refused == 0
