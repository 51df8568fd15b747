"""Which village a row speaks of: by its division code, else by the names of its places."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from wanjia.divisions.errors import PlaceNotResolved
from wanjia.divisions.queries import gazetteer
from wanjia.divisions.resolver import Resolver
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


def by_row(codes: npt.NDArray[np.object_], at: npt.NDArray[np.intp]) -> pa.Array:
    """The codes of some rows as a column."""
    return pa.array(codes[at].tolist(), pa.string())
