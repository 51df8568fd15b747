import json
import subprocess
import sys

import pytest

from bench import harness
from bench.harness import Bench, Budget


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(harness, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


def bench(figure):
    return Bench("nothing", "What does nothing cost?", lambda _: {"nothing_ms": figure}, [Budget("nothing_ms", 2)])


def test_a_result_says_what_was_measured_where_and_whether_it_kept_its_budget(results, capsys):
    harness.main(bench(3), ["--json"])

    (run,) = json.loads((results / "nothing.json").read_text())
    assert run["figures"] == {"nothing_ms": 3}
    assert run["missed"] == ["nothing_ms"]
    assert {"duckdb", "postgresql", "python"} <= run["versions"].keys()
    assert run["machine"]["cores"] >= 1
    *_, budget, last = capsys.readouterr().out.splitlines()
    assert "MISSED" in budget
    assert json.loads(last) == {"nothing_ms": 3}


def test_results_keep_their_history_one_run_a_line(results):
    for figure in (1, 2):
        harness.main(bench(figure), [])

    text = (results / "nothing.json").read_text()
    assert [run["figures"]["nothing_ms"] for run in json.loads(text)] == [1, 2]
    assert len(text.splitlines()) == 4


def test_a_result_that_is_not_to_be_kept_leaves_no_trace(results):
    harness.main(bench(1), ["--no-keep"])

    assert not results.exists()


def test_the_peak_of_a_child_does_not_begin_at_its_parents(tmp_path):
    ballast = bytearray(300 * 2**20)  # what the parent holds
    code = tmp_path / "small.py"
    code.write_text("from bench.harness import peak_mb; print(peak_mb())")

    done = subprocess.run(
        [sys.executable, code], cwd=harness.ROOT, env={"PYTHONPATH": "."}, capture_output=True, check=True
    )

    assert int(done.stdout) < 200 < len(ballast) // 2**20


def test_a_budget_may_ask_for_at_least_so_much():
    assert Budget("rows", 20, at_least=True).kept_by({"rows": 30})
    assert Budget("rows", 20, at_least=True).kept_by({"rows": 10}) is False
    assert Budget("rows", 20).kept_by({}) is None
