"""What goes wrong, each with a person's number and phone in the words of the fault."""

import json

from django.db import DataError, IntegrityError, connection


def row_of(person_no):
    from wanjia.registry.models import Household, Person  # whoever drives the site only wants the names of the faults
    from wanjia.scope.system import system_viewer

    viewer = system_viewer("registry.guards")
    person = Person.objects.get_visible(viewer, pk=person_no)
    household = Household.objects.get_visible(viewer, pk=person.household_no)
    return {
        "id_number": person.id_number.clear(),
        "phone": household.phone.clear(),
        "bank_account": household.bank_account.clear(),
    }


def value_error(row):
    raise ValueError(f"cannot read the row {row}")


def chained(row):
    try:
        int(f"x{row['id_number']}")
    except ValueError as error:
        raise RuntimeError(f"{row['phone']} is no number") from error


def with_a_note(row):
    error = KeyError(row["id_number"])
    error.add_note(f"while reading {row}")
    raise error


def constraint(row):
    """What PostgreSQL says of a row that stands twice; no statement, so that its own log stays out of it."""
    number = row["id_number"]
    raise IntegrityError(
        f'duplicate key value violates unique constraint "person_number"\nDETAIL:  Key (number)=({number}) already exists.'
    )


def database(_row):
    """A fault the database itself words: the value is masked already when it comes here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM registry_person WHERE no_such_column = 1")
    raise DataError


def in_json(row):
    json.loads(json.dumps(row)[:-1] + f", {row['id_number']}")


def in_group(row):
    raise ExceptionGroup(f"two rows like {row}", [ValueError(row["phone"]), TypeError(row["id_number"])])


WAYS = {way.__name__: way for way in (value_error, chained, with_a_note, constraint, database, in_json, in_group)}
