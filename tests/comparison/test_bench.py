from bench.compare import measure
from wanjia.lake import Lake


def test_the_bench_runs_the_real_path_and_repeats_itself(tmp_path):
    first, again = (measure(Lake(tmp_path / name), 0.0005, seed=1) for name in ("first", "again"))

    assert first["findings"] > 0
    assert first["people"] == 3_170
    assert (first["digest"], first["findings"]) == (again["digest"], again["findings"])
