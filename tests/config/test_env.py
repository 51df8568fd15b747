import os

import pytest
from django.db import connection

from wanjia.config import env

SITE, OWNER = "postgresql://wanjia_site@/wanjia", "postgresql://wanjia_owner@/wanjia"


def test_who_sets_up_logs_in_as_the_owner_and_what_it_starts_as_the_site(monkeypatch):
    monkeypatch.setenv("WANJIA_DATABASE_URL", SITE)
    monkeypatch.setenv("WANJIA_DATABASE_OWNER_URL", OWNER)
    with env.owning():
        assert env.read().database_url == OWNER
    assert env.read().database_url == SITE


def test_without_an_owner_there_is_one_login_and_without_a_url_there_is_sqlite(monkeypatch):
    monkeypatch.delenv("WANJIA_DATABASE_OWNER_URL", raising=False)
    monkeypatch.setenv("WANJIA_DATABASE_URL", SITE)
    with env.owning():
        assert env.read().database_url == SITE
    monkeypatch.delenv("WANJIA_DATABASE_URL")
    with env.owning():
        assert env.read().database_url == ""
    assert "WANJIA_DATABASE_URL" not in os.environ


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's own setting")
def test_postgresql_compiles_no_statement():
    with connection.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)


def test_what_the_url_asks_of_postgresql_comes_last(monkeypatch):
    monkeypatch.setenv("WANJIA_DATABASE_URL", f"{SITE}?options=-c%20jit%3Don")
    assert env.database(env.read())["OPTIONS"]["options"] == "-c jit=off -c jit=on"
