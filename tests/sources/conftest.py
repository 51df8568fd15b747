from __future__ import annotations

from pathlib import Path

import pytest

from tests.factories import sources as factory
from wanjia.reference.services import load_reference


@pytest.fixture
def province():
    return factory.province_officer()


@pytest.fixture
def gongan():
    return factory.department_officer()


@pytest.fixture
def reference(db):
    """The code lists labels are understood by."""
    load_reference()


@pytest.fixture
def put(tmp_path: Path):
    """Write a delivery to a file and say where it is."""

    def write(content: str | bytes | None = None, *, name: str = "vehicles.csv", encoding: str = "gb18030") -> Path:
        content = factory.delivery() if content is None else content
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write
