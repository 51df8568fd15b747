"""What may be asked of the demo. The command reads this before Django is set up."""

from enum import StrEnum


class Until(StrEnum):
    """How far the county's year is told before the site opens."""

    FOUNDED = "founded"  # staff and register; the department's file lies unopened in the inbox
    WORKED = "worked"  # the file compared, four weeks of field work done
