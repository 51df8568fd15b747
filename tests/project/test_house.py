"""The house rules that no other tool checks."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).parents[2]


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    return [ROOT / name for name in names.decode().split("\0") if name]


def texts():
    for path in tracked():
        if path.is_file() and path.suffix not in {".png", ".gz", ".woff2"}:
            yield path, path.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("name", ["bootstrap.txt", "runtime.txt", "dev.txt"])
def test_requirement_files_are_hashed_and_name_no_address(name):
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    pinned = re.findall(r"^[a-z0-9][\w.-]*==", text, re.MULTILINE)

    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "--index-url" not in text
    assert "--find-links" not in text


def test_the_npm_lock_file_names_no_address():
    lock = json.loads((ROOT / "frontend" / "package-lock.json").read_text(encoding="utf-8"))

    assert lock["packages"]
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]


def test_no_identity_number_of_a_real_county_is_written_anywhere():
    """Sample numbers carry 459999, or the county's city digits + 50 (4551-4564)."""
    number = re.compile(
        r"(?<![0-9A-Fa-f])45(?:0[1-9]|1[0-4])\d{2}(?:19|20)\d{2}(?:0[1-9]|1[0-2])\d{5}[0-9Xx](?![0-9A-Fa-f])"
    )
    found = [f"{path.relative_to(ROOT)}: {hit}" for path, text in texts() for hit in number.findall(text)]

    assert found == []


def test_every_slice_says_in_its_first_line_what_it_is():
    for package in sorted((ROOT / "src" / "wanjia").iterdir()):
        if package.is_dir() and package.name != "__pycache__":
            first = (package / "__init__.py").read_text(encoding="utf-8").strip()
            assert first.startswith('"""'), package.name


def test_every_decision_says_what_was_given_up():
    for page in sorted((ROOT / "docs" / "adr").glob("0*.md")):
        text = page.read_text(encoding="utf-8")
        for part in ("**Context.**", "**Choice.**", "**Given up.**"):
            assert part in text, f"{page.name} lacks {part}"


@pytest.mark.django_db
def test_every_change_of_a_table_has_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
