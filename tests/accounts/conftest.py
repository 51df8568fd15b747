import pytest

from tests.factories import accounts as factory
from wanjia.accounts.services import load_roles


@pytest.fixture
def roles(db):
    load_roles()


@pytest.fixture
def security(roles):
    """The security administrator of the invented province 45."""
    return factory.account("security-45", "security_admin", "45")
