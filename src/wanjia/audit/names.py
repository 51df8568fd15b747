"""Names of actors, handed in by the slice that knows people; it stands above this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

NamesOf = Callable[[Iterable[int]], Mapping[int, str]]

_source: list[NamesOf] = []


def use(names_of: NamesOf) -> None:
    """`names_of(user_ids)` gives display names; called once, from `AppConfig.ready`."""
    _source[:] = [names_of]


def of(user_ids: Iterable[int]) -> dict[int, str]:
    """The names that are known of `user_ids`."""
    wanted = {number for number in user_ids if number}
    return dict(_source[0](wanted)) if _source and wanted else {}
