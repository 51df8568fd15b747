"""A reason that holds an identity number is refused before anything is written.

On PostgreSQL a row that was rolled back stays in the table's file and in the write-ahead log.
"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from wanjia.accounts import services as accounts
from wanjia.audit.errors import IdentityNumberInPayload
from wanjia.comparison import services as comparison
from wanjia.registry import services as registry
from wanjia.scope.system import system_viewer
from wanjia.sources import services as sources
from wanjia.workforce import services as workforce

ACTS = {
    "lock": lambda viewer, said: accounts.lock(viewer=viewer, user_id=1, reason=said),
    "correct": lambda viewer, said: registry.correct(viewer=viewer, edits=[], reason=said),
    "reveal": lambda viewer, said: registry.reveal(viewer=viewer, field="phone", reason=said, household_no=1),
    "reject a batch": lambda viewer, said: sources.reject_batch(viewer=viewer, batch_id=1, reason=said),
    "release a run": lambda viewer, said: comparison.release_run(viewer=viewer, run_id=1, reason=said),
    "discard a run": lambda viewer, said: comparison.discard_run(viewer=viewer, run_id=1, reason=said),
    "unpair": lambda viewer, said: workforce.unpair(viewer=viewer, user_id=1, household_no=1, reason=said),
}


@pytest.mark.django_db
@pytest.mark.parametrize("act", ACTS)
def test_nothing_is_written_for_a_reason_with_an_identity_number(act):
    with CaptureQueriesContext(connection) as asked, pytest.raises(IdentityNumberInPayload) as refused:
        ACTS[act](system_viewer("registry.guards"), "原号 459999199001011234，已核对")

    assert refused.value.status == 422
    assert [query["sql"] for query in asked if not query["sql"].startswith(("SAVEPOINT", "ROLLBACK", "RELEASE"))] == []
