"""Which tasks there are, and when they are due: declared by slices, discovered here.

In `<slice>/tasks.py` (slices above `jobs`):

    @task("sources.accept", lane=Lane.HEAVY, lock=lambda args: f"batch:{args['batch_id']}")
    def accept(job: JobHandle, batch_id: int) -> None:
        ...
        with job.finishing():
            services.accept(viewer=job.viewer, batch_id=batch_id)

    SCHEDULES = [{"task": "casework.escalate", "every": 3600}]

A slice below `jobs` may not import it; its `tasks.py` holds data only, naming a function without
arguments that may safely run twice:

    SCHEDULES = [{"task": "audit.commit_access", "run": "wanjia.audit.services.commit_access",
                  "every": 60, "each_node": True}]

A schedule has `every` (seconds) or `daily` ("06:30", China), and may have `args` and `each_node`
(on every machine that runs a worker instead of once for all).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.utils.module_loading import import_string

from wanjia.jobs.choices import Lane
from wanjia.jobs.errors import UnknownTask
from wanjia.jobs.rules import Rhythm

if TYPE_CHECKING:
    from wanjia.jobs.handle import JobHandle

__all__ = ["Lane", "Schedule", "Task", "schedules", "task", "task_named"]

Work = Callable[..., None]
Lock = Callable[[Mapping[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class Task:
    """A declared piece of background work. `lock` names what no two running jobs may share."""

    name: str
    run: Work
    lane: Lane
    retries: int
    lock: Lock | None

    def lock_for(self, args: Mapping[str, Any]) -> str:
        return (self.lock(args) if self.lock else None) or ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a task is put into the queue by itself."""

    task: str
    rhythm: Rhythm
    each_node: bool = False
    args: Mapping[str, Any] = field(default_factory=dict)


_tasks: dict[str, Task] = {}
_discovery = threading.RLock()


def task(
    name: str, *, lane: Lane = Lane.INTERACTIVE, retries: int = 3, lock: Lock | None = None
) -> Callable[[Work], Work]:
    """Declare a task: a function that gets a JobHandle and the job's arguments.

    It may be run more than once, up to the block `with job.finishing():`, which is entered by one
    worker only. A Refusal ends the job at once; any other exception is tried again `retries`
    times, with growing waits.
    """

    def declare(function: Work) -> Work:
        _add(Task(name, function, lane, retries, lock))
        return function

    return declare


def _add(new: Task) -> None:
    known = _tasks.setdefault(new.name, new)
    if known is not new and known.run is not new.run:
        raise ValueError(f"two tasks are named {new.name}")


def task_named(name: str) -> Task:
    """The declared task. Raises UnknownTask."""
    schedules()  # imports every slice's tasks once
    try:
        return _tasks[name]
    except KeyError:
        raise UnknownTask(name=name) from None


def schedules() -> tuple[Schedule, ...]:
    """Every schedule of every slice; imports their `tasks` modules the first time."""
    with _discovery:  # the threads of a worker all ask at once when it starts
        return _discovered()


@cache
def _discovered() -> tuple[Schedule, ...]:
    found: list[Schedule] = []
    for config in apps.get_app_configs():
        path = f"{config.name}.tasks"
        if config.name.startswith("wanjia.") and find_spec(path) is not None:
            found.extend(_schedule(entry) for entry in getattr(import_module(path), "SCHEDULES", ()))
    unknown = {entry.task for entry in found} - _tasks.keys()
    if unknown:
        raise ValueError(f"schedules name tasks that are not declared: {sorted(unknown)}")
    return tuple(found)


def _schedule(entry: Mapping[str, Any]) -> Schedule:
    known = {"task", "every", "daily", "each_node", "args", "run"}
    if not entry.keys() <= known:
        raise ValueError(f"a schedule has {sorted(known)}, not {sorted(entry.keys() - known)}")
    if "run" in entry:
        _add(Task(entry["task"], _calling(entry["run"]), Lane.INTERACTIVE, retries=3, lock=None))
    every = timedelta(seconds=entry["every"]) if "every" in entry else None
    daily = time.fromisoformat(entry["daily"]) if "daily" in entry else None
    return Schedule(entry["task"], Rhythm(every, daily), entry.get("each_node", False), entry.get("args", {}))


def _calling(path: str) -> Work:
    function = import_string(path)

    def work(_job: JobHandle) -> None:
        function()

    return work
