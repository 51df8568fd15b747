"""A small county at work: nothing of its people in clear on disks, in logs, in addresses, on pages.

`make leaks` does the same on both databases with more people, more pages and the command line.
"""

import os

import pytest

from tests.leaks.installation import installation
from tests.leaks.places import searched
from tests.leaks.work import Work

SIZE = {"people": 200, "records": 400, "seed": 7}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.real_clock,
    pytest.mark.skipif(
        bool(os.environ.get("WANJIA_DATABASE_URL")), reason="a server's files hold what other tests put there"
    ),
]


def test_no_personal_number_lies_or_passes_anywhere_in_clear(tmp_path):
    with installation(tmp_path / "county", **SIZE) as running:
        report = searched(Work(running, pages=4, thorough=False).everything())

    assert list(report.found()) == []
    assert len(report.places) >= 20
    for shown in ("shown: asked for by name and reason", "shown: reject sheet", "the department's desk"):
        assert report.search.counts[shown], "the search sees what is shown by design"


def test_under_a_cipher_that_hides_nothing_the_same_search_finds_them(tmp_path):
    with installation(tmp_path / "county", **SIZE, clear=True, serve=False) as built:
        report = searched(Work(built, pages=0))

    for place in ("database", "dump", "lake: raw zone"):
        assert report.search.counts[place] >= 300, place
