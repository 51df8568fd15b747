import pytest

from wanjia.divisions.services import load_divisions


@pytest.fixture
def guangxi(db):
    """The 18,091 divisions of Guangxi."""
    return load_divisions()
