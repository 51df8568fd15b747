"""Drawing a sample, handing out what belongs to it, and watching who reads how much."""

from wanjia.inspection.services.bundling import bundle
from wanjia.inspection.services.drawing import draw
from wanjia.inspection.services.population import population_list
from wanjia.inspection.services.watching import answer_reading, minutes, most_subjects, watch_readings

__all__ = [
    "answer_reading",
    "bundle",
    "draw",
    "minutes",
    "most_subjects",
    "population_list",
    "watch_readings",
]
