"""National numbers are found through their index, however many are registered."""

import pytest
from django.db import connection, transaction

from tests.factories.registry import BUILDER
from wanjia.registry.models import Household, Person
from wanjia.registry.national import numbered

COLUMNS = [(Household, "national_household_no"), (Person, "national_person_no")]


@pytest.mark.parametrize(("model", "column"), COLUMNS)
def test_a_number_is_found_through_its_index(county, model, column):
    rows = model.objects.visible_to(BUILDER).order_by().filter(numbered(column, ["H001", "P0010"])).values_list(column)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # a small table is read as a whole otherwise
        plan = rows.explain()
    assert f"{model._meta.model_name}_national_number_once" in plan
