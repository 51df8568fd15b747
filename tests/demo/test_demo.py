"""The demo as its command runs it: what it answers is what is so in the county it invented."""

import json
import os
import subprocess
import sys

import pytest
from django.db import connection


@pytest.mark.slow
def test_a_small_county_is_answered_rightly_and_every_line_accounted_for(tmp_path):
    if connection.vendor != "sqlite":
        pytest.skip("the demo brings a database of its own; once is enough")
    told = subprocess.run(
        [sys.executable, "-m", "wanjia.cli", "demo", "--home", str(tmp_path / "demo"), "--no-serve", "--json",
         "--people", "1800", "--records", "500"],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "wanjia.config.settings.dev"},
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr[-2000:]
    answer = json.loads(told.stdout.strip().splitlines()[-1])

    assert answer["accepted"] + answer["rejected"] + answer["non_data"] == answer["records"]
    lines = [path.read_bytes().count(b"\n") for path in (tmp_path / "demo/inbox").glob("*.csv")]
    assert sum(lines) < answer["records"], "and the workbooks' rows besides"
    assert answer["findings"] > 40
    assert (answer["recall"], answer["precision"], answer["near_misses_flagged"]) == (1.0, 1.0, 0)
    assert answer["cases"] > 0
