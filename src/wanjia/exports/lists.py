"""The lists that need an approval when they are long, declared by the slices that own them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.http import QueryDict

from wanjia.kernel.errors import Sentence
from wanjia.scope.errors import NotVisible
from wanjia.scope.viewer import Viewer


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as one address narrows it for one viewer: how long it is, where, and the filter in words.

    One that holds whole numbers needs an approval `always`, however short it is.
    """

    rows: int
    area: str
    query: str
    conditions: tuple[tuple[str, str], ...]
    always: bool = False


@dataclass(frozen=True, slots=True)
class ExportableList:
    """`read(viewer, values)` cuts to what the viewer may export; `url_name` hands the list out."""

    code: str
    title: Sentence
    permission: str
    read: Callable[[Viewer, Mapping[str, str]], Asked]
    url_name: str


_lists: dict[str, ExportableList] = {}


def declare(exportable: ExportableList) -> None:
    """Make a list known; called from `AppConfig.ready`."""
    _lists[exportable.code] = exportable


def listed(code: str) -> ExportableList:
    """The list of that code. Raises NotVisible."""
    if code not in _lists:
        raise NotVisible(kind="list")
    return _lists[code]


def may_take_any(viewer: Viewer) -> bool:
    """Whether the viewer takes away any of these lists."""
    return any(viewer.may(exportable.permission) for exportable in _lists.values())


def as_query(values: Mapping[str, str]) -> str:
    """A filter as an address says it; the same text for the same filter."""
    query = QueryDict(mutable=True)
    query.update(dict(sorted((name, value) for name, value in values.items() if value)))
    return query.urlencode()
