"""A home for the page bench: a county of 100,000 households and what four weeks of work leave in it.

    WANJIA_HOME=… python -m bench.county --households 100000

People, register and staff are the demo's, so are the services that take them in; the vehicle file
is dense enough for 30,000 findings, of which two thirds become cases. What one click does in bulk
is done in bulk; a few cases of each township go through every hand up to their end.
"""

from __future__ import annotations

import argparse
import io
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from wanjia.casework.models import Case
    from wanjia.demo.county import Founded
    from wanjia.demo.vehicles import Vehicle
    from wanjia.demo.world import County, Home
    from wanjia.scope.viewer import Viewer

COUNTY = "451228"
PEOPLE_PER_HOUSEHOLD = 3.945  # of the demo's families
SHARE_WITH_FINDINGS = 0.30
ISSUED = 3  # townships of four: the findings of the fourth wait for the province
WORKED = 12  # cases of each township that go through every hand
DECIDED = 40  # each runs its rule once more, in a process of its own
MORE_BATCHES = 24


@dataclass(frozen=True, slots=True)
class Worked:
    """What the bench asks for by number."""

    run: int
    household: int
    case: int


def build(households: int) -> Worked:
    """Build the county in the installation at WANJIA_HOME, which must be new."""
    from wanjia.config.install import prepare
    from wanjia.exports.queries import MOST
    from wanjia.reference.services import Notice, set_parameter
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    prepare()
    builder = system_viewer("demo.build")
    with serving(builder):  # PostgreSQL shows rows only to somebody
        # the export is measured at its full length, which a county would have approved first
        notice = Notice(source="bench", valid_from=date(2014, 1, 2))
        set_parameter(builder, name=MOST, value=str(10 * households), notice=notice)
        return _built(households)


def _built(households: int) -> Worked:
    from wanjia.comparison.choices import RunStatus
    from wanjia.comparison.services import compare_now, release_run
    from wanjia.sources import services as sources

    random = Random(1)  # noqa: S311 - an invented county comes out the same from the same seed
    with on(date(2020, 10, 12)):
        scene = founded(random, households)
    with on(date(2020, 10, 30)):
        province = scene.viewer("province")
        batch = sources.receive(viewer=province, path=scene.files[0])
        sources.accept(viewer=province, batch_id=batch.pk)
        run = compare_now(viewer=province)
        if run.status == RunStatus.HELD:
            run = release_run(viewer=province, run_id=run.pk, reason="本批数据经核对属实。")
        _more_batches(scene, province)
    worked = _work(scene, run.pk, random)
    return Worked(run.pk, *worked)


def founded(random: Random, households: int, share: float = SHARE_WITH_FINDINGS) -> Founded:
    """A county with its staff and its register; the vehicle file lies beside it."""
    from wanjia.demo import county, staff, world
    from wanjia.demo.departments.files import Delivery

    place = county.place_of(COUNTY)
    villages = [code for township in place.townships for code, _ in township.villages]
    people = int(households * PEOPLE_PER_HOUSEHOLD)
    invented = world.build(
        random=random, county_code=place.code, county_name=place.name, villages=villages, people=people
    )
    content, lines = _register(random, invented, share)
    offices = {"county": (place.code, place.name), "city": place.city}
    posts = tuple(staff.posts(random, **offices, places=place.townships, stage=villages[0]))
    return county.found(place, invented, posts, [Delivery("机动车登记信息.csv", content, lines)])


def _register(random: Random, invented: County, share: float) -> tuple[bytes, int]:
    """The vehicle register: a car bought before identification in this share of the homes, other vehicles besides."""
    from wanjia.demo.vehicles import HEADER

    rows = [",".join(HEADER)]
    for serial, home in enumerate(invented.homes, start=1):
        for vehicle in _vehicles(random, home, serial, share):
            rows.append(",".join([str(len(rows)), *vehicle.row()]))
    return "\r\n".join([*rows, ""]).encode("gb18030"), len(rows)


