import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import registry as factory
from tests.factories.accounts import PASSWORD


@pytest.fixture
def county(db) -> factory.InventedCounty:
    return factory.build()


@pytest.fixture
def enter(county):
    """A browser signed in as one of the county's people."""

    def sign_in(who):
        client = Client()
        client.post(reverse("accounts:sign_in"), {"username": county.users[who].username, "password": PASSWORD})
        return client

    return sign_in
