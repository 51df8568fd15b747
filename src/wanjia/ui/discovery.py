"""Finding what the slices offer: each installed slice may have a module of a given name."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps


def offered(module_name: str) -> Iterator[tuple[str, ModuleType]]:
    """(slice, module) for each installed slice of the platform that has `module_name`."""
    for config in apps.get_app_configs():
        if not config.name.startswith("wanjia.") or config.label == "ui":
            continue
        path = f"{config.name}.{module_name}"
        if find_spec(path) is not None:
            yield config.label, import_module(path)
