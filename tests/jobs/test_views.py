from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import accounts
from wanjia.jobs import leases
from wanjia.jobs.choices import Lane, State
from wanjia.jobs.handle import JobHandle
from wanjia.jobs.services import enqueue
from wanjia.jobs.worker import run_pending
from wanjia.kernel import clock
from wanjia.scope.errors import NotVisible

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer():
    return accounts.account("officer", "county_office", "451228")


@pytest.fixture
def sign_in(client):
    def as_user(user):
        client.post(reverse("accounts:sign_out"))
        client.post(reverse("accounts:sign_in"), {"username": user.username, "password": accounts.PASSWORD})
        return client

    return as_user


@pytest.fixture
def job(declare, officer):
    declare("t.idle")(lambda job: None)
    return enqueue("t.idle", viewer=accounts.viewer(officer), title="比对运行")


def test_an_open_job_asks_again_and_shows_rows_and_time_left(sign_in, officer, job):
    with clock.frozen(clock.now()) as advance:
        handle = JobHandle(leases.claim([Lane.INTERACTIVE], worker="w"))
        advance(timedelta(seconds=10))
        handle.progress(30_000, 120_000, "匹配人员")
        handle.beat()
        page = sign_in(officer).get(reverse("jobs:progress", args=[job.pk])).content.decode()
    assert f'hx-get="{reverse("jobs:progress", args=[job.pk])}"' in page
    for text in ("30,000", "120,000", "匹配人员", "每秒 3,000 条", "约还需 30 秒"):
        assert text in page


def test_a_finished_job_asks_no_more(sign_in, officer, job):
    run_pending()
    page = sign_in(officer).get(reverse("jobs:progress", args=[job.pk])).content.decode()
    assert "hx-get" not in page
    assert "已完成" in page


def test_a_refused_job_says_what_to_do(sign_in, declare, officer):
    def refuses(job):
        raise NotVisible(kind="batch")

    declare("t.refuses")(refuses)
    job = enqueue("t.refuses", viewer=accounts.viewer(officer))
    run_pending()
    page = sign_in(officer).get(reverse("jobs:job", args=[job.pk])).content.decode()
    happened, cure = NotVisible(kind="batch").sentences("zh")
    assert happened in page
    assert cure in page


def test_lists_show_ones_own_and_overseers_may_see_the_area(sign_in, officer, job):
    overseer = accounts.account("overseer", "system_admin", "4512")
    stranger = accounts.account("stranger", "system_admin", "4501")
    listed = reverse("jobs:list")
    assert "比对运行" in sign_in(officer).get(listed).content.decode()
    client = sign_in(overseer)
    assert "比对运行" not in client.get(listed).content.decode()
    assert "比对运行" in client.get(f"{listed}?all=1").content.decode()
    client = sign_in(stranger)
    assert "比对运行" not in client.get(f"{listed}?all=1").content.decode()
    for name in ("jobs:job", "jobs:progress"):
        assert client.get(reverse(name, args=[job.pk])).status_code == 404
    assert client.post(reverse("jobs:cancel", args=[job.pk])).status_code == 404


def test_only_who_may_cancel_is_offered_it(sign_in, officer, job):
    address = reverse("jobs:job", args=[job.pk])
    auditor = sign_in(accounts.account("auditor", "auditor", "4512"))
    assert "取消任务" not in auditor.get(address).content.decode()
    assert auditor.post(reverse("jobs:cancel", args=[job.pk])).status_code == 403
    assert "取消任务" in sign_in(accounts.account("operator", "system_admin", "4512")).get(address).content.decode()
    assert "取消任务" in sign_in(officer).get(address).content.decode()


def test_cancelling_needs_a_post(sign_in, officer, job):
    client = sign_in(officer)
    address = reverse("jobs:cancel", args=[job.pk])
    assert client.get(address).status_code == 405
    assert client.post(address).status_code == 302
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    assert client.post(address).status_code == 409


def test_strangers_are_sent_to_sign_in(job):
    assert Client().get(reverse("jobs:job", args=[job.pk])).status_code == 302
