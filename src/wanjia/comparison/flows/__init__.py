"""The case flow this slice declares (domain.md §6.1), with what casework asks of it."""

from wanjia.casework.declared import Offered
from wanjia.comparison.flows.callbacks import SuspectCallbacks
from wanjia.comparison.flows.suspect import SUSPECT

FLOWS = [Offered(SUSPECT, SuspectCallbacks())]

__all__ = ["FLOWS", "SUSPECT"]
