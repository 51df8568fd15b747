"""Drawing a sample, and handing out what belongs to it."""

from wanjia.inspection.services.bundling import bundle
from wanjia.inspection.services.drawing import draw
from wanjia.inspection.services.population import population_list

__all__ = ["bundle", "draw", "population_list"]
