"""What may be uploaded for what: `data/purposes.yaml`, read once and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from wanjia.files.errors import UnknownPurpose
from wanjia.files.sniffing import KINDS
from wanjia.kernel.errors import Sentence


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """What a stored photo may measure: pixels on its longer edge, bytes."""

    edge: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Purpose:
    """One use of uploads and what it takes."""

    code: str
    title: Sentence
    types: frozenset[str]
    max_bytes: int
    max_pixels: int
    keeps_name: bool
    photo: PhotoLimits | None

    @property
    def accept(self) -> str:
        """The value of a file input's `accept`."""
        return ",".join(sorted(KINDS[kind].extension for kind in self.types))


@cache
def purposes() -> Mapping[str, Purpose]:
    """Every declared purpose, by code."""
    text = files("wanjia.files").joinpath("data/purposes.yaml").read_text("utf-8")
    return {code: _purpose(code, entry) for code, entry in yaml.safe_load(text).items()}


def _purpose(code: str, entry: Mapping[str, Any]) -> Purpose:
    unknown = set(entry["types"]) - KINDS.keys()
    if unknown:
        raise ValueError(f"purposes.yaml: {code} takes {sorted(unknown)}, which nobody can recognise")
    photo = PhotoLimits(**entry["photo"]) if "photo" in entry else None
    return Purpose(
        code,
        Sentence(**entry["title"]),
        frozenset(entry["types"]),
        int(entry["max_bytes"]),
        int(entry["max_pixels"]),
        bool(entry["keeps_name"]),
        photo,
    )


def purpose_named(code: str) -> Purpose:
    """The declared purpose. Raises UnknownPurpose."""
    try:
        return purposes()[code]
    except KeyError:
        raise UnknownPurpose(purpose=code) from None
