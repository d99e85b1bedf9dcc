"""The queue: nothing queued that was not meant, nothing lost, nothing moved twice."""

import datetime as dt
import uuid

import pytest
from django.core.management import call_command
from django.db import transaction
from django_tasks.base import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from support import factories
from xiangsui.foundation.jobs import registry, selectors, services, tasks
from xiangsui.foundation.jobs.models import Job
from xiangsui.foundation.kit import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def declared(monkeypatch):
    """Declares jobs for one test only, and none of the rooms'."""
    monkeypatch.setattr(registry, "_declared", {})
    return registry.job


@pytest.fixture
def later(monkeypatch):
    """Sets the clock forward."""
    real = clock.now

    def move(**span):
        monkeypatch.setattr(clock, "now", lambda: real() + dt.timedelta(**span))

    return move


def work(job):
    """What the worker does with one job."""
    row = DBTaskResult.objects.get(pk=job.pk)
    row.status = TaskResultStatus.RUNNING
    row.started_at = clock.now()
    row.save()
    failed = None
    try:
        row.task.call(type("Context", (), {"task_result": row.task_result})(), *row.task_result.args)
    except Exception as error:
        failed = error
    row.status = TaskResultStatus.FAILED if failed else TaskResultStatus.SUCCESSFUL
    row.finished_at = clock.now()
    row.save()
    job.refresh_from_db()
    return failed


def status(job):
    return DBTaskResult.objects.get(pk=job.pk).status


def test_a_job_and_its_task_bear_one_identifier(declared):
    @declared(title="试验")
    def nothing(run):
        pass

    owner = uuid.uuid4()
    job = nothing.enqueue(owner=owner)
    assert DBTaskResult.objects.get().pk == job.pk
    assert (job.state, job.owner, job.label) == (Job.State.QUEUED, owner, "试验")


def test_a_rolled_back_transaction_leaves_nothing(declared):
    @declared(title="试验")
    def nothing(run):
        pass

    def interrupted():
        with transaction.atomic():
            nothing.enqueue()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert not Job.objects.exists()
    assert not DBTaskResult.objects.exists()


def test_once_returns_the_one_that_waits(declared):
    @declared(title="试验")
    def nothing(run):
        pass

    first = nothing.enqueue(once=True)
    assert nothing.enqueue(once=True) == first
    Job.objects.update(state=Job.State.RUNNING)
    assert nothing.enqueue(once=True) != first


def test_a_job_runs_with_its_arguments_and_shows_its_progress(declared):
    seen = []

    @declared(title="试验")
    def count(run, *, to):
        run.progress(1, to, "半途")
        seen.append(Job.objects.get(pk=run.job_id).percent)
        run.progress(to, to)

    job = count.enqueue(to=4)
    assert work(job) is None
    assert seen == [25]
    assert (job.state, job.percent, job.lease_until) == (Job.State.SUCCEEDED, 100, None)
    assert job.finished_at


def test_progress_bears_an_unknown_total(declared):
    @declared(title="试验")
    def count(run):
        run.progress(5, None)

    job = count.enqueue()
    assert work(job) is None
    assert job.percent == 0


def test_progress_is_written_at_most_twice_a_second(declared, django_assert_max_num_queries):
    @declared(title="试验")
    def count(run):
        with django_assert_max_num_queries(4):
            for done in range(500):
                run.progress(done, 500)

    assert work(count.enqueue()) is None


def test_while_it_runs_a_job_holds_a_lease(declared, settings):
    held = []

    @declared(title="试验")
    def look(run):
        held.append(Job.objects.get(pk=run.job_id))

    job = look.enqueue()
    work(job)
    [row] = held
    assert row.state == Job.State.RUNNING
    assert row.worker == tasks.WORKER
    assert clock.now() < row.lease_until <= clock.now() + dt.timedelta(seconds=settings.JOB_LEASE_SECONDS)


def test_a_failing_job_is_tried_again_then_given_up(declared, later):
    @declared(title="试验", retries=2)
    def fall(run):
        raise ValueError("名单读不出来")

    job = fall.enqueue()
    tries = 0
    for minute in range(1, 20):
        if status(job) == TaskResultStatus.READY:
            assert isinstance(work(job), ValueError)
            tries += 1
        later(minutes=minute * 30)
        services.jobs_sweep()
        job.refresh_from_db()
        if job.state == Job.State.FAILED:
            break
    assert tries == 3
    assert job.state == Job.State.FAILED
    assert "名单读不出来" in job.error
    assert job.finished_at


def test_a_retry_waits_a_little(declared, later):
    @declared(title="试验")
    def fall(run):
        raise ValueError

    job = fall.enqueue()
    work(job)
    assert services.jobs_sweep() == 0
    later(seconds=6)
    assert services.jobs_sweep() == 1