def _vehicles(random: Random, home: Home, serial: int, share: float) -> Iterator[Vehicle]:
    from wanjia.demo.vehicles import IN_USE, Vehicle

    drivers = [member for member in home.present if 18 <= member.age <= 70]  # noqa: PLR2004 - a licence
    if not drivers:
        return
    owner, bought_before = drivers[0], random.random() < share * 1.1
    year = home.identified_year - 1 if bought_before else home.identified_year + 1
    yield Vehicle(
        plate=f"桂M{serial:05X}",
        kind="小型轿车" if bought_before else "普通二轮摩托车",
        model="五菱宏光LZW6441",
        registered_on=date(year, random.randrange(1, 13), random.randrange(1, 29)),
        status=IN_USE,
        owner=owner.name,
        number=owner.number,
        address=home.hamlet,
    )


def _more_batches(scene: Founded, province: Viewer) -> None:
    """Small deliveries that wait to be looked at."""
    from wanjia.sources import services as sources

    lines = scene.files[0].read_bytes().decode("gb18030").split("\r\n")
    for number in range(MORE_BATCHES):
        path: Path = scene.files[0].with_name(f"车辆登记补充{number + 1:02}.csv")
        some = lines[1 + 40 * number : 41 + 40 * number]
        path.write_bytes("\r\n".join([lines[0], *some, ""]).encode("gb18030"))
        sources.receive(viewer=province, path=path)


# -- four weeks of work ----------------------------------------------------------------------------


@contextmanager
def on(day: date, hour: int = 9) -> Iterator[None]:
    """The clock stands at this hour in China."""
    from wanjia.kernel import clock

    with clock.frozen(datetime(day.year, day.month, day.day, hour, tzinfo=clock.CHINA)):
        yield


def _work(scene: Founded, run_id: int, random: Random) -> tuple[int, int]:
    """Issue, send down, assign; returns a household with a case and the number of that case."""
    from wanjia.comparison.queries import Filters
    from wanjia.comparison.services import issue_findings, screen

    province, townships = scene.viewer("province"), scene.place.townships
    with on(date(2020, 11, 2)):
        for number, township in enumerate(townships):
            filters = Filters(rule="RA-02", area=township.code)
            if number % 4 < ISSUED and (found := screen(province, run_id, filters)).fresh:
                issue_findings(viewer=province, run_id=run_id, filters=filters, expected_count=found.total)
    for day, desk, action, step in ((3, "city", "pass_on", "issued"), (4, "county", "distribute", "dispatched_county")):
        with on(date(2020, 11, day)):
            in_bulk(scene.viewer(desk), action, step)
    for number, township in enumerate(townships):
        if number % 6 != 5:  # noqa: PLR2004 - the sixth township has not begun
            assigned(scene, township.code)
            _worked(scene, township.code, random)
    _decided(scene)
    return _shown(scene)


def in_bulk(viewer: Viewer, action: str, step: str, **more: object) -> None:
    """One act over everything of a step that waits for this viewer."""
    from wanjia.casework import queries as cases
    from wanjia.casework import services as casework
    from wanjia.casework.filters import CaseFilter
    from wanjia.casework.rules import Answer

    waiting = CaseFilter(step=step, mine="1")
    count = cases.matching(viewer, waiting).count()
    if count:
        answer = Answer(**more)  # type: ignore[arg-type]
        casework.act_in_bulk(viewer=viewer, action=action, case_filter=waiting, expected_count=count, answer=answer)


def holders(scene: Founded, role: str, area: str) -> list[str]:
    """The logins with this role for exactly this area."""
    return [post.username for post in scene.posts if (post.role, post.area) == (role, area)]


def assigned(scene: Founded, township: str) -> None:
    """The township gives all its cases to its officer."""
    reviewer, officer = holders(scene, "township_reviewer", township)[0], officer_of(scene, township)
    with on(date(2020, 11, 6)):
        in_bulk(scene.viewer(reviewer), "assign", "dispatched_town", assignee=scene.users[officer])


