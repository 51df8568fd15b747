"""What the register says of a household's income, land and dwelling, and of its people's schooling, work and cover.

Follows from what is known of the life already, and from the household's number where chance is wanted: no
random numbers are drawn, so the county's story stays what it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from wanjia.demo.world import GRANDDAUGHTER, GRANDSON, HEAD, Home, Income, Resident

Row = dict[str, object]

PENSION = 131 * 12 * 100  # fen a year: 131 yuan a month, Guangxi's basic pension of 2020 (K)
FIRST_GRADES = ("03", "03", "03", "03", "03", "03", "04", "05", "06", "07", "08", "09")  # CL-09 from the age of six
SCHOOL, WORK, OLD = 6, 16, 60


def income_of(home: Home, year: int, income: Income) -> Row:
    """The income statement (domain.md §4.4): wholes and the parts they are the sums of."""
    rest = income.transfer
    parts: Row = {}
    wanted = (
        ("dibao_grant", 240_000 if home.category == "04" else 0),
        ("tekun_grant", 240_000 if home.category == "06" else 0),
        ("pension_income", PENSION * sum(1 for one in home.members if one.age - (2020 - year) >= OLD)),
        ("eco_compensation", 12_500 if _chance(home, 3, of=5) else 0),
        ("family_planning_grant", 0),
    )
    for name, most in wanted:
        part = min(rest, most)
        parts[name] = part
        rest -= part
    leased = income.property // 3 if _chance(home, 4, of=3) else 0
    return {
        "wage_income": income.wage,
        "business_income": income.business,
        "property_income": income.property,
        "asset_dividend": income.property - leased,
        "land_lease": leased,
        "other_property_income": 0,
        "transfer_income": income.transfer,
        **parts,
        "other_transfer": rest,
        "business_expense": income.expense,
    }


def living_of(home: Home, year: int) -> Row:
    """Land, dwelling, water and power (domain.md §4.5); better from year to year."""
    left = home.exit_year is not None and year >= home.exit_year
    members = len(home.members)
    cropland = 60 + 35 * members + _drawn(home, 5, 90)
    green = 50 + _drawn(home, 6, 150) if _chance(home, 3, of=5) else 0
    road = ("01", "02", "03", "03")[min(3, year - 2016 + _drawn(home, 8, 3) // 2)] if year >= 2016 else "01"
    return {
        "cropland": cropland,
        "irrigated": cropland // 3,
        "forest": 100 + green + _drawn(home, 7, 400),
        "grain_for_green": green,
        "orchard": _drawn(home, 9, 120),
        "pasture": 0,
        "water_area": 0,
        "production_power": True,
        "household_power": True,
        "tv": True,
        "distance_main_road": 5 + _drawn(home, 10, 240),
        "access_road": "03" if left and road == "01" else road,
        "dwelling_area": (1_600 + _drawn(home, 11, 1_400)) * members,
        "house_structure": ("02", "02", "01", "03")[_drawn(home, 12, 4)],
        "dangerous_house": False,
        "danger_grade": "A",
        "water_difficult": False,
        "water_safe": True,
        "fuel": ("01", "04", "04")[_drawn(home, 13, 3)],
        "sanitary_toilet": left or _chance(home, 14, of=2),
        "coop_member": _chance(home, 15, of=2),
        "linked_enterprise": _chance(home, 16, of=4),
        "linked_leader": _chance(home, 17, of=5),
    }


def person_in(home: Home, member: Resident, year: int) -> Row:
    """Schooling, work, health and insurance of somebody in a year (domain.md §4.3)."""
    age = member.age - (2020 - year)
    grade = FIRST_GRADES[age - SCHOOL] if SCHOOL <= age < SCHOOL + len(FIRST_GRADES) and age < WORK + 2 else ""
    able = WORK <= age <= 65 and not member.disabled and not grade
    working = able and _drawn(home, 20 + member.person_no, 3) > 0
    ill = "02" in member.health or "03" in member.health
    return {
        "education": "" if grade else "06" if age < SCHOOL else ("02", "03", "03", "04")[member.person_no % 4],
        "student_status": grade,
        "labour_capacity": ("02" if member.person_no % 9 == 0 else "01") if able else "04",
        "work_location": ("01", "02", "03", "04", "04")[member.person_no % 5] if working else "",
        "work_place": ("", "", "", "广东省", "广东省")[member.person_no % 5] if working else "",
        "work_months": 3 + member.person_no % 9 if working else 0 if able else None,
        "health": member.health or ("04" if member.disabled else "01"),
        "disease_name": "高血压" if ill and not member.disabled else "",
        "political_status": "01" if member.relation == HEAD and _chance(home, 18, of=12) else "13",
        "active_soldier": False,
        "speaks_mandarin": age < OLD or member.relation in (GRANDSON, GRANDDAUGHTER),
        "resident_medical_ins": True,
        "employee_medical_ins": False,
        "critical_illness_ins": True,
        "commercial_ins": False,
        "resident_pension": age >= WORK and not grade,
        "employee_pension": False,
        "on_dibao": member.on_dibao,
        "on_tekun": member.on_tekun,
    }


def village_record(code: str, homes: Sequence[Home], year: int) -> Row:
    """The village of these registered households: several times as many people as are registered."""
    registered = sum(len(home.present) for home in homes)
    n = int(code)
    poor = n % 3 == 0
    population = max(800, registered * (4 + n % 3) + n % 97)
    return {
        "village_code": code,
        "is_poor_village": poor,
        "poor_type": "02" if poor else "",
        "village_no": f"P{n % 100_000:05d}" if poor else "",
        "exit_year": 2016 + n % 4 if poor and 2016 + n % 4 <= year else None,
        "topography": ("01", "01", "02", "03")[n % 4],
        "development_direction": ("旱藕", "核桃", "山羊", "桑蚕")[n % 4],
        "households": population // 4,
        "population": population,
        "dibao_persons": sum(one.on_dibao for home in homes for one in home.present),
        "tekun_persons": sum(one.on_tekun for home in homes for one in home.present),
        "labour_force": population * 11 // 20,
        "migrant_workers": population * 5 // 20,
        "disabled_persons": population // 40,
        "cropland": population * 92,
        "forest": population * 310,
        "paved_road_to_township": True,
        "unpaved_road": 0,
        "hamlets_without_road": n % 2 if year < 2019 else 0,
        "bus": n % 5 > 0,
        "households_without_safe_water": 0,
        "households_with_difficult_water": 0,
        "hamlets_without_production_power": 0,
        "dangerous_houses": 0,
        "clinics": 1,
        "licensed_doctors": 1 + n % 2,
        "public_toilets": 1 + n % 3,
        "rubbish_points": 2 + n % 6,
        "library": True,
        "broadband": True,
        "cooperatives": 1 + n % 3,
        "coop_poor_households": sum(_chance(home, 15, of=2) for home in homes),
        "collective_income": (3_000_000 + n % 41 * 100_000) * (year - 2015),
        "collective_income_source": "入股分红",
        "medical_enrolled": population * 98 // 100,
        "pension_enrolled": population * 6 // 10,
        "stationed_unit": "县扶贫办",
    }


def hamlet_records(code: str, homes: Sequence[Home]) -> list[Row]:
    """Its hamlets, by the names its households give."""
    here: dict[str, list[Home]] = {}
    for home in homes:
        here.setdefault(home.hamlet, []).append(home)
    return [
        {
            "village_code": code,
            "name": name,
            "households": len(some) * 4,
            "population": sum(len(home.present) for home in some) * 4,
            "access_road": "03",
            "road_length": 80 + len(some) * 5,
            "water_source": "山泉水集中供水",
            "production_power": True,
            "broadband": len(some) > 1,
        }
        for name, some in sorted(here.items())
    ]


def _drawn(home: Home, salt: int, below: int) -> int:
    """A whole number below `below` that is the household's own."""
    return (home.household_no * 2_654_435_761 + salt * 40_503) % 4_294_967_291 % below


def _chance(home: Home, salt: int, *, of: int) -> bool:
    """One in `of` households."""
    return _drawn(home, salt, of) == 0
