"""An invented region in the lake: snapshot, matched records, and the raw typed records they came from.

At scale 1 it has Guangxi's 6.34 million registered people, nineteen departments' 99.5 million rows
and the 30.7 million of them that are about registered people (`design.md` §8). The files are
invented but have the columns, the order and the row groups the real ones have. The same seed gives
the same files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from wanjia.lake import Columns, Lake, Type, parquet

PEOPLE, RECORDS, ROWS, DEPARTMENTS, PER_HOUSEHOLD = 6_340_000, 30_700_000, 99_500_000, 19, 4
SNAPSHOT = "bench"
MATCHED_ADDRESS = f"resolved/gongan.vehicles/batch=1,snapshot={SNAPSHOT}"
DAY = dt.date(2020, 11, 16)
EPOCH = dt.date(1970, 1, 1)
MATCHED: Columns = {
    "person_no": Type.INTEGER,
    "source_row": Type.INTEGER,
    "name_agrees": Type.BOOLEAN,
    "plate": Type.TEXT,
    "vehicle_kind": Type.TEXT,
    "vehicle_use": Type.TEXT,
    "model": Type.TEXT,
    "registered_on": Type.DATE,
    "vehicle_status": Type.TEXT,
}
PERSONS: Columns = {
    "person_no": Type.INTEGER,
    "household_no": Type.INTEGER,
    "in_household": Type.BOOLEAN,
    "village_code": Type.TEXT,
    "person_key": Type.BIGINT,
    "name_match": Type.TEXT,
}
HOUSEHOLDS: Columns = {
    "household_no": Type.INTEGER,
    "village_code": Type.TEXT,
    "identified_year": Type.INTEGER,
    "poverty_status": Type.TEXT,
}
KINDS = (("普通二轮摩托车", 86), ("小型轿车", 6), ("微型普通客车", 4), ("轻型普通货车", 2), ("残疾人专用机动轮椅车", 2))
STATUSES = (("正常", 88), ("报废", 6), ("注销", 4), ("转出", 2))
MODELS = (("五菱宏光LZW6441", 1), ("宗申ZS125", 2), ("豪爵HJ150", 2))
PIECE = 1_000_000


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many people, matched records and raw rows a scale means."""

    people: int
    records: int
    rows: int

    @classmethod
    def at(cls, scale: float) -> Sizes:
        """The sizes at `scale`; 1 is all of Guangxi."""
        return cls(max(1_000, int(PEOPLE * scale)), max(4_000, int(RECORDS * scale)), max(20_000, int(ROWS * scale)))


def write_region(store: Lake, seed: int, sizes: Sizes) -> None:
    """A snapshot and one matched batch as large as nineteen departments' together."""
    random = np.random.default_rng(seed)
    people, households = sizes.people, sizes.people // PER_HOUSEHOLD + 1
    villages = np.array(
        [f"45{n // 1000 % 14 + 1:02}{n // 100 % 10 + 21:02}{n % 100 + 100:03}2{n % 10:02}" for n in range(15_000)]
    )
    village_of = np.sort(random.integers(0, len(villages), households))
    with store.publishing(f"registry/snapshot={SNAPSHOT}") as staging:
        household = np.arange(people) // PER_HOUSEHOLD
        keys, names = identities(seed, people)
        persons = {
            "person_no": pa.array(np.arange(1, people + 1), pa.int32()),
            "household_no": pa.array(household + 1, pa.int32()),
            "in_household": pa.array(random.random(people) > 0.03),  # noqa: PLR2004 - three in a hundred have left
            "village_code": pa.array(villages[village_of[household]]),
            "person_key": pa.array(keys),
            "name_match": _named(names),
        }
        parquet.write(staging.path("persons.parquet"), pa.table(persons), PERSONS, row_group=parquet.SORTED_ROW_GROUP)
        houses = {
            "household_no": pa.array(np.arange(1, households + 1), pa.int32()),
            "village_code": pa.array(villages[village_of]),
            "identified_year": pa.array(random.integers(2014, 2020, households), pa.int32()),
            "poverty_status": pa.array(random.choice(["0", "1", "1", "1", "2", "3", "4"], households)),
        }
        parquet.write(staging.path("households.parquet"), pa.table(houses), HOUSEHOLDS)
    with store.publishing(MATCHED_ADDRESS) as staging:
        owners = np.sort(random.integers(1, people + 1, sizes.records))
        rows = (batch for start in range(0, sizes.records, PIECE) for batch in _owned(random, owners, start))
        parquet.write(staging.path("matched.parquet"), rows, MATCHED, row_group=parquet.SORTED_ROW_GROUP)


