from wanjia.comparison.queries import ISSUE
from wanjia.comparison.services.dispatch import Issued, Screened, issue_findings, screen
from wanjia.comparison.services.prepare import COMPARE, ask_for_comparison, compare_now, refresh_inputs
from wanjia.comparison.services.run import discard_run, release_run, request_run, run_comparison

__all__ = [
    "COMPARE",
    "ISSUE",
    "Issued",
    "Screened",
    "ask_for_comparison",
    "compare_now",
    "discard_run",
    "issue_findings",
    "refresh_inputs",
    "release_run",
    "request_run",
    "run_comparison",
    "screen",
]