def officer_of(scene: Founded, township: str) -> str:
    """Who goes to the doors of this township."""
    return holders(scene, "information_officer", township)[0]


def _worked(scene: Founded, township: str, random: Random) -> None:
    """A few cases verified, corrected and reviewed; some stop on the way."""
    officer = scene.viewer(officer_of(scene, township))
    reviewer = scene.viewer(holders(scene, "township_reviewer", township)[0])
    for case in _waiting("assigned", township)[:WORKED]:
        outcome = random.choice(("04", "05", "06", "08"))
        until = date(2021, 12, 31) if outcome == "05" else None
        with on(date(2020, 11, 7) + timedelta(days=random.randrange(4)), 15):
            _photographed(officer, case)
            _act(officer, case, "verify", outcome=outcome, note="入户核实，情况属实。", until=until)
        with on(date(2020, 11, 11), 11):
            village = holders(scene, "village_operator", case.area_code)[0]
            with _refusable():
                _act(scene.viewer(village), case, "correct", correction={"change": "T5"})
        if random.random() < 0.8:  # noqa: PLR2004 - the others still wait for the township
            with on(date(2020, 11, 12), 16), _refusable():
                _act(reviewer, case, "review", note="材料齐全，同意。")


def _decided(scene: Founded) -> None:
    county, city = scene.viewer("county"), scene.viewer("city")
    waiting = _waiting("town_reviewed")
    with on(date(2020, 11, 13)):
        for case in waiting[:DECIDED]:
            with _refusable():
                _act(county, case, "decide", note="同意。")
    decided = _waiting("county_closed")
    with on(date(2020, 11, 15)):
        for case in decided[: DECIDED * 3 // 4]:
            with _refusable():
                _act(city, case, "pass")


def _refusable() -> suppress:
    """Steps some cases do not come to, or come to with a question of their own."""
    from wanjia.kernel.errors import Refusal

    return suppress(Refusal)


def _waiting(step: str, area: str = "") -> list[Case]:
    from wanjia.casework.models import Case
    from wanjia.scope.system import system_viewer

    rows = Case.objects.visible_to(system_viewer("demo.build")).filter(step=step, area_code__startswith=area)
    return list(rows.order_by("case_no"))


def _act(viewer: Viewer, case: Case, action: str, **answer: object) -> None:
    from wanjia.casework import services as casework
    from wanjia.casework.models import Case
    from wanjia.casework.rules import Answer

    version = Case.objects.get_visible(viewer, case_no=case.case_no).version
    filled = Answer(**answer)  # type: ignore[arg-type]
    casework.act(viewer=viewer, case_no=case.case_no, action=action, seen_version=version, answer=filled)


def _photographed(viewer: Viewer, case: Case) -> None:
    from PIL import Image

    from wanjia.files.services import store
    from wanjia.files.uploads import sealed_from

    picture = io.BytesIO()
    Image.new("RGB", (160, 120), (206, case.case_no % 256, 160)).save(picture, "JPEG")
    with closing(sealed_from(picture.getvalue(), "door.jpg", "evidence")) as upload:
        store(
            viewer=viewer,
            upload=upload,
            owner_kind="case",
            owner_id=case.case_no,
            area=case.area_code,
            purpose="evidence",
        )


def _shown(scene: Founded) -> tuple[int, int]:
    """A household of the login `contact` with a case that has a history, and that case."""
    from wanjia.casework.models import CaseSubject
    from wanjia.registry.queries import households
    from wanjia.scope.system import system_viewer

    own = list(households(scene.viewer("contact")).values_list("pk", flat=True)[:500])
    rows = CaseSubject.objects.visible_to(system_viewer("demo.build"))
    subjects = rows.filter(household_no__in=own).order_by("-case__version", "case_id")
    subject = subjects.first()
    assert subject is not None
    return int(subject.household_no or 0), int(subject.case_id)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--households", type=int, default=100_000)
    asked = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.dev")
    import django

    django.setup()
    print(json.dumps(asdict(build(asked.households))))


if __name__ == "__main__":
    main()
