"""`{% load jobs %}{% job_progress job %}`: how far a job is, on any page, refreshing itself."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import get_language, gettext

from wanjia.jobs import queries
from wanjia.jobs.choices import State
from wanjia.jobs.models import Job

register = template.Library()

TONES = {
    State.QUEUED: "waiting",
    State.RUNNING: "active",
    State.DONE: "done",
    State.FAILED: "refused",
    State.CANCELLED: "muted",
}


def shown(job: Job) -> dict[str, Any]:
    """A job in the reader's words: state, progress, time left, and why it failed."""
    progress = queries.progress_of(job)
    refusal = queries.refusal_of(job)
    happened, cure = refusal.sentences(get_language() or "zh") if refusal else ("", "")
    left = progress.left if job.state == State.RUNNING else None
    return {
        "job": job,
        "word": str(State(job.state).label),
        "tone": TONES[State(job.state)],
        "note": gettext(progress.note) if progress.note else "",
        "progress": progress,
        "rate": round(progress.rate) if progress.rate else None,
        "seconds_left": int(left.total_seconds()) if left is not None else None,
        "minutes_left": int(left.total_seconds() // 60) if left is not None else None,
        "happened": happened,
        "cure": cure,
        "code": job.error_code,
    }


@register.inclusion_tag("jobs/_progress.html")
def job_progress(job: Job) -> dict[str, Any]:
    """The progress of `job`; asks again every two seconds while the job is open."""
    return shown(job)


@register.simple_tag
def job_title(job: Job) -> str:
    """What the job is, in the reader's language; the task's name when nobody gave a title."""
    return gettext(job.title) if job.title else job.name


@register.filter
def job_word(state: str) -> str:
    """A state as a word."""
    return str(State(state).label)


@register.filter
def job_tone(state: str) -> str:
    """The tone of a state's word."""
    return TONES[State(state)]
