"""What a restored database must not believe: that a worker still holds a job, that the log holds what it lacks."""

from contextlib import closing

import pytest
from django.db import transaction

from wanjia.audit.access import AccessRow, AccessStore
from wanjia.audit.choices import Kind
from wanjia.audit.services import record
from wanjia.backup.restore import _take_back_marks
from wanjia.jobs.choices import State
from wanjia.jobs.leases import free_all
from wanjia.jobs.models import Job
from wanjia.kernel import clock
from wanjia.scope.system import system_viewer

LOOK = AccessRow(1, "", "households.read", "household", 7, "name", "", "451228")


@pytest.mark.django_db
def test_a_job_whose_worker_is_no_more_waits_again_as_if_it_had_not_been_tried():
    now = clock.now()
    waiting = {"name": "tests.any", "lane": "heavy", "user_id": 0, "run_at": now, "created_at": now}
    held = Job.objects.create(**waiting, state=State.RUNNING, lease_until=9e12, attempts=4, max_attempts=4, token=6)
    done = Job.objects.create(**waiting, state=State.DONE, attempts=1)

    assert free_all() == 1
    held.refresh_from_db()
    done.refresh_from_db()
    assert (held.state, held.attempts, held.lease_until, held.token) == (State.QUEUED, 3, None, 6)
    assert done.state == State.DONE


@pytest.mark.django_db(transaction=True)
def test_a_leaf_the_log_does_not_hold_is_recorded_again_and_one_it_holds_is_not(tmp_path):
    store = AccessStore(tmp_path / "node.sqlite3")
    for day in (16, 17):
        with clock.frozen(clock.start_of(clock.today().replace(day=day))):
            store.append([LOOK])
    with clock.frozen(clock.start_of(clock.today().replace(day=18))):
        store.plan_leaves()
    first, second = store.leaves_to_commit()
    for leaf in (first, second):
        store.mark_committed(leaf.event_id)
    with transaction.atomic():
        viewer = system_viewer("audit.commit_access")
        record(Kind.ACCESS, viewer=viewer, area="451228", act="audit.commit_access", content={"minute": first.minute},
               details=first.digests(), event_id=first.event_id)  # fmt: skip
    with closing(store):
        _take_back_marks(store.path)

        assert [leaf.event_id for leaf in store.leaves_to_commit()] == [second.event_id]
