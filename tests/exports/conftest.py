"""Offices whose every field holds a text that wants to be more than text."""

import pytest

from tests.exports.payloads import PAYLOADS
from tests.factories import registry as factory
from tests.factories.accounts import OPERATOR, account, client_for
from tests.factories.registry import BUILDER
from tests.factories.sources import HEADER, delivery
from wanjia.accounts.models import User
from wanjia.audit.testing import unrecorded
from wanjia.reference.services import load_reference
from wanjia.registry.models import Household, Person

SPELLABLE = [each for each in PAYLOADS if len(each) <= 60]


@pytest.fixture
def registry(db):
    """The household list with these texts as hamlets and names of heads: (payloads, format) → bytes."""
    county = factory.build()
    user = county.users["province"]
    with unrecorded():
        User.objects.visible_to(OPERATOR).filter(pk=user.pk).update(display_name='=HYPERLINK("http://127.0.0.1","x")')
    browser = client_for(user)
    households = list(Household.objects.visible_to(BUILDER).filter(standing="live").order_by("pk"))

    def exported(payloads, form):
        with unrecorded():
            for household, payload in zip(households, payloads, strict=False):
                Household.objects.visible_to(BUILDER).filter(pk=household.pk).update(hamlet=payload)
                Person.objects.visible_to(BUILDER).filter(pk=household.head_person_no).update(name=payload[:30])
        answer = browser.get("/registry/households/export/", {"format": form})
        assert answer.status_code == 200
        return b"".join(answer.streaming_content)

    exported.size = len(households)
    return exported


@pytest.fixture
def rejects(db):
    """The reject sheet of a file in which every cell of every row is a payload: format → bytes."""
    from django.core.files.uploadedfile import SimpleUploadedFile

    from wanjia.jobs.worker import run_pending

    load_reference()
    browser = client_for(account("traffic", "department_officer", "45", relation="own_department", department="gongan"))
    header = [*HEADER, '=HYPERLINK("http://127.0.0.1")', "+备注"]
    rows = [[payload] * len(header) for payload in PAYLOADS if "\x01" not in payload]
    file = SimpleUploadedFile("=cmd.csv", delivery(rows, header=header, footer=False).encode("utf-8-sig"), "text/csv")
    answer = browser.post("/sources/upload/", {"file": file, "dataset": "", "area": "45"})
    assert answer.status_code == 302, answer.content.decode()
    run_pending()

    def exported(form):
        sheet = browser.get(f"{answer['Location']}rejects.csv", {"format": form})
        assert sheet.status_code == 200
        return b"".join(sheet.streaming_content)

    exported.rows = rows
    return exported
