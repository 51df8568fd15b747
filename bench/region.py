"""An invented region in the lake: snapshot, matched records, and the raw typed records they came from.

At scale 1 it has Guangxi's 6.34 million registered people, about 30.7 million matched records of
eight datasets (`bench.departments`), and nineteen departments' 99.5 million raw rows to resolve
(`design.md` §8). The files are invented but have the columns, the order and the row groups the real
ones have. The same seed gives the same files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.departments import DAY, KINDS, PIECE, People, chance, days, drawn, numbered, write_departments
from wanjia.lake import Columns, Lake, Type, parquet

PEOPLE, RECORDS, ROWS, DEPARTMENTS, PER_HOUSEHOLD = 6_340_000, 30_700_000, 99_500_000, 19, 4  # design.md §8
SNAPSHOT = "bench"
PERSONS: Columns = {
    "person_no": Type.INTEGER,
    "household_no": Type.INTEGER,
    "in_household": Type.BOOLEAN,
    "village_code": Type.TEXT,
    "person_key": Type.BIGINT,
    "name_match": Type.TEXT,
    "id_valid": Type.BOOLEAN,
    "birth_date": Type.DATE,
    "sex": Type.TEXT,
    "relation": Type.TEXT,
    "member_status": Type.TEXT,
    "health": Type.TEXT,
    "on_dibao": Type.BOOLEAN,
    "on_tekun": Type.BOOLEAN,
}
HOUSEHOLDS: Columns = {
    "household_no": Type.INTEGER,
    "village_code": Type.TEXT,
    "identified_year": Type.INTEGER,
    "poverty_status": Type.TEXT,
    "household_category": Type.TEXT,
}

STANDINGS = (("0", 1), ("1", 3), ("2", 1), ("3", 1), ("4", 1), (None, 0.1))


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


def write_region(store: Lake, seed: int, sizes: Sizes) -> dict[str, int]:
    """A snapshot and a matched batch of each dataset; how many records each of them has."""
    random = np.random.default_rng(seed)
    people, households = sizes.people, sizes.people // PER_HOUSEHOLD + 1
    villages = np.array(
        [f"45{n // 1000 % 14 + 1:02}{n // 100 % 10 + 21:02}{n % 100 + 100:03}2{n % 10:02}" for n in range(15_000)]
    )
    village_of = np.sort(random.integers(0, len(villages), households))
    household = np.arange(people) // PER_HOUSEHOLD
    disabled, dibao, tekun = (chance(random, people, share) for share in (0.08, 0.2, 0.02))
    registered = People(household, dibao, tekun & ~dibao, disabled)
    keys, names = identities(seed, people)
    left = chance(random, people, 0.03)
    with store.publishing(f"registry/snapshot={SNAPSHOT}") as staging:
        persons = {
            "person_no": pa.array(np.arange(1, people + 1), pa.int32()),
            "household_no": pa.array(household + 1, pa.int32()),
            "in_household": pa.array(~left),
            "village_code": pa.array(villages[village_of[household]]),
            "person_key": pa.array(keys),
            "name_match": _named(names),
            "id_valid": pa.array(~chance(random, people, 0.01)),
            "birth_date": days(random, people, dt.date(1930, 1, 1), DAY, 0.01),
            "sex": drawn(random, people, (("1", 52), ("2", 48))),
            "relation": pa.array(np.where(np.arange(people) % PER_HOUSEHOLD == 0, "01", _kin(random, people))),
            "member_status": pa.array(np.where(left, "3", "1")),
            "health": pa.array(np.where(disabled, *_healths(random, people))),
            "on_dibao": pa.array(registered.on_dibao, mask=chance(random, people, 0.01)),
            "on_tekun": pa.array(registered.on_tekun, mask=chance(random, people, 0.01)),
        }
        parquet.write(staging.path("persons.parquet"), pa.table(persons), PERSONS, row_group=parquet.SORTED_ROW_GROUP)
        houses = {
            "household_no": pa.array(np.arange(1, households + 1), pa.int32()),
            "village_code": pa.array(villages[village_of]),
            "identified_year": pa.array(random.integers(2014, 2020, households), pa.int32()),
            "poverty_status": drawn(
                random, households, (("0", 1), ("1", 3), ("2", 1), ("3", 1), ("4", 1), (None, 0.1))
            ),
            "household_category": drawn(random, households, (("01", 7), ("04", 2), ("06", 1))),
        }
        parquet.write(staging.path("households.parquet"), pa.table(houses), HOUSEHOLDS)
    return write_departments(store, seed, registered, SNAPSHOT)


def _kin(random: np.random.Generator, people: int) -> np.ndarray:
    return random.choice(["02", "03", "04", "05", "08", "11", "21"], people)


def _healths(random: np.random.Generator, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Of somebody disabled, and of anybody else."""
    return random.choice(["04", "04", "02,04"], people), random.choice(["01", "01", "01", "02", "03", ""], people)


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
    same_name = registered & (~chance(random, n, 0.02))
    name = _named(np.where(same_name, names[owner], random.integers(0, len(NAMES), n)))
    key = np.where(registered, keys[owner], random.integers(-(2**62), 2**62, n))
    sound = ~chance(random, n, 0.02)  # two numbers in a hundred are wrong
    born = random.integers(-14_000, 14_000, n).astype("datetime64[D]")
    return facts | {
        "owner_name": name,
        "name_match": name,
        "person_key": pa.array(key, mask=chance(random, n, 0.004)),
        "id_valid": pa.array(sound),
        "issuing_county": drawn(random, n, tuple((f"4599{part:02}", 1) for part in range(21, 33))),
        "birth_date": pa.array(born),
        "sex": drawn(random, n, (("1", 52), ("2", 48))),
    }


def _vehicles(random: np.random.Generator, n: int, start: int) -> dict[str, pa.Array]:
    """What a line of the vehicle register says beside its owner."""
    serial = np.arange(start, start + n)
    return {
        "source_row": pa.array(serial + 3, pa.int32()),
        "plate": numbered("桂M", serial),
        "vehicle_kind": drawn(random, n, KINDS),
        "vehicle_use": drawn(random, n, (("非营运", 97), ("货运", 3))),
        "model": drawn(random, n, (("五菱宏光LZW6441", 1), ("宗申ZS125", 2), ("豪爵HJ150", 2))),
        "registered_on": days(random, n, dt.date(2006, 1, 1), DAY),
        "vehicle_status": drawn(random, n, (("正常", 88), ("报废", 6), ("注销", 4), ("转出", 2))),
    }
