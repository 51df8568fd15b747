import datetime as dt
import re
from uuid import UUID

import pytest
from django import forms
from django.core.paginator import Paginator
from django.forms.renderers import DjangoTemplates
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from wanjia.ui import hooks
from wanjia.ui.widgets import Renderer


def shown(source, **context):
    return Template("{% load wanjia %}" + source).render(Context(context))


@pytest.fixture
def no_hooks(monkeypatch):
    """The components as they are before any slice has handed its look-ups in."""
    monkeypatch.setattr(hooks, "_hooks", hooks._Hooks())
    return hooks


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567, "1,234,567"), (0, "0"), (None, "—"), ("", "—"), (-1200, "-1,200"), ("abc", "abc")],
)
def test_numbers_have_thousands_separators(value, text):
    assert shown("{{ value|num }}", value=value) == text


def test_numbers_can_keep_their_decimals():
    assert shown("{{ value|num:2 }}", value=1234.5) == "1,234.50"


def test_shares_are_percentages():
    assert shown("{{ value|percent }} {{ value|percent:1 }}", value=0.824) == "82% 82.4%"


def test_days_are_written_one_way():
    assert shown("{{ value|day }}", value=dt.date(2020, 11, 2)) == "2020-11-02"


def test_an_instant_is_shown_in_china_s_time():
    late = dt.datetime(2020, 11, 20, 17, 30, tzinfo=dt.UTC)
    assert shown("{{ value|moment }} {{ value|day }}", value=late) == "2020-11-21 01:30 2020-11-21"


def test_money_is_yuan_with_wan_on_hover_from_ten_thousand():
    assert shown("{{ fen|yuan }}", fen=123450) == "1,234.50"
    assert shown("{{ fen|yuan }}", fen=123_456_700) == '<span title="123.46 万元">1,234,567.00</span>'


def test_an_area_shows_its_name_and_keeps_its_code(no_hooks):
    assert shown("{{ code|area }}", code="451228") == "451228"
    no_hooks.register_area_names(lambda codes: dict.fromkeys(codes, "都安瑶族自治县"))
    assert shown("{{ code|area }}", code="451228") == '<span title="451228">都安瑶族自治县</span>'


def test_a_code_stands_beside_its_label(no_hooks):
    no_hooks.register_code_labels(lambda code_list, value, language: "缺技术" if value == "07" else "")
    assert shown("{% code 'poverty_cause' '07' %}") == '缺技术 <span class="w-code">07</span>'
    assert shown("{% code 'poverty_cause' '99' %}") == "99"


def test_a_name_that_holds_markup_stays_text(no_hooks):
    no_hooks.register_area_names(lambda codes: dict.fromkeys(codes, "<script>alert(1)</script>"))
    assert "<script>" not in shown("{{ code|area }}", code="45")
    assert "<script>" not in shown("{% status word 'done' %}", word="<script>")
    assert "<script>" not in shown("{% empty word word %}", word="<script>")


def test_a_status_is_a_word_with_a_shape():
    page = shown("{% status '已超期' 'late' %}")
    assert "已超期" in page
    assert "<svg" in page
    with pytest.raises(TemplateSyntaxError, match="purple"):
        shown("{% status '已超期' 'purple' %}")


def test_an_empty_list_says_why_and_what_to_do():
    page = shown("{% empty '还没有批次' '请先上传部门数据' '/sources/upload/' '上传' %}")
    assert "还没有批次" in page
    assert "请先上传部门数据" in page
    assert 'href="/sources/upload/"' in page


def test_the_pager_keeps_the_filters():
    page = Paginator(range(1000), 20).page(7)
    html = shown("{% pager page %}", page=page, request=RequestFactory().get("/x/?town=3&page=7"))
    assert "第 121–140 条，共 1,000 条" in html
    assert 'href="?town=3&amp;page=8"' in html


def test_a_total_that_was_not_counted_to_the_end_says_so():
    page = {"next_cursor": "120:7", "total": 1900, "at_least": True}
    assert "共 1,900 条以上" in shown("{% pager page %}", page=page, request=RequestFactory().get("/x/"))


def test_what_a_template_says_itself_is_said_in_each_reader_s_language():
    page = Template(
        "{% load i18n wanjia %}{% translate '清除' %}|{% translate word %}|{% translate '清除' as said %}{{ said }}"
    )
    for language in ("zh-hans", "en", "zh-hans"):
        with override(language):
            text = str(_("清除"))
            assert page.render(Context({"word": "清除"})) == f"{text}|{text}|{text}"


def test_links_are_those_of_reverse():
    event = UUID(int=2**127)
    links = "{% url 'casework:case' no %} {% url 'audit:event' event %} {% url 'casework:list' %} {% url 'casework:case' case_no=no %}"
    wanted = [
        reverse("casework:case", args=[17]), reverse("audit:event", args=[event]), reverse("casework:list"),
        reverse("casework:case", args=[17]),
    ]  # fmt: skip
    assert shown(links, no=17, event=event).split() == wanted
    assert shown("{% url 'casework:case' no as there %}{{ there }}", no=17) == wanted[0]
    assert shown("{% url 'casework:nowhere' no as there %}[{{ there }}]", no=17) == "[]"
    with pytest.raises(NoReverseMatch):
        shown("{% url 'casework:case' no %}", no=-1)
    with pytest.raises(NoReverseMatch):
        shown("{% url 'casework:case' no %}", no="x")


class Everything(forms.Form):
    text = forms.CharField(required=True, max_length=9, initial="a<b", help_text="?")
    count = forms.IntegerField(min_value=1, initial=1234)
    day = forms.DateField(initial=dt.date(2020, 11, 20), widget=forms.DateInput({"type": "date"}))
    secret = forms.CharField(widget=forms.PasswordInput)
    hidden = forms.CharField(widget=forms.HiddenInput, initial=None)
    choice = forms.ChoiceField(choices=[("", gettext_lazy("清除")), ("1", "<b>"), ("组", [("2", mark_safe("<i>"))])])
    several = forms.MultipleChoiceField(choices=[("1", "one"), ("2", "two")], initial=["1", "2"])
    note = forms.CharField(widget=forms.Textarea)
    tick = forms.BooleanField(widget=forms.CheckboxInput({"data-x": True, "data-y": False}))


def test_widgets_are_drawn_as_django_draws_them():
    for data in (None, {"text": "'\"&", "count": "x", "choice": "1", "several": ["2"]}):
        ours, theirs = Everything(data, renderer=Renderer()), Everything(data, renderer=DjangoTemplates())
        for name in ours.fields:
            assert re.sub(r">\s+<", "><", str(ours[name])) == re.sub(r">\s+<", "><", str(theirs[name]))


class Cut:
    next_cursor, total = "120:7", 3012


@pytest.mark.parametrize("page", [Cut, {"next_cursor": "120:7", "total": 3012}])
def test_a_list_read_after_a_key_goes_forward(page):
    html = shown("{% pager page %}", page=page, request=RequestFactory().get("/x/?rule=RA-02"))
    assert "共 3,012 条" in html
    assert "rule=RA-02&amp;after=120" in html
