import datetime as dt
from decimal import Decimal

import pytest
import yaml

from wanjia.audit.models import Opening
from wanjia.audit.testing import unrecorded
from wanjia.reference import files, queries
from wanjia.reference.choices import LineKind
from wanjia.reference.errors import DataFileInvalid, NotThatType, NoValue, SourceMissing, ValueExists
from wanjia.reference.models import Code, Parameter, PovertyLine, Revision
from wanjia.reference.services import Notice, load_reference, set_parameter, set_poverty_line
from wanjia.scope.errors import NotAllowed
from wanjia.scope.system import system_viewer

NOTICE = Notice(source="桂扶领办发〔2020〕9号", valid_from=dt.date(2020, 11, 1))


def acts(name):
    return Opening.objects.visible_to(system_viewer("audit.trail")).filter(act=name)


def test_loading_again_writes_nothing_and_records_nothing(policy, django_assert_max_num_queries):
    token = Revision.objects.get().token
    with django_assert_max_num_queries(12):
        again = load_reference()

    assert policy.written == policy.rows == again.rows > 500
    assert (again.written, again.kept) == (0, ())
    assert Revision.objects.get().token == token
    assert acts("reference.load").count() == 1


def test_a_row_changed_behind_our_back_is_put_right(policy):
    with unrecorded():
        Code.objects.filter(code_list="sex", code="1").update(label_zh="女")

    assert load_reference().written == 1
    assert queries.code_list("sex").label("1") == "男"


def test_an_administrator_s_row_is_left_alone_and_named(policy, tmp_path):
    first = Parameter.objects.get(name="suspects.days.assigned")
    with unrecorded():
        Parameter.objects.filter(pk=first.pk).update(value=10, edited_by=41)

    again = load_reference()

    assert again.kept == ("suspects.days.assigned 45 2014-01-01",)
    assert again.written == 0
    assert queries.parameter("suspects.days.assigned") == 10


def test_a_new_value_holds_from_its_day_and_the_old_before(policy, province):
    set_parameter(province, name="suspects.days.assigned", value=" 10 ", notice=NOTICE)

    assert queries.parameter("suspects.days.assigned", dt.date(2020, 10, 31)) == 7
    assert queries.parameter("suspects.days.assigned", dt.date(2020, 11, 1)) == 10
    assert queries.parameter("suspects.days.assigned") == 10
    said = acts("reference.set_parameter").get().payload
    assert said["actor"]["user"] == 41
    assert said["content"]["source"] == NOTICE.source
    assert load_reference().kept == ()  # a later value contradicts no file


def test_a_county_s_own_value_holds_there_alone(policy, province, county):
    own = Notice("都政办发〔2020〕3号", dt.date(2020, 11, 1), "451228")
    set_parameter(county, name="suspects.days.assigned", value="5", notice=own)

    assert queries.parameter("suspects.days.assigned", region="451228100") == 5
    assert queries.parameter("suspects.days.assigned", region="451227") == 7
    assert queries.parameter("suspects.days.assigned") == 7
    with pytest.raises(NotAllowed):
        set_parameter(county, name="suspects.days.assigned", value="5", notice=NOTICE)


