"""What a task holds while it runs: its viewer, its progress, and the one way to have an effect."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from django.db import transaction

from wanjia.accounts import queries as accounts
from wanjia.jobs import leases
from wanjia.jobs.errors import Cancelled, Draining, LostLease, ViewerGone
from wanjia.jobs.leases import Claim
from wanjia.kernel.points import reached
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import ANONYMOUS, Viewer

Count = int


class JobHandle:
    """A running job, as its task sees it.

    The heart (a thread of the worker) renews the lease, writes the progress and learns of
    cancellation; the task only leaves its figures here and looks. Without a heart, when jobs run
    in the caller's thread, the handle writes and looks for itself.
    """

    def __init__(self, claim: Claim, *, lease: float = leases.LEASE_SECONDS, has_heart: bool = False) -> None:
        self.claim = claim
        self.finished = False
        self._lease = lease
        self._has_heart = has_heart
        self._guard = threading.Lock()
        self._progress: tuple[Count, Count, str] | None = None
        self._stop: type[Cancelled | LostLease | Draining] | None = None

    @property
    def id(self) -> int:
        return self.claim.job_id

    @cached_property
    def viewer(self) -> Viewer:
        """For whom the job works, with the grants he holds now. Raises ViewerGone."""
        if self.claim.system:
            return system_viewer(self.claim.system)
        user = accounts.active_account(self.claim.user_id)
        if user is None:
            raise ViewerGone(job=self.id)
        return accounts.viewer_for(user)

    @property
    def served(self) -> Viewer:
        """Whose reach the job's statements have; a job whose viewer is gone reaches nothing."""
        try:
            return self.viewer
        except ViewerGone:
            return ANONYMOUS

    def progress(self, done: int, total: int = 0, note: str = "") -> None:
        """Say how far the job is; `total` 0 while unknown. Cheap: call it as often as you like."""
        with self._guard:
            self._progress = (done, total, note)

    @property
    def kept(self) -> dict[str, Any]:
        """What an earlier try of this job said it had reached."""
        return self.claim.kept

    def keep(self, **facts: Any) -> None:
        """Leave ids for a later try, should this one be interrupted. Raises LostLease."""
        self.claim.kept.update(facts)
        leases.keep(self.claim, self.claim.kept)

    def check(self) -> None:
        """Raise if the job should stop: Cancelled, LostLease or Draining. Call it between steps."""
        if not self._has_heart:
            self.beat()
        if self._stop is not None:
            raise self._stop

    @contextmanager
    def finishing(self, result: dict[str, Any] | None = None) -> Iterator[None]:
        """The transaction in which the job has its effect and is done, or neither.

        Everything the task changes for good belongs in this block, and nothing slow: others wait
        for the lock it holds. `result` (ids and counts) stays with the job. Raises LostLease when
        another worker has taken over, Cancelled when somebody cancelled.
        """
        if self.finished:
            raise RuntimeError(f"job {self.id} has finished already")
        with transaction.atomic(durable=True):
            leases.require(self.claim)
            yield
            self._write_progress()
            leases.complete(self.claim, result or {})
            reached("jobs.finishing")
        reached("jobs.finished")
        self.finished = True

    def beat(self, *, renew: bool = True) -> None:
        """Renew the lease, write the progress, look for cancellation."""
        progress = self._taken_progress()
        wanted: bool | None = True
        if renew or progress:
            wanted = leases.renew(self.claim, lease=self._lease, **progress) or None
        if wanted is not None:
            wanted = leases.cancel_requested(self.claim)
        if wanted is None and not self.finished:
            self.stop(LostLease)
        elif wanted:
            self.stop(Cancelled)

    def stop(self, why: type[Cancelled | LostLease | Draining]) -> None:
        """Let the next `check` raise. A lost lease outweighs everything else."""
        if self._stop is not LostLease:
            self._stop = why

    def _taken_progress(self) -> dict[str, Any]:
        with self._guard:
            taken, self._progress = self._progress, None
        return {} if taken is None else {"done": taken[0], "total": taken[1], "note": taken[2][:200]}

    def _write_progress(self) -> None:
        progress = self._taken_progress()
        if progress and not leases.renew(self.claim, lease=self._lease, **progress):
            raise LostLease
