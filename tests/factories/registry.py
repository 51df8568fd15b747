"""A small invented county for tests: 31 households in 2 townships with 2 villages each, and who works there.

Place names and codes are real, people are not: their numbers begin with 459999. Everything goes
through the real services, so scope, keys, holdings and audit are as in an installation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
from PIL import Image

from tests.factories import accounts
from tests.factories.walking import MINE, Example, Place
from wanjia.accounts.models import User
from wanjia.audit.testing import unrecorded
from wanjia.divisions.services import GUANGXI, load_divisions
from wanjia.files.models import StoredFile
from wanjia.files.uploads import sealed_from
from wanjia.jobs.models import Job
from wanjia.jobs.services import enqueue
from wanjia.kernel import clock
from wanjia.kernel.identity import check_character
from wanjia.reference.services import load_reference
from wanjia.registry.models import ChangeRequest, ChangeRequestItem, Erasure, Household, Person
from wanjia.registry.photos.services import add_photo
from wanjia.registry.services import SEALING, LoadResult, RegistryBatch, load_registry, load_villages
from wanjia.registry.services.tables import TABLES
from wanjia.scope.system import system_viewer
from wanjia.scope.viewer import Viewer
from wanjia.workforce.services import NewPairing, load_pairings

COUNTY = "451228"  # 都安瑶族自治县
NEXT_COUNTY = "451229"  # 大化瑶族自治县
TOWNSHIPS = ("451228100", "451228101")  # 安阳镇, 高岭镇
VILLAGES = ("451228100001", "451228100002", "451228101001", "451228101201")
HOUSEHOLDS_PER_VILLAGE = 8
YEAR = 2020

BUILDER = system_viewer("demo.build")

SURNAMES = "韦蓝覃黄罗潘陆唐"
STATUSES = ("1", "0", "2", "1", "4", "1", "3", "1")


@dataclass(slots=True)
class InventedCounty:
    """The county and its people at work. `users` by a short name of their role."""

    users: dict[str, User] = field(default_factory=dict)
    loaded: LoadResult | None = None

    def viewer(self, name: str) -> Viewer:
        """What the middleware puts on that account's next request."""
        return accounts.viewer(self.users[name])

    def household(self, household_no: int) -> Household:
        """A household, whoever may see it."""
        return Household.objects.visible_to(BUILDER).get(pk=household_no)

    def person(self, person_no: int) -> Person:
        """A person, whoever may see him."""
        return Person.objects.visible_to(BUILDER).get(pk=person_no)

    @property
    def villages(self) -> tuple[str, ...]:
        return VILLAGES


def number(born: date, serial: int, *, male: bool) -> str:
    """A valid identity number of nobody."""
    body = f"459999{born:%Y%m%d}{serial * 2 + male:03d}"
    return body + check_character(body)


def person_row(household: str, place: int, **facts: Any) -> dict[str, Any]:
    """A member of a household as a batch holds him: a head of 45, unless said otherwise."""
    born = facts.pop("born", date(1975, 3, 1 + place))
    serial = facts.pop("serial", int(household[1:]) % 400)
    male = facts.pop("male", True)
    return {
        "national_person_no": f"P{household[1:]}{place}",
        "national_household_no": household,
        "name": f"{SURNAMES[int(household[1:]) % 8]}大{'一二三四五六'[place]}",
        "id_type": "01",
        "id_number": number(born, serial, male=male),
        "sex": "1" if male else "2",
        "birth_date": born,
        "ethnicity": "08",
        "relation": "01",
        "member_status": "1",
        "joined_on": date(2016, 1, 1),
    } | facts


def household_row(household: str, village: str, **facts: Any) -> dict[str, Any]:
    """A household as a batch holds it: identified in 2015, exited in 2018, unless said otherwise."""
    return {
        "national_household_no": household,
        "village_code": village,
        "hamlet": "弄王屯",
        "recognition_standard": "1",
        "household_category": "01",
        "poverty_status": "1",
        "identified_year": 2015,
        "exit_year": 2018,
        "main_cause": "07",
        "phone": "13800138000",
        "bank_name": "农村信用社",
        "bank_account": "6217000000000001234",
    } | facts


