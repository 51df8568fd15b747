import pytest

from tests.factories import accounts as factory
from wanjia.accounts.services import load_roles
from wanjia.divisions.services import load_divisions


@pytest.fixture
def roles(db):
    load_roles()


@pytest.fixture
def security(roles):
    """The security administrator of the invented province 45."""
    return factory.account("security-45", "security_admin", "45")


@pytest.fixture
def places(db):
    """Guangxi's divisions, which the forms are asked about."""
    return load_divisions()
