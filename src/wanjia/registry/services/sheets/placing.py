"""Which village a row speaks of: by its division code, else by the names of its places."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.divisions.errors import PlaceElsewhere, PlaceNotResolved
from wanjia.divisions.queries import gazetteer
from wanjia.divisions.resolver import Resolver
from wanjia.divisions.rules import written_form
from wanjia.kernel.codes import LENGTHS
from wanjia.registry.choices import RejectReason
from wanjia.registry.services.sheets.reading import Rows

VILLAGE = 12
_LEVELS = ("province", "city", "county", "township", "village")
_BETWEEN = "\x1f"


def place(rows: Rows, area: str) -> npt.NDArray[np.object_]:
    """The village code of each row, "" where there is none; rows without one or outside `area` are refused."""
    columns = [pc.fill_null(rows.column(name), "") for name in ("division_code", *_LEVELS)]
    joined = pc.binary_join_element_wise(*columns, _BETWEEN).dictionary_encode()
    resolver = Resolver()
    found = [_village(resolver, text.split(_BETWEEN)) for text in joined.dictionary.to_pylist()]
    codes = np.array([*found, ""], object)[joined.indices.to_numpy(zero_copy_only=False)]
    rows.refuse(codes == "", "village", RejectReason.PLACE_UNKNOWN)
    outside = np.array([not code.startswith(area) for code in found] + [True], np.bool_)
    rows.refuse(outside[joined.indices.to_numpy(zero_copy_only=False)], "village", RejectReason.OUTSIDE_AREA)
    return codes  # type: ignore[no-any-return]


def _village(resolver: Resolver, said: list[str]) -> str:
    code, names = said[0], said[1:]
    known = gazetteer()
    if code:
        current = known.current_code(code)
        return current if current in known.places and len(current) == VILLAGE else ""
    try:
        found = resolver.resolve(**dict(zip(_LEVELS, names, strict=True)))
    except PlaceNotResolved:
        return ""
    return found if len(found) == VILLAGE else ""


def refuse_elsewhere(rows: Rows, at: Sequence[int], villages: Sequence[str]) -> None:
    """Refuse the rows `at` that speak of another place than the village registered, one of `villages` each.

    A row that names no place says nothing; one that names some of them is read with the others as registered.
    """
    columns = ("division_code", *_LEVELS)
    if not rows.has & set(columns):
        return
    told = zip(*(pc.fill_null(rows.column(name), "").take(pa.array(at, pa.int64())).to_pylist() for name in columns),
               strict=True)  # fmt: skip
    resolver = Resolver()
    judged: dict[tuple[str, ...], RejectReason | None] = {}
    for row, village, said in zip(at, villages, told, strict=True):
        key = (village, *said)
        if key not in judged:
            judged[key] = _elsewhere(resolver, village, said[0], said[1:])
        reason = judged[key]
        if reason is not None:
            rows.refuse_row(row, "village", reason)


def _elsewhere(resolver: Resolver, village: str, code: str, said: Sequence[str]) -> RejectReason | None:
    known = gazetteer()
    here = known.current_code(village)
    if code:
        current = known.current_code(code)
        if current not in known.places:
            return RejectReason.PLACE_UNKNOWN
        if not here.startswith(current):
            return RejectReason.REGISTERED_OTHERWISE
    names = dict(zip(_LEVELS, said, strict=True))
    named = [level for level in _LEVELS if written_form(names[level])]
    if not named:
        return None
    for level, length in zip(_LEVELS[: _LEVELS.index(named[-1])], LENGTHS, strict=False):
        place = known.places.get(here[:length])
        if level not in named and place is not None:
            names[level] = place.official_name
    try:
        found = resolver.resolve(**names)
    except PlaceElsewhere:
        return RejectReason.REGISTERED_OTHERWISE
    except PlaceNotResolved:
        return RejectReason.PLACE_UNKNOWN
    return None if here.startswith(found) else RejectReason.REGISTERED_OTHERWISE


def by_row(codes: npt.NDArray[np.object_], at: npt.NDArray[np.intp]) -> pa.Array:
    """The codes of some rows as a column."""
    return pa.array(codes[at].tolist(), pa.string())
