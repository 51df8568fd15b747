"""Building the demo: an installation of its own, a county in it, and the whole line run once.

The home folder carries a marker while it is being built. A marker found at the start means
that a build was interrupted: the folder is thrown away and built again. A finished build is
kept and recognised by what was asked for, so the second start takes seconds.
"""

from __future__ import annotations

import json
import resource
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

from django.conf import settings
from rich.console import Console

from wanjia import __version__
from wanjia.config.install import prepare
from wanjia.demo import county, departments, line, play, registrar, staff, world
from wanjia.demo.choices import Until
from wanjia.demo.departments.files import Delivery
from wanjia.demo.errors import HomeNotOurs
from wanjia.demo.truth import Cast, Question, Truth
from wanjia.kernel import clock
from wanjia.scope.reach import serving
from wanjia.scope.system import system_viewer

BUILDING, BUILT = "demo.building", "demo.json"


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What was asked for; the same request gives the same county and the same digest."""

    seed: int = 1
    people: int = 20_000
    records: int = 60_000
    county_code: str = "451228"
    until: Until = Until.WORKED


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What came out. `accepted` + `rejected` + `non_data` are the lines of the files, `records`.

    `recall` and `precision` are over plants whose row carries the person's right number; no near miss
    should be flagged. What a demo until FOUNDED has not done yet keeps its default.
    """

    people: int
    households: int
    records: int
    accepted: int = 0
    rejected: int = 0
    non_data: int = 0
    findings: int = 0
    cases: int = 0
    closed: int = 0
    recall: float | None = None
    precision: float | None = None
    near_misses_flagged: int | None = None
    seconds: float
    peak_mb: int
    digest: str = ""

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Login:
    """An account people may try, and whose desk it is."""

    username: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Built:
    """A finished demo: what came out of it, and who may sign in."""

    result: DemoResult
    logins: tuple[Login, ...]


def build(request: DemoRequest, console: Console) -> Built:
    """Build the demo under WANJIA_HOME, or recognise the one that is there.

    Raises HomeNotOurs for a folder that holds something else.
    """
    home = Path(settings.WANJIA_HOME)
    earlier = _earlier(home, request)
    if earlier is not None:
        return earlier
    _clear(home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)  # as `wanjia setup` makes one
    (home / BUILDING).touch()
    started = time.monotonic()
    with serving(system_viewer("demo.build")):
        values, posts = _run(request, console)
    result = DemoResult(
        **values,  # type: ignore[arg-type]
        seconds=round(time.monotonic() - started, 1),
        peak_mb=_peak_mb(),
    )
    built = Built(result, tuple(Login(post.username, post.zh, post.en) for post in posts if post.shown))
    record = {"version": __version__, "request": asdict(request), **asdict(built)}
    (home / BUILT).write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    (home / BUILDING).unlink()
    return built


def _peak_mb() -> int:
    """The most memory this process and any one of its children held, in MB."""
    return sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024


def _earlier(home: Path, request: DemoRequest) -> Built | None:
    if (home / BUILDING).exists() or not (home / BUILT).exists():
        return None
    record = json.loads((home / BUILT).read_text(encoding="utf-8"))
    if record["version"] != __version__ or record["request"] != asdict(request):
        return None
    return Built(DemoResult(**record["result"]), tuple(Login(**login) for login in record["logins"]))


def _clear(home: Path) -> None:
    if not home.exists() or not any(home.iterdir()):
        return
    if not (home / BUILDING).exists() and not (home / BUILT).exists():
        raise HomeNotOurs(home=home)
    shutil.rmtree(home)


@dataclass(frozen=True, slots=True)
class Invented:
    """A county that exists in memory only: the same for the same request. `truth` is what is so in it."""

    place: county.CountyPlace
    people: world.County
    posts: tuple[staff.Post, ...]
    deliveries: Sequence[Delivery]
    truth: Truth

    @property
    def lines(self) -> int:
        """The lines of all the departments' files."""
        return sum(delivery.lines for delivery in self.deliveries)


def invent(request: DemoRequest) -> Invented:
    """The county, its staff and its department's file. Reads the divisions of the installation."""
    place = county.place_of(request.county_code)
    random = Random(request.seed)
    invented = world.build(
        random=random,
        county_code=place.code,
        county_name=place.name,
        villages=[code for township in place.townships for code, _ in township.villages],
        people=request.people,
    )
    cast = Cast(random, invented.homes, each=_parts(request.people))
    registrar.enter(cast)
    deliveries = departments.deliver(cast, invented, request.records)
    offices = {"county": (place.code, place.name), "city": place.city}
    stage_village = _busiest(invented, cast.truth)
    posts = tuple(staff.posts(random, **offices, places=place.townships, stage=stage_village))
    return Invented(place, invented, posts, deliveries, cast.truth)


def _parts(people: int) -> int:
    """How many plants, and as many near misses, a county of this size has of every question."""
    return min(26, max(1, people // 600))


def founded(request: DemoRequest, console: Console) -> tuple[county.Founded, Invented]:
    """An installation with the county, its staff and its register, before any comparison; and what is so in it."""
    with stage(console, "安装 installing"):
        prepare()
    with stage(console, "造县 inventing the county"):
        made = invent(request)
    with stage(console, f"登记 registering {sum(1 for _ in made.people.residents):,} people"):
        scene = county.found(made.place, made.people, made.posts, made.deliveries)
    return scene, made


def _busiest(invented: world.County, truth: Truth) -> str:
    """The village with the most to find, so that the logins people try have something to do."""
    home_of = {member.person_no: home for home in invented.homes for member in home.members}
    cars = [fact for fact in truth.facts - truth.blurred if fact.question == Question.CAR_BEFORE]
    villages = Counter(home_of[fact.person_no].village_code for fact in cars)
    return min(villages or {invented.homes[0].village_code: 0}, key=lambda code: (-villages[code], code))


def _run(request: DemoRequest, console: Console) -> tuple[dict[str, object], Sequence[staff.Post]]:
    with clock.frozen(line.FOUNDED_AT):
        scene, made = founded(request, console)
    values: dict[str, object] = {
        "people": scene.people,
        "households": len(scene.invented.homes),
        "records": made.lines,
    }
    if request.until == Until.WORKED:
        values |= _worked(request, console, scene, made.truth)
    return values, scene.posts


def _worked(request: DemoRequest, console: Console, scene: county.Founded, truth: Truth) -> dict[str, object]:
    outcome = line.run(scene, truth, console, stage)
    with stage(console, "基层办理 field work"):
        closed, cases = play.play(scene, outcome.run_id, Random(request.seed + 1))
    return {
        "accepted": outcome.accepted,
        "rejected": outcome.rejected,
        "non_data": outcome.non_data,
        "findings": outcome.findings,
        "cases": cases,
        "closed": closed,
        "recall": outcome.judged.recall,
        "precision": outcome.judged.precision,
        "near_misses_flagged": outcome.judged.near_misses_flagged,
        "digest": outcome.digest,
    }


@contextmanager
def stage(console: Console, title: str) -> Iterator[None]:
    """Say what is being done and how long it took."""
    begun = time.monotonic()
    with console.status(title):
        yield
    console.print(f"[green]✓[/] {title} [dim]{time.monotonic() - begun:.1f} s[/]")
