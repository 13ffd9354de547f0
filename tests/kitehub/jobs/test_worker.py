"""Workers: stopped, killed, several at once, and without a database."""

import os
import signal
import subprocess
import sys
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from kitehub import workflows
from kitehub.enums import Tier
from kitehub.jobs import services
from kitehub.jobs.worker import PREPARE_THRESHOLD, staying_connected
from kitehub.models import Instance, InstanceConfig
from tests.concurrency.threads import PATIENCE
from tests.factories.kitehub import InstanceConfigFactory, InstanceFactory
from tests.kitehub.db.clients import ROOT
from tests.kitehub.jobs.processes import process, silent_for_long
from tests.kitehub.jobs.working import jobs, run_due, states, task, wait_until, working

MIDDLE = "kitehub.workflows.tiers._tell_tier"


@pytest.fixture
def school(transactional_db: None) -> Instance:
    school = InstanceFactory()
    InstanceConfigFactory(instance_id=school.id)
    workflows.change_tier(instance=school, tier=Tier.PREMIUM, actor="lan", reason="")
    return school


def test_sigterm_lets_the_running_job_finish(school: Instance) -> None:
    with process(MIDDLE) as worker:
        worker.process.send_signal(signal.SIGTERM)
        workflows.change_tier(instance=school, tier=Tier.STANDARD, actor="lan", reason="")
        code, out, errors = worker.end("\n")
    assert code == 0, errors
    assert out.endswith("Stopped.\n")
    assert states() == ["succeeded", "todo"], "and it takes no other"
    # It looked again, and the second line of stdin was its end.
    assert InstanceConfig.objects.get().tier == "STANDARD"


def test_the_job_of_a_killed_worker_is_done_by_the_next_one_once(school: Instance) -> None:
    before = InstanceConfig.objects.get().version
    with process(MIDDLE) as worker:
        worker.process.send_signal(signal.SIGKILL)
        assert worker.end()[0] == -signal.SIGKILL
    assert states() == ["doing"]
    run_due()
    assert states() == ["doing"], "nobody may take it before its worker has been silent for long"
    silent_for_long()
    with working():
        wait_until(lambda: states() == ["succeeded"])
    config = InstanceConfig.objects.get()
    assert (config.tier, config.version) == ("PREMIUM", before + 1)
    assert jobs()[0][2] == 2, "attempts"
    assert services.requeue_stalled() == 0


@pytest.mark.django_db(transaction=True)
def test_a_stalled_job_that_waits_a_second_time_is_given_up() -> None:
    def nothing() -> None: ...

    with task(nothing, queueing_lock="one") as name:
        for _ in range(2):
            services.enqueue(name)
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE procrastinate_jobs SET status = 'doing'"
                    " WHERE id = (SELECT min(id) FROM procrastinate_jobs)"
                )
        assert states() == ["doing", "todo"]
        assert services.requeue_stalled() == 1
        assert states() == ["aborted", "todo"]


@pytest.mark.django_db(transaction=True)
def test_a_living_workers_job_is_left_to_it() -> None:
    begun, end = threading.Event(), threading.Event()

    def long() -> None:
        begun.set()
        assert end.wait(PATIENCE)

    with task(long) as name, working():
        services.enqueue(name)
        assert begun.wait(PATIENCE)
        assert services.requeue_stalled() == 0
        end.set()
        wait_until(lambda: states(name) == ["succeeded"])


@pytest.mark.django_db(transaction=True)
def test_two_workers_share_the_jobs_and_do_each_once() -> None:
    for _ in range(6):
        school = InstanceFactory()
        InstanceConfigFactory(instance_id=school.id)
        workflows.change_tier(instance=school, tier=Tier.PREMIUM, actor="lan", reason="")
    before = set(InstanceConfig.objects.values_list("version", flat=True))
    with process(MIDDLE) as one, process(MIDDLE) as two:
        assert states().count("doing") == 2, "both at once"
        for each in (one, two):
            assert each.process.stdin
            each.process.stdin.write("\n" * 20)
            each.process.stdin.flush()
        wait_until(lambda: states() == ["succeeded"] * 6)
    after = list(InstanceConfig.objects.values_list("tier", "version"))
    assert after == [("PREMIUM", version + 1) for version in before] * 6


def test_without_its_database_it_ends_with_a_line() -> None:
    nowhere = "postgres://kitehub@127.0.0.1:1/kitehub"
    ended = subprocess.run(
        [sys.executable, "manage.py", "worker"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": nowhere, "DJANGO_DEBUG": "on"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "127.0.0.1:1" in ended.stderr


@pytest.mark.django_db(transaction=True)
def test_threads_keep_their_connection_from_job_to_job() -> None:
    backends = []

    def look() -> None:
        connection.ensure_connection()
        raw = connection.connection
        backends.append((threading.get_ident(), raw.info.backend_pid, raw.prepare_threshold))

    before = dict(connection.settings_dict)
    with task(look) as name, staying_connected():
        for _ in range(3):
            services.enqueue(name)
        run_due()
    assert len(backends) == 3
    threads, pids, _thresholds = (set(each) for each in zip(*backends, strict=True))
    assert len(pids) == len(threads)
    assert {threshold for _, _, threshold in backends} == {PREPARE_THRESHOLD}
    assert connection.settings_dict == before

    def gone() -> bool:
        with connection.cursor() as cursor:
            alive = "SELECT FROM pg_stat_activity WHERE pid = ANY (%s)"
            cursor.execute(alive, [list(pids)])
            return not cursor.fetchone()

    wait_until(gone)


@pytest.mark.django_db
def test_without_its_tables_it_says_what_to_run() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE job_failures RENAME TO elsewhere")
    with pytest.raises(CommandError, match=r"Run manage\.py migrate first"):
        call_command("worker", "--once")


@pytest.mark.parametrize("count", ["0", "x", "101"])
def test_impossible_concurrency_is_refused(count: str) -> None:
    with pytest.raises(CommandError, match="no number from 1 to 100"):
        call_command("worker", "--concurrency", count)