def test_a_job_that_recovers_succeeds_and_forgets_its_error(declared, later):
    times = []

    @declared(title="试验")
    def second_time(run):
        times.append(1)
        if len(times) == 1:
            raise ValueError

    job = second_time.enqueue()
    work(job)
    later(minutes=1)
    services.jobs_sweep()
    work(job)
    assert (job.state, job.error, job.attempts) == (Job.State.SUCCEEDED, "", 1)


def test_a_lost_worker_gives_its_job_to_the_next(declared, later):
    @declared(title="试验")
    def nothing(run):
        pass

    job = nothing.enqueue()
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=clock.now())
    Job.objects.update(state=Job.State.RUNNING, lease_until=clock.now() + dt.timedelta(seconds=60), worker="gone:1")
    assert services.jobs_sweep() == 0
    later(seconds=61)
    assert services.jobs_sweep() == 1
    assert services.jobs_sweep() == 0
    assert status(job) == TaskResultStatus.READY
    job.refresh_from_db()
    assert (job.state, job.attempts, job.worker) == (Job.State.QUEUED, 1, "")


def test_a_worker_lost_before_it_took_the_lease_loses_no_job(declared, later):
    @declared(title="试验")
    def nothing(run):
        pass

    job = nothing.enqueue()
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=clock.now())
    assert services.jobs_sweep() == 0
    later(seconds=61)
    assert services.jobs_sweep() == 1
    assert status(job) == TaskResultStatus.READY


def test_two_sweeps_at_once_move_a_job_once(declared, later, monkeypatch):
    @declared(title="试验", retries=9)
    def nothing(run):
        pass

    job = nothing.enqueue()
    DBTaskResult.objects.update(status=TaskResultStatus.RUNNING, started_at=clock.now())
    Job.objects.update(state=Job.State.RUNNING, lease_until=clock.now(), worker="gone:1")
    later(seconds=5)
    moved, find = [], registry.find

    def interrupted(kind):
        # Between this sweep's look and its move another one does the whole of its work.
        if not moved:
            moved.append(None)
            moved[0] = services.jobs_sweep()
        return find(kind)

    monkeypatch.setattr(services, "find", interrupted)
    mine = services.jobs_sweep()
    assert sorted([mine, moved[0]]) == [0, 1]
    job.refresh_from_db()
    assert job.attempts == 1


def test_a_job_whose_declaration_is_gone_ends(declared, later):
    job = factories.job(state=Job.State.RUNNING, lease_until=clock.now())
    later(seconds=5)
    assert services.jobs_sweep() == 0
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    assert job.label == "nobody.declares.this"


def test_the_tick_asks_for_what_is_due_and_no_more(declared, later):
    @declared(title="常做", every=dt.timedelta(minutes=10))
    def often(run):
        pass

    @declared(title="不自己做")
    def never(run):
        pass

    services.jobs_tick()
    services.jobs_tick()
    assert [job.kind for job in Job.objects.all()] == [often.kind]
    later(minutes=11)
    services.jobs_tick()
    assert Job.objects.count() == 1, "the first still waits"
    Job.objects.update(state=Job.State.SUCCEEDED)
    services.jobs_tick()
    services.jobs_tick()
    assert Job.objects.count() == 2


def test_old_jobs_are_pruned_with_their_tasks(declared, later):
    @declared(title="试验")
    def nothing(run):
        pass

    work(nothing.enqueue())
    waiting = nothing.enqueue()
    later(days=31)
    assert services.jobs_prune() == 1
    assert [job.pk for job in Job.objects.all()] == [waiting.pk]
    assert [row.pk for row in DBTaskResult.objects.all()] == [waiting.pk]


def test_periodic_jobs_are_no_news(declared):
    @declared(title="常做", every=dt.timedelta(minutes=10))
    def often(run):
        pass

    @declared(title="请求的")
    def asked(run):
        pass

    often.enqueue()
    wanted = asked.enqueue()
    assert selectors.jobs_active() == [wanted]
    assert len(selectors.jobs_recent()) == 2


@pytest.mark.django_db(transaction=True)
def test_the_worker_runs_what_is_queued(declared):
    """Between tasks the worker gives its connection back, so no transaction of the test's may be open."""
    ran = []

    @declared(title="试验")
    def remember(run, *, what):
        ran.append(what)

    jobs = [remember.enqueue(what=number) for number in range(3)]
    call_command("worker", "--once")
    assert sorted(ran) == [0, 1, 2]
    assert {Job.objects.get(pk=job.pk).state for job in jobs} == {Job.State.SUCCEEDED}


def test_a_very_long_error_is_cut_and_not_lost(declared):
    @declared(title="试验", retries=0)
    def fall(run):
        raise ValueError("长" * 2_000)

    job = fall.enqueue()
    work(job)
    assert job.state == Job.State.FAILED
    assert len(job.error) == 500