@pytest.mark.parametrize(
    ("name", "value", "notice", "refusal"),
    [
        ("suspects.days.assigned", "三天", NOTICE, NotThatType),
        ("suspects.days.assigned", "0", NOTICE, NotThatType),
        ("suspects.days.assigned", "1.5", NOTICE, NotThatType),
        ("suspects.days.assigned", "NaN", NOTICE, NotThatType),
        ("suspects.days.assigned", "366", NOTICE, NotThatType),
        ("suspects.sample_share", "5", NOTICE, NotThatType),
        ("suspects.sample_share", "-0.1", NOTICE, NotThatType),
        ("suspects.days.nowhere", "5", NOTICE, NoValue),
        ("suspects.days.assigned", "5", Notice(" ", dt.date(2020, 11, 1)), SourceMissing),
        ("suspects.days.assigned", "5", Notice("依据", dt.date(2014, 1, 1)), ValueExists),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_changes(policy, province, name, value, notice, refusal):
    before = list(Parameter.objects.values_list("name", "valid_from", "value"))

    with pytest.raises(refusal):
        set_parameter(province, name=name, value=value, notice=notice)

    assert list(Parameter.objects.values_list("name", "valid_from", "value")) == before
    assert not acts("reference.set_parameter").exists()


def test_shares_stay_exact(policy, province):
    set_parameter(province, name="suspects.sample_share", value="0.10", notice=NOTICE)

    assert Decimal(queries.parameter("suspects.sample_share")) == Decimal("0.1")


def test_guangxi_may_set_a_line_of_its_own(policy, province):
    set_poverty_line(province, year=2022, kind=LineKind.MONITORING, amount=Decimal("6900.00"), notice=NOTICE)
    set_poverty_line(province, year=2020, kind=LineKind.MONITORING, amount=Decimal(5500), notice=NOTICE)

    assert queries.poverty_line(2022, "monitoring") == Decimal(6900)
    assert queries.poverty_line(2020, "monitoring") == Decimal(5500)
    assert queries.poverty_line(2020, "monitoring", on=dt.date(2020, 10, 1)) == Decimal(5000)
    assert queries.poverty_line(2020, "monitoring", region="53") == Decimal(5000)
    assert PovertyLine.objects.filter(edited_by=41).count() == 2
    with pytest.raises(ValueExists):
        set_poverty_line(province, year=2022, kind=LineKind.MONITORING, amount=Decimal(7000), notice=NOTICE)
    for wrong in (Decimal(0), Decimal(-1), Decimal("2800.001")):
        with pytest.raises(NotThatType):
            set_poverty_line(province, year=2023, kind=LineKind.MONITORING, amount=wrong, notice=NOTICE)


def copy_of_the_files(tmp_path):
    for path in files.DATA.rglob("*.yaml"):
        copy = tmp_path / path.relative_to(files.DATA)
        copy.parent.mkdir(exist_ok=True)
        copy.write_text(path.read_text("utf-8"), "utf-8")
    return tmp_path


def test_a_new_edition_of_the_files_changes_what_it_changes(policy, tmp_path):
    folder = copy_of_the_files(tmp_path)
    path = folder / "parameters.yaml"
    path.write_text(
        path.read_text("utf-8").replace("value: 7, source: domain.md §6.1", "value: 9, source: domain.md §6.1"), "utf-8"
    )

    assert load_reference(folder).written == 1
    assert queries.parameter("suspects.days.assigned") == 9


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("codes/member.yaml", '- ["1", 男, Male]', '- ["9", 男, Male]'),
        ("codes/member.yaml", '"9": [未说明]', '"8": [未说明]'),
        ("codes/household.yaml", "number: CL-01", "number: ["),
        ("codes/member.yaml", "disability_type:", "vehicle_kind:"),
        ("profiles.yaml", "switched_on: [check_in, photo_at_visit]", "switched_on: [checkin]"),
        ("parameters.yaml", "defaults:", "default:"),
        ("poverty_lines.yaml", "[2014, 2800, K]", "[2014, K]"),
    ],
)
def test_a_broken_file_is_named_and_nothing_is_loaded(db, tmp_path, file, old, new):
    folder = copy_of_the_files(tmp_path)
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")

    with pytest.raises(DataFileInvalid) as refused:
        load_reference(folder)

    assert refused.value.values["file"] == path.name
    assert not Parameter.objects.exists()


def test_every_parameter_says_where_it_comes_from_and_how_sure_that_is():
    held = yaml.safe_load((files.DATA / "parameters.yaml").read_text("utf-8"))
    assert all(body["source"].rstrip()[-3:] in ("(S)", "(V)", "(K)", "(D)") for body in held["parameters"].values())
