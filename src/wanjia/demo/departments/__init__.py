"""What departments know about the county, and the files they send."""

from __future__ import annotations

from wanjia.demo import vehicles
from wanjia.demo.departments import assets, population, welfare
from wanjia.demo.departments.files import Delivery
from wanjia.demo.truth import Cast
from wanjia.demo.world import County

# Rows of each file for one row of the vehicle register: a county of 700,000 people in small.
POPULATION, DEATHS, PAYROLL, MARKET, ESTATES, RELIEF, CERTIFICATES = 2.2, 0.1, 0.2, 0.4, 0.5, 0.3, 0.15


def deliver(cast: Cast, county: County, records: int) -> tuple[Delivery, ...]:
    """Eight departments' files; the vehicle register has about `records` rows, the others in proportion."""

    def rows(share: float) -> int:
        return round(records * share)

    welfare.bury(cast)
    return (
        population.deliver(cast, county, rows(POPULATION)),
        welfare.deaths(cast, county, rows(DEATHS)),
        assets.OFFICIALS.deliver(cast, county, rows(PAYROLL), workbook=True),
        assets.TRADERS.deliver(cast, county, rows(MARKET)),
        assets.OWNERS.deliver(cast, county, rows(ESTATES)),
        welfare.relief(cast, county, rows(RELIEF)),
        welfare.certificates(cast, county, rows(CERTIFICATES)),
        vehicles.deliver(cast, county, records),
    )
