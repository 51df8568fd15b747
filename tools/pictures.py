"""Takes the pictures of the main pages that the documentation shows, from the demo.

    wanjia demo --no-serve     once, to have something to show
    python tools/pictures.py   docs/pictures/<page>-<language>-<width>.png

Serves a copy of the demo's data on a free port, so taking pictures changes nothing.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from playwright.sync_api import Page  # noqa: E402

from tests.browser.chromium import NARROW, WIDE, Desk, chromium  # noqa: E402
from tests.browser.site import Site, served  # noqa: E402

PICTURES = ROOT / "docs/pictures"
TALLEST = {WIDE: 1200, NARROW: 1400}  # a list's rows beyond this say nothing new


@dataclass(frozen=True, slots=True)
class Picture:
    """One page as one person sees it.

    `address` is where it begins; each selector in `through` is a link that is followed, for
    pages whose number differs from demo to demo.
    """

    name: str
    login: str
    address: str
    through: tuple[str, ...] = ()


FIRST_ROW = "main a.w-row-link"

MAIN_PAGES = (
    Picture("sign-in", "", "/sign-in/"),
    Picture("home", "county", "/"),
    Picture("home-township", "township", "/"),
    Picture("batches", "province", "/sources/"),
    Picture("batch", "province", "/sources/", (FIRST_ROW,)),
    Picture("runs", "province", "/comparison/"),
    Picture("run", "province", "/comparison/", (FIRST_ROW,)),
    Picture("finding", "province", "/comparison/", (FIRST_ROW, "main td a.w-row-link")),
    Picture("cases", "county", "/cases/"),
    Picture("case", "township", "/cases/mine/", (FIRST_ROW,)),
    Picture("desk", "traffic", "/comparison/department/"),
    Picture("feedback", "traffic", "/comparison/department/", (FIRST_ROW,)),
    Picture("households", "county", "/registry/households/"),
    Picture("household", "county", "/registry/households/", (FIRST_ROW,)),
    Picture("people", "secadmin", "/people/"),
    Picture("log", "auditor", "/audit/"),
)


def taken(site: Site, names: Sequence[str]) -> Iterator[Path]:
    """Take the named pictures, or all, in both languages and two widths."""
    with chromium() as browser:
        for width in (WIDE, NARROW):
            for language in ("zh", "en"):
                desk = Desk(site, browser)
                for picture in MAIN_PAGES:
                    if not names or picture.name in names:
                        yield _take(desk, picture, language, width)
                desk.close()
                if desk.faults:
                    raise SystemExit("Something went wrong on these pages:\n" + "\n".join(desk.faults))


def _take(desk: Desk, picture: Picture, language: str, width: int) -> Path:
    page = desk.open(picture.login, width=width, language=language)
    _go(page, picture)
    path = PICTURES / f"{picture.name}-{language}-{width}.png"
    height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST[width])
    page.screenshot(path=path, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    with Image.open(path) as drawn:
        drawn.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    page.context.close()
    return path


def _go(page: Page, picture: Picture) -> None:
    page.goto(picture.address)
    for selector in picture.through:
        page.goto(page.locator(selector).first.evaluate("link => link.href"))
    if page.locator("main h1").count() != 1:
        raise SystemExit(f"{picture.name}: {page.url} is no page to show")


def main() -> int:
    """The program; its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"only these: {', '.join(p.name for p in MAIN_PAGES)}")
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("WANJIA_HOME", "var")) / "demo")
    arguments = parser.parse_args()
    if not (arguments.home / "demo.json").is_file():
        print(f"There is no finished demo in {arguments.home}. Run `wanjia demo --no-serve` first.", file=sys.stderr)
        return 1
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="wanjia-pictures-") as folder:
        copy = Path(folder) / "home"
        shutil.copytree(arguments.home, copy)
        with served(copy) as site:
            for path in taken(site, arguments.names):
                print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
