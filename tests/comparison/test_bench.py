from argparse import Namespace

import pytest

from bench.compare import measure

pytestmark = [pytest.mark.one_database, pytest.mark.long, pytest.mark.fault]  # two runs of half a minute


def test_the_bench_runs_the_real_path_and_repeats_itself():
    first, again = (measure(Namespace(scale=0.0005, seed=1)) for _ in range(2))

    assert first["findings"] > 0
    assert first["people"] == 3_170
    assert first["rows_matched"] + first["rows_unmatched"] == first["rows"] // 19 * 19
    assert (first["digest"], first["findings"]) == (again["digest"], again["findings"])
