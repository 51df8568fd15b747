"""Whole columns come out as they went in, whatever stands in them, and only as far as the reader reaches."""

from datetime import date

import pytest
from django.conf import settings as configured

from tests.factories import registry as factory
from wanjia.audit.testing import unrecorded
from wanjia.lake import Type
from wanjia.registry.models import Household
from wanjia.scope.readout import Selection, batches

pytestmark = pytest.mark.django_db  # also when the module is run by itself

ODD = ["", "null", '"', "\\", "a,b", "t", "0", '[1,"2"]', "\\n", "行\t列", "两\n行", "\x07", "'", "%s", "é😀"]


@pytest.fixture(scope="module")
def settled(stands):
    return factory.build()


def selection(source="ORDER BY household_no", **more):
    columns = {"household_no": Type.INTEGER, "hamlet": Type.TEXT, "exit_year": Type.INTEGER, "relocated": Type.BOOLEAN}
    columns |= {"entered_on": Type.DATE, "removed_on": Type.DATE, "entered_by": Type.BIGINT}
    return Selection({name: more.get(name, name) for name in columns}, f"FROM registry_household {source}", columns)


def rows(viewer, source="ORDER BY household_no", **more):
    found = batches(selection(source), viewer=viewer, **more)
    return [row for batch in found for row in batch.to_pylist()]


def test_every_text_survives(settled):
    with unrecorded():
        for number, text in enumerate(ODD, start=1):
            Household.objects.visible_to(factory.BUILDER).filter(pk=number).update(hamlet=text)

    read = rows(factory.BUILDER)
    assert [row["hamlet"] for row in read[: len(ODD)]] == ODD
    assert (read[1]["exit_year"], read[0]["exit_year"], read[0]["relocated"]) == (None, 2018, False)
    assert (read[0]["entered_on"], read[0]["removed_on"]) == (settled.household(1).entered_on, None)
    assert isinstance(read[0]["entered_on"], date)


def test_pieces_have_the_size_asked_for_and_parameters_are_filled_in(settled):
    sizes = [batch.num_rows for batch in batches(selection(), viewer=factory.BUILDER, size=10)]
    assert sizes == [10, 10, 10, 2]
    assert [row["household_no"] for row in rows(factory.BUILDER, "WHERE household_no IN (%s, %s)", params=[3, 5])] == [
        3,
        5,
    ]
    assert rows(factory.BUILDER, "WHERE household_no < 0") == []


@pytest.mark.skipif("postgresql" not in configured.DATABASES["default"]["ENGINE"], reason="PostgreSQL's own lock")
def test_it_reaches_no_further_than_the_reader(settled):
    assert {row["household_no"] for row in rows(settled.viewer("village"))} == set(range(1, 9))
    assert len(rows(factory.BUILDER)) == 32


def test_what_is_not_declared_is_not_read():
    with pytest.raises(ValueError, match="hamlet"):
        Selection({"hamlet": "hamlet"}, "FROM registry_household", {"name": Type.TEXT})
