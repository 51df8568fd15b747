"""The bulk form of the identity judge says what the kernel's says."""

import datetime as dt
import json
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wanjia.intake import rules
from wanjia.intake.identity import judge_many
from wanjia.kernel import identity

TABLE = json.loads((Path(__file__).parents[1] / "vectors" / "identity.json").read_text("utf-8"))
TODAY = dt.date.fromisoformat(TABLE["today"])
RAW = [vector["raw"] for vector in TABLE["vectors"]]


def bulk(texts):
    said = judge_many(pa.array(texts, pa.string()), TODAY)
    return [
        (valid, rules.CODES[problem], county, born, sex)
        for valid, problem, county, born, sex in zip(
            said.valid.to_pylist(),
            said.problems.tolist(),
            said.county.to_pylist(),
            said.born_on.to_pylist(),
            said.sex.to_pylist(),
            strict=True,
        )
    ]


def one(text):
    said = identity.judge(text, TODAY)
    problem = rules.of_identity(said.problem) if said.problem else ""
    return said.valid, problem, said.county, said.born_on, said.sex


def test_the_table_of_vectors():
    for vector, said in zip(TABLE["vectors"], bulk(RAW), strict=True):
        problem = vector.get("problem")
        assert said[:2] == (vector["valid"], rules.of_identity(identity.Problem(problem)) if problem else "")
        assert (said[3] and said[3].isoformat(), said[4]) == (vector.get("born_on"), vector.get("sex"))


def test_the_whole_column_agrees_with_one_by_one_wherever_it_is_cut():
    column = pa.array(RAW, pa.string())
    for start in range(0, len(RAW), 7):
        said = judge_many(column.slice(start), TODAY)
        assert said.valid.to_pylist() == [identity.judge(text, TODAY).valid for text in RAW[start:]]


def sound(first17):
    return first17 + identity.check_character(first17)


@given(
    st.lists(
        st.one_of(
            st.from_regex(r"[0-9]{17}[0-9Xx]", fullmatch=True),
            st.from_regex(r"[1-9][0-9]{5}(19|20)[0-9]{2}[01][0-9][0-3][0-9]{4}", fullmatch=True).map(sound),
            st.text(max_size=19),
            st.sampled_from(RAW),
        ),
        max_size=20,
    )
)
def test_any_column_is_judged_as_its_cells_are(texts):
    assert bulk(texts) == [one(text) for text in texts]


@pytest.mark.parametrize(
    ("born", "valid"),
    [("19000101", True), ("18991231", False), ("20201116", True), ("20201117", False), ("20000229", True),
     ("19000229", False), ("20190229", False), ("20191301", False), ("20190631", False), ("20190100", False)],
)  # fmt: skip
def test_dates_at_the_edges(born, valid):
    assert bulk([sound(f"459999{born}012")])[0][0] is valid