def family(household: str, village: str, **facts: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A household with a head, his wife, a son, and a mother who died."""
    people = [
        person_row(household, 0),
        person_row(household, 1, male=False, relation="02", born=date(1978, 7, 9)),
        person_row(household, 2, relation="03", born=date(2008, 1, 1)),
        person_row(
            household, 3, male=False, relation="12", born=date(1948, 5, 5), member_status="2",
            left_on=date(2019, 2, 3), change_reason="R1",
        ),
    ]  # fmt: skip
    return household_row(household, village, **facts), people


def table(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as the declared table of a batch; columns nobody fills are left out."""
    used = [column for column in TABLES[name] if any(column in row for row in rows)]
    return pa.table({column: pa.array([row.get(column) for row in rows], TABLES[name][column]) for column in used})


def batch(homes: list[dict[str, Any]], people: list[dict[str, Any]], **years: list[dict[str, Any]]) -> RegistryBatch:
    """A batch of such rows."""
    return RegistryBatch(
        households=table("households", homes),
        persons=table("persons", people),
        source="tests",
        **{name: table(name, rows) for name, rows in years.items()},
    )


def _families() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    homes, people, years, personal = [], [], [], []
    for place, village in enumerate(VILLAGES):
        for place_in_village, status in enumerate(STATUSES):
            name = f"H{place * HOUSEHOLDS_PER_VILLAGE + place_in_village + 1:03d}"
            exit_year = 2018 if status in ("1", "4", "3") else None
            home, members = family(name, village, poverty_status=status, exit_year=exit_year)
            homes.append(home)
            people += members
            years += [
                {
                    "national_household_no": name,
                    "year": year,
                    "poverty_status": "0" if exit_year is None or year < exit_year else "1",
                    "member_count": 3,
                    "wage_income": 1_200_000 + 100_000 * place_in_village,
                    "business_income": 400_000,
                    "transfer_income": 200_000,
                    "business_expense": 100_000,
                    "danger_grade": "B",
                    "water_safe": True,
                }
                for year in (2018, 2019)
            ]
            personal += [{"national_person_no": f"P{name[1:]}2", "year": 2019, "student_status": "04", "health": "01"}]
    return homes, people, years, personal


def load_places() -> None:
    """The divisions of two counties and what stands above them; quicker than the whole province."""
    wanted = [line for line in GUANGXI.read_text("utf-8").splitlines() if _kept(line.partition(",")[0])]
    with TemporaryDirectory() as folder:
        excerpt = Path(folder) / "divisions.csv"
        excerpt.write_text("\n".join(wanted) + "\n", "utf-8")
        load_divisions(excerpt)


def _kept(code: str) -> bool:
    return code == "code" or COUNTY.startswith(code) or code.startswith((COUNTY, NEXT_COUNTY))


POSTS = {
    "province": ("province_data_officer", "45"),
    "manager": ("province_manager", "45"),
    "city": ("city_office", "4512"),
    "county": ("county_office", COUNTY),
    "next_county": ("county_office", NEXT_COUNTY),
    "township": ("township_reviewer", TOWNSHIPS[0]),
    "next_township": ("township_reviewer", TOWNSHIPS[1]),
    "verifier": ("information_officer", TOWNSHIPS[0]),
    "village": ("village_operator", VILLAGES[0]),
    "next_village": ("village_operator", VILLAGES[1]),
    "contact": ("household_contact", VILLAGES[0]),
    "next_contact": ("household_contact", VILLAGES[0]),
    "auditor": ("auditor", "45"),
    "department": ("department_officer", "45"),
    "sysadmin": ("system_admin", "45"),
}
CONTACT_HOUSEHOLDS = (1, 2)  # of the contact; the next contact has household 3


def build() -> InventedCounty:
    """The county in an empty database."""
    load_reference()
    load_places()
    county = InventedCounty()
    for name, (role, area) in POSTS.items():
        county.users[name] = accounts.account(name.replace("_", "-"), role, area)
    homes, people, years, personal = _families()
    for home in homes:
        home["entered_by"] = county.users["village"].pk
    county.loaded = load_registry(
        viewer=BUILDER, batch=batch(homes, people, household_years=years, person_years=personal), year=YEAR
    )
    contact, next_contact = county.users["contact"].pk, county.users["next_contact"].pk
    load_pairings(
        viewer=BUILDER,
        pairings=[
            *(NewPairing(contact, household_no, date(2020, 1, 1)) for household_no in CONTACT_HOUSEHOLDS),
            NewPairing(next_contact, 3, date(2020, 1, 1)),
        ],
    )
    return county


def examples(place: Place) -> list[Example]:
    """A household with a name of its own in a village of the province; households lie nowhere else."""
    if len(place.area) != VILLAGE or not place.area.startswith(COUNTY[:2]):
        return []
    serial = 500 + next(_walked)
    name = f"H{serial}"
    home, people = family(name, place.area)
    people += [_left_long_ago(name, at) for at in (4, 5)]
    people[0]["name"] = head = "韦" + "".join("零一二三四五六七八九"[int(digit)] for digit in str(serial))
    load_registry(viewer=BUILDER, batch=batch([home], people), year=YEAR)
    found = Household.objects.get_visible(BUILDER, national_household_no=name)
    which, held = {"household_no": found.household_no}, ("household", found.household_no)
    spring = f"{head[1:]}泉"
    load_villages(
        viewer=BUILDER,
        year=2019,
        villages=[{"village_code": place.area, "collective_income_source": spring}],
    )
    request = {"request_id": proposed(found).pk}
    leavers = Person.objects.visible_to(BUILDER).filter(household_no=found.pk).order_by("-pk")[:2]
    to_erase = {"person_no": leavers[1].pk}
    photo = {"household_no": found.household_no, "file_id": photographed(found).pk}
    because = f"留存期满第{serial}号"
    erasure = {"erasure_id": asked(leavers[0], because).pk}
    return [
        *(_of_the_year() if place is MINE else []),
        Example("registry:village", {"village_code": place.area}, (spring,)),
        Example("registry:request", request, (head,), held=held),
        Example("registry:request", request, (head,), method="post", held=held),
        Example("registry:household", which, (head,), held=held),
        Example("registry:person", {"person_no": found.head_person_no}, (head,)),
        Example("registry:erase", to_erase, ()),
        Example("registry:erase", to_erase, (), method="post"),
        Example("registry:erasure", erasure, (because,)),
        Example("registry:erasure", erasure, (because,), method="post"),
        Example("registry:add_photo", which, (head,), method="post", held=held),
        Example("registry:photo", photo, (), held=held),
        Example("registry:remove_photo", photo, (head,), method="post", held=held),
        Example("registry:card", which, (head,), held=held),
        Example("registry:reveal", which, (head,), method="post", held=held),
        Example("registry:correct", which, (head,), method="post", held=held),
    ]


YEAR_NOTE = "写出第八八八批"


def _of_the_year() -> list[Example]:
    """The open year, and a sealing somebody of the province asked for."""
    manager = accounts.viewer(accounts.account("seals", "province_manager", COUNTY[:2]))
    args: dict[str, Any] = {"year": YEAR, "confirmed": {}, "act": "walked"}
    job = enqueue(SEALING, args, viewer=manager, key="walked")
    Job.objects.filter(pk=job.pk).update(note=YEAR_NOTE)
    return [
        Example("registry:seal", {"year": YEAR}, (), seen_by=_seals),
        Example("registry:seal", {"year": YEAR}, (), method="post", seen_by=_seals),
        Example("registry:sealing", {"job_id": job.pk}, (YEAR_NOTE,), seen_by=_seals),
    ]


def _seals(viewer: Viewer) -> bool:
    return viewer.may_throughout("registry.seal", COUNTY[:2])


def _left_long_ago(household: str, place: int) -> dict[str, Any]:
    days = {"joined_on": date(2010, 1, 1), "left_on": date(2013, 4, 5)}
    return person_row(household, place, member_status="3", relation="11", **days)


def picture(shade: int = 0) -> bytes:
    """A small photo of nothing."""
    content = BytesIO()
    Image.new("RGB", (64, 48), (120, shade * 7 % 256, shade % 256)).save(content, "JPEG")
    return content.getvalue()


def photographed(household: Household, viewer: Viewer = BUILDER) -> StoredFile:
    """A photo of a household, as its page takes it."""
    with sealed_from(picture(household.pk), "house.jpg", "household_photo") as upload:
        return add_photo(viewer=viewer, household_no=household.pk, upload=upload)


def asked(person: Person, reason: str) -> Erasure:
    """An erasure that waits; nobody the tests know asked for it."""
    with unrecorded():
        row = Erasure(
            person_no=person.pk, household_no=person.household_no, village_code=person.village_code, reason=reason,
            state="asked", asked_by=10**8, asked_at=clock.now(),
        )  # fmt: skip
        row.save(force_insert=True)
    return row


def proposed(household: Household) -> ChangeRequest:
    """A change of the hamlet's name that waits at the household's township; nobody the tests know proposed it."""
    at = {"household_no": household.pk, "village_code": household.village_code}
    with unrecorded():
        request = ChangeRequest(
            **at, reason="屯名更正", levels=1, state="township", proposed_by=10**8, proposed_at=clock.now()
        )
        request.save(force_insert=True)
        item = ChangeRequestItem(request=request, **at, field="hamlet", base=household.hamlet, wanted="上屯")
        item.save(force_insert=True)
    return request


VILLAGE = 12
_walked = count(1)
