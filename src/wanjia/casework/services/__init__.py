"""Writing cases: opening, acting, bulk acts, sampling, and what the clock does."""

from wanjia.casework.rules import Answer
from wanjia.casework.services.acting import act
from wanjia.casework.services.answering import Judged, Proofs, Reply, answer_many, asking, judge
from wanjia.casework.services.asides import happen, happen_together, locked, locked_together
from wanjia.casework.services.bulk import NOT_IN_STEP, BulkResult, Foreseen, act_in_bulk, foresee
from wanjia.casework.services.escalation import Escalated, escalate_overdue
from wanjia.casework.services.moves import Dates, dates_for
from wanjia.casework.services.opening import CaseSpec, Opened, SubjectSpec, open_cases
from wanjia.casework.services.sampling import Draw, Sample, draw_sample
from wanjia.casework.services.spreading import Plan, plan_spread, spread

__all__ = [
    "NOT_IN_STEP",
    "Answer",
    "BulkResult",
    "CaseSpec",
    "Dates",
    "Draw",
    "Escalated",
    "Foreseen",
    "Judged",
    "Opened",
    "Plan",
    "Proofs",
    "Reply",
    "Sample",
    "SubjectSpec",
    "act",
    "act_in_bulk",
    "answer_many",
    "asking",
    "dates_for",
    "draw_sample",
    "escalate_overdue",
    "foresee",
    "happen",
    "happen_together",
    "judge",
    "locked",
    "locked_together",
    "open_cases",
    "plan_spread",
    "spread",
]
