"""What a true suspect changes in the registry: proposed by the village, written when the county decides.

Which corrections a rule offers stands in its file, which verdicts each fits in the code list
`suspect_correction`. What a correction asks for and does is a `Kind`.
"""

from wanjia.comparison.corrections.matter import Matter
from wanjia.comparison.corrections.proposing import apply, check, choices, told, usual_choices

__all__ = ["Matter", "apply", "check", "choices", "told", "usual_choices"]