def _owned(random: np.random.Generator, owners: np.ndarray, start: int) -> list[pa.RecordBatch]:
    own = owners[start : start + PIECE]
    facts = _vehicles(random, len(own), start)
    names_differ = facts.pop("draw") <= 0.02  # noqa: PLR2004 - two names in a hundred differ
    return pa.table(
        {"person_no": pa.array(own, pa.int32()), "name_agrees": pa.array(~names_differ), **facts}
    ).to_batches()


def _vehicles(random: np.random.Generator, n: int, start: int) -> dict[str, pa.Array]:
    since = (dt.date(2006, 1, 1) - EPOCH).days
    serial = np.arange(start, start + n)
    return {
        "source_row": pa.array(serial + 3, pa.int32()),
        "draw": random.random(n),
        "plate": pa.array(np.char.add("桂M", serial.astype(str))),
        "vehicle_kind": _drawn(random, n, KINDS),
        "vehicle_use": _drawn(random, n, (("非营运", 97), ("货运", 3))),
        "model": _drawn(random, n, MODELS),
        "registered_on": pa.array(random.integers(since, (DAY - EPOCH).days, n).astype("datetime64[D]")),
        "vehicle_status": _drawn(random, n, STATUSES),
    }


def _drawn(random: np.random.Generator, n: int, weighted: Sequence[tuple[str, int]]) -> pa.Array:
    texts, weights = zip(*weighted, strict=True)
    shares = np.array(weights) / sum(weights)
    return pa.DictionaryArray.from_arrays(random.choice(len(texts), n, p=shares), pa.array(texts)).cast(pa.string())


# -- who the people are, and what the departments hold about them ----------------------------------

FAMILY, GIVEN = "韦黄李陆覃蓝莫潘陈农梁罗卢蒙张王", "明华英秀兰建国志强玉芳春生福贵海珍龙云凤文武成林"
NAMES = pa.array([f + a + b for f in FAMILY for a in GIVEN for b in GIVEN])


def identities(seed: int, people: int) -> tuple[np.ndarray, np.ndarray]:
    """The key of each person, 2 in 1,000 under a number somebody else holds too, and the place of his name."""
    random = np.random.default_rng((seed, 1))
    keys = random.integers(-(2**62), 2**62, people)
    doubled = random.integers(0, people, people // 500)
    keys[doubled] = keys[random.integers(0, people, len(doubled))]
    return keys, random.integers(0, len(NAMES), people)


def _named(places: np.ndarray) -> pa.Array:
    return NAMES.take(pa.array(places))


def write_deliveries(folder: Path, seed: int, sizes: Sizes, columns: Columns) -> Iterator[Path]:
    """One typed batch per department, in the order its sender kept it: a Parquet file with `columns`."""
    keys, names = identities(seed, sizes.people)
    share, each = sizes.records / sizes.rows, sizes.rows // DEPARTMENTS
    for number in range(1, DEPARTMENTS + 1):
        random = np.random.default_rng((seed, 2, number))
        path = folder / f"batch-{number}.parquet"
        pieces = (
            pa.table(_delivered(random, min(PIECE, each - start), start, share, keys, names)).select(list(columns))
            for start in range(0, each, PIECE)
        )
        parquet.write(path, (batch for piece in pieces for batch in piece.to_batches()), columns)
        yield path


def _delivered(  # noqa: PLR0913 - the parts of a row
    random: np.random.Generator, n: int, start: int, share: float, keys: np.ndarray, names: np.ndarray
) -> dict[str, pa.Array]:
    owner = random.integers(0, len(keys), n)
    registered = random.random(n) < share
    facts = _vehicles(random, n, start)
    same_name = registered & (facts.pop("draw") > 0.02)  # noqa: PLR2004 - two names in a hundred differ
    name = _named(np.where(same_name, names[owner], random.integers(0, len(NAMES), n)))
    key = np.where(registered, keys[owner], random.integers(-(2**62), 2**62, n))
    sound = random.random(n) > 0.02  # noqa: PLR2004 - two numbers in a hundred are wrong or missing
    born = random.integers(-14_000, 14_000, n).astype("datetime64[D]")
    return facts | {
        "owner_name": name,
        "name_match": name,
        "person_key": pa.array(key, mask=random.random(n) < 0.004),  # noqa: PLR2004 - four in a thousand are empty
        "id_valid": pa.array(sound),
        "issuing_county": _drawn(random, n, tuple((f"4599{part:02}", 1) for part in range(21, 33))),
        "birth_date": pa.array(born),
        "sex": _drawn(random, n, (("1", 52), ("2", 48))),
    }
