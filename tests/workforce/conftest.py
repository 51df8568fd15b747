import pytest

from tests.factories import registry as factory


@pytest.fixture
def county(db) -> factory.InventedCounty:
    return factory.build()
