"""A delivery that is not what it seems is held; which deliveries are current."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import sources as factory
from tests.factories.sources import delivery, row
from tests.factories.workbooks import book
from wanjia.audit.models import Opening
from wanjia.scope.errors import NotVisible
from wanjia.scope.system import system_viewer
from wanjia.sources import queries, rules, services
from wanjia.sources.choices import BatchStatus, DeliveryMode
from wanjia.sources.errors import BatchHeld, BatchMovedOn, PeriodNeeded, ReasonNeeded
from wanjia.sources.rules import Delivered
from wanjia.sources.services import Terms

TITLE = "机动车登记信息(截至{}年{}月{}日)"


@pytest.fixture
def received(province, put, reference):
    def receive(rows, *, title=factory.TITLE, content=None, **facts):
        path = put(content or delivery(rows, title=title), name="机动车")
        return services.receive(viewer=province, path=path, **facts)

    return receive


@pytest.fixture
def accepted(received, province):
    return lambda *args, **facts: services.accept(viewer=province, batch_id=received(*args, **facts).pk)


def cars(n, start=1, **changes):
    return [row(serial, **changes) for serial in range(start, start + n)]


def guards(batch):
    return [hold["guard"] for hold in batch.holds]


@pytest.mark.django_db
def test_half_a_delivery_is_held_and_a_whole_one_is_not(received, accepted):
    accepted(cars(120))

    assert guards(received(cars(119))) == []
    half = received(cars(60))
    assert (half.status, guards(half)) == (BatchStatus.HELD, ["few_rows"])
    assert "60 行" in rules.sentence_of(half.holds[0], "zh")


@pytest.mark.django_db
def test_a_doubled_delivery_is_held_by_its_rows_and_by_its_keys(received, accepted):
    accepted(cars(120))

    assert guards(received(cars(120) * 2)) == ["repeated_keys", "many_rows"]


@pytest.mark.django_db
def test_last_years_delivery_is_held_by_its_day_and_by_its_newest_date(received, accepted):
    accepted([*cars(3), row(4, 初次登记日期="2020-09-01")])

    last = received([*cars(3), row(4, 初次登记日期="2019-09-01")], title=TITLE.format(2019, 9, 30))
    assert guards(last) == ["stale", "older", "dates_recede"]


@pytest.mark.django_db
def test_the_same_content_in_another_file_is_recognised(received, accepted):
    first = accepted(cars(5))

    again = received(None, content=book(cars(5), title="另一个标题"))
    assert [(hold["guard"], hold["batch"]) for hold in again.holds] == [("same_content", first.pk)]
    assert guards(received(cars(6))) == []


@pytest.mark.django_db
def test_numbers_that_are_suddenly_no_numbers_hold_the_delivery(received, accepted):
    accepted(cars(120))

    shifted = [*cars(60), *(row(serial, 身份证明号码="高岭镇") for serial in range(61, 121))]
    assert guards(received(shifted)) == ["few_valid_ids"]


@pytest.mark.django_db
def test_a_held_delivery_goes_on_for_a_reason_by_who_may(received, accepted, province, gongan):
    accepted(cars(120))
    half = received(cars(60))

    with pytest.raises(BatchHeld):
        services.accept(viewer=province, batch_id=half.pk)
    with pytest.raises(NotVisible):
        services.let_go_on(viewer=gongan, batch_id=half.pk, reason="车管所已确认")
    with pytest.raises(ReasonNeeded):
        services.let_go_on(viewer=province, batch_id=half.pk, reason=" ")
    services.let_go_on(viewer=province, batch_id=half.pk, reason="车管所已确认：报废车辆集中注销")
    with pytest.raises(BatchMovedOn):
        services.let_go_on(viewer=province, batch_id=half.pk, reason="再来一次")
    assert services.accept(viewer=province, batch_id=half.pk).status == BatchStatus.ACCEPTED

    said = Opening.objects.visible_to(system_viewer("audit.record")).get(act="sources.let_go_on")
    assert "few_rows" in str(said.payload)


@pytest.mark.django_db
def test_a_held_delivery_may_be_sent_back_and_come_again(received, accepted, province):
    accepted(cars(120))
    half = received(cars(60))

    assert services.reject_batch(viewer=province, batch_id=half.pk, reason="不完整").status == BatchStatus.REJECTED
    assert guards(received(cars(60))) == ["few_rows"]


# -- which deliveries are current ---------------------------------------------------------------


@pytest.mark.django_db
def test_a_full_delivery_takes_the_place_of_all_before_it_and_changes_stand_beside(accepted, province):
    first = accepted(cars(3))
    change = accepted(cars(1, start=50), terms=Terms(DeliveryMode.DELTA))
    assert queries.current_batches(province, ["gongan.vehicles"]) == [first, change]

    county = accepted(cars(2), area="451228")
    assert queries.current_batches(province, ["gongan.vehicles"]) == [first, change, county]
    assert queries.overlapped(province, county) == [first.pk]
    assert queries.current_batches(province, ["gongan.vehicles"], region="4501") == [first, change]

    second = accepted(cars(4))
    assert queries.current_batches(province, ["gongan.vehicles"]) == [second]
    assert queries.superseded(province) == {first.pk: second.pk, change.pk: second.pk, county.pk: second.pk}


@pytest.mark.django_db
def test_a_period_stands_beside_others_and_replaces_its_own(accepted, received):
    def month(n, start):
        days = (dt.date(2020, n, 1), dt.date(2020, n, 28))
        return accepted(cars(1, start=start), terms=Terms(DeliveryMode.PERIOD, days))

    july, august, corrected = month(7, 1), month(8, 2), month(7, 3)

    assert queries.superseded(system_viewer("sources.earlier")) == {july.pk: corrected.pk}
    assert august.period_to == dt.date(2020, 8, 28)
    for wrong in (Terms(DeliveryMode.PERIOD), Terms(period=(dt.date(2020, 7, 1), dt.date(2020, 7, 31)))):
        with pytest.raises(PeriodNeeded):
            received(cars(1, start=9), terms=wrong)


@given(
    st.lists(
        st.tuples(st.sampled_from(["45", "4512", "451228", "4501"]), st.sampled_from(list(DeliveryMode)), st.sampled_from([1, 2])),
        max_size=8,
    )
)  # fmt: skip
def test_what_is_current_is_what_nothing_later_replaces(made):
    deliveries = [
        Delivered(
            n,
            "d",
            area,
            mode,
            (dt.date(2020, month, 1), dt.date(2020, month, 28)) if mode == "period" else (None, None),
        )
        for n, (area, mode, month) in enumerate(made)
    ]
    gone = rules.superseded(deliveries)

    for each in deliveries:
        replaced = any(rules.supersedes(later, each) for later in deliveries[each.number + 1 :])
        assert (each.number in gone) == replaced
        if replaced:
            by = deliveries[gone[each.number]]
            assert rules.supersedes(by, each)
            assert by.number not in gone
