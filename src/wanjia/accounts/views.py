"""Signing in and out, the own account, people and their grants."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.contrib import auth, messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from wanjia.accounts import content, deputies, queries, saved, services, sessions
from wanjia.accounts.errors import SearchForgotten
from wanjia.accounts.forms import (
    AccountForm,
    ChangePasswordForm,
    DeputyForm,
    FilterNameForm,
    GrantForm,
    NewPasswordForm,
    PeopleFilter,
    ReasonForm,
    SignInForm,
)
from wanjia.accounts.models import Deputyship, User
from wanjia.accounts.typed import keep, recall
from wanjia.kernel import clock
from wanjia.kernel.errors import Refusal
from wanjia.scope.reach import serving
from wanjia.scope.routes import PUBLIC, SIGNED_IN, ViewerRequest, access
from wanjia.scope.system import system_viewer
from wanjia.ui.panels import Rendered, panels_for

PAGE_SIZE = 50

# `access` stands outermost everywhere: it is what the start-up check looks for.
page = require_http_methods(["GET", "POST"])


@access(PUBLIC)
@sensitive_post_parameters("password")
@never_cache
@page
def sign_in(request: ViewerRequest) -> HttpResponseBase:
    """One answer for every failure: it does not say whether the account exists."""
    target = _safe_next(request)
    if request.viewer.user_id:
        return redirect(target)
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = auth.authenticate(request, **form.cleaned_data)
        if user is not None:
            with serving(system_viewer("accounts.sign_in")):  # Django notes the day on the account
                auth.login(request, user)  # gives the session a new id
            sessions.begin(request)
            return redirect(target)
        form.add_error(None, _("登录名或密码不正确。连续输错 5 次将锁定 15 分钟。"))
    ended = getattr(request, "session_ended", False) or request.GET.get("ended") == "1"
    status = 200 if request.method == "GET" else 401
    context = {"form": form, "next": target, "ended": ended, "lost": request.GET.get("lost") == "1"}
    return render(request, "accounts/sign_in.html", context, status=status)


@access(PUBLIC)
@require_POST
def sign_out(request: ViewerRequest) -> HttpResponse:
    auth.logout(request)
    return redirect(settings.LOGOUT_REDIRECT_URL)


@access(PUBLIC)
@require_POST
def language(request: ViewerRequest) -> HttpResponse:
    """Read the site in another language from now on, on this browser and for this account."""
    wanted = request.POST.get("language", "")
    answer = redirect(_safe_next(request))
    if wanted in dict(settings.LANGUAGES):
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            wanted,
            max_age=365 * 24 * 3600,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        if request.viewer.user_id:
            services.choose_language(viewer=request.viewer, language="en" if wanted == "en" else "zh")
    return answer


@access(SIGNED_IN)
@sensitive_post_parameters()
@page
def me(request: ViewerRequest) -> HttpResponseBase:
    """The own account: what I may do and where; change my password."""
    form = ChangePasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            user = services.change_password(viewer=request.viewer, present=data["present"], new=data["password"])
        except Refusal as refusal:
            _tell(form, refusal)
        else:
            auth.update_session_auth_hash(request, user)  # every other session of the account ends
            messages.success(request, _("密码已更改，其他设备上的登录已失效。"))
            return redirect("accounts:me")
    return _own_page(request, form=form)


def _own_page(request: ViewerRequest, **refused: Form) -> HttpResponse:
    """The own account; a form that was refused stands as it was typed."""
    viewer = request.viewer
    offices = deputies.offices(viewer)
    forms: dict[str, Form] = {
        "form": ChangePasswordForm(),
        "deputy_form": DeputyForm(offices, initial={"valid_from": clock.today()}),
    }
    context = {
        "account": request.user,
        "grants": queries.own_grants(viewer),
        "offices": offices,
        "deputies": _with_panels(request, deputies.deputies_of(viewer)),
        "principals": _with_panels(request, deputies.principals_of(viewer)),
    }
    status = 400 if any(form.errors for form in refused.values()) else 200
    return render(request, "accounts/me.html", context | forms | refused | _words(), status=status)


def _with_panels(request: ViewerRequest, rows: list[Deputyship]) -> list[tuple[Deputyship, Sequence[Rendered]]]:
    """Deputyships with what other slices say about them."""
    return [(row, panels_for(request, "deputyship", row)) for row in rows]


@access(SIGNED_IN)
@require_http_methods(["GET", "POST"])
def name_deputy(request: ViewerRequest) -> HttpResponseBase:
    """Let a colleague stand in for me."""
    if request.method == "GET":
        return redirect("accounts:me")
    form = DeputyForm(deputies.offices(request.viewer), request.POST)
    if not form.is_valid():
        return _own_page(request, deputy_form=form)
    try:
        wanted = form.wanted()
        found = deputies.colleague_named(request.viewer, form.cleaned_data["colleague"], wanted["area_code"])
        deputies.name_deputy(viewer=request.viewer, deputy_id=found.user_id if found else 0, **wanted)
    except Refusal as refusal:
        _tell(form, refusal)
        return _own_page(request, deputy_form=form)
    messages.success(request, _("代理人已指定，期满自动结束。"))
    return redirect("accounts:me")


@access(SIGNED_IN)
@require_POST
def end_deputy(request: ViewerRequest, deputyship_id: int) -> HttpResponse:
    deputies.end_deputy(viewer=request.viewer, deputyship_id=deputyship_id)
    messages.success(request, _("代理已结束，即刻生效。"))
    return redirect("accounts:me")


@access(SIGNED_IN)
@require_GET
def filters(request: ViewerRequest) -> HttpResponse:
    """The own saved filters of all lists."""
    return _filters_page(request)


@access(SIGNED_IN)
@require_POST
def rename_filter(request: ViewerRequest, filter_id: int) -> HttpResponseBase:
    kept = saved.filter_for(request.viewer, filter_id)
    form = FilterNameForm(request.POST, auto_id=f"{filter_id}-%s")
    if form.is_valid():
        try:
            saved.rename(viewer=request.viewer, filter_id=filter_id, name=form.cleaned_data["name"])
        except Refusal as refusal:
            form.add_error("name", " ".join(refusal.sentences(get_language() or "zh")))
        else:
            messages.success(request, _("名称已更改。"))
            return redirect("accounts:filters")
    request.page_address = reverse("accounts:filters")  # type: ignore[attr-defined]
    return _filters_page(request, kept.pk, form)


@access(SIGNED_IN)
@require_POST
def remove_filter(request: ViewerRequest, filter_id: int) -> HttpResponse:
    saved.remove(viewer=request.viewer, filter_id=filter_id)
    messages.success(request, _("常用筛选已删除。"))
    return redirect("accounts:filters")


def _filters_page(request: ViewerRequest, refused: int = 0, form: FilterNameForm | None = None) -> HttpResponse:
    """The list, each with a form for its name; the one that was refused stands as it was typed."""
    kept = saved.lines(request.viewer)
    forms = {line.id: FilterNameForm(initial={"name": line.name}, auto_id=f"{line.id}-%s") for line in kept}
    if form is not None:
        forms[refused] = form
    lines = [(line, forms[line.id]) for line in kept]
    context = {"lines": lines, "most": saved.most()}
    return render(request, "accounts/filters.html", context, status=400 if form else 200)


@access("accounts.read")
@sensitive_post_parameters("q")
@require_http_methods(["GET", "POST"])
def people(request: ViewerRequest) -> HttpResponseBase:
    """The accounts; a search is posted and leads to an address that does not hold what was typed."""
    if request.method == "POST":
        form = PeopleFilter(request.POST)
        text = form.cleaned_data["q"] if form.is_valid() else ""
        return redirect(f"{reverse('accounts:people')}?typed={keep(request, text)}" if text else "accounts:people")
    token = request.GET.get("typed", "")
    text = recall(request, token) if token else ""
    if text is None:
        raise SearchForgotten
    form = PeopleFilter(initial={"q": text})
    paginator = Paginator(queries.people(request.viewer, text), PAGE_SIZE)
    found = paginator.get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page": found,
        "rows": queries.with_grants(request.viewer, list(found)),
        "may_open": request.viewer.may("accounts.write"),
    }
    return render(request, "accounts/people.html", context | _words())


@access("accounts.write")
@sensitive_post_parameters("password", "id_number")
@page
def open_account(request: ViewerRequest) -> HttpResponseBase:
    form = AccountForm(request.viewer, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = services.open_account(viewer=request.viewer, **form.cleaned_data)
        except Refusal as refusal:
            _tell(form, refusal)
        else:
            messages.success(request, _("账号已开设。请继续授予岗位。"))
            return redirect("accounts:person", user.pk)
    return render(request, "accounts/open.html", {"form": form}, status=400 if form.errors else 200)


@access("accounts.read")
@require_GET
def person(request: ViewerRequest, user_id: int) -> HttpResponse:
    return _person_page(request, queries.user_for(request.viewer, user_id))


@access("accounts.write")
@require_POST
def grant(request: ViewerRequest, user_id: int) -> HttpResponseBase:
    user = queries.user_for(request.viewer, user_id, "accounts.write")
    form = GrantForm(request.viewer, request.POST)
    if form.is_valid():
        try:
            services.grant(viewer=request.viewer, user=user, **form.wanted())
        except Refusal as refusal:
            _tell(form, refusal)
        else:
            messages.success(request, _("岗位已授予，对方下一次打开页面即生效。"))
            return redirect("accounts:person", user_id)
    return _person_page(request, user, grant_form=form)


@access("accounts.write")
@require_POST
def revoke(request: ViewerRequest, grant_id: int) -> HttpResponse:
    ended = services.revoke(viewer=request.viewer, grant_id=grant_id)
    messages.success(request, _("岗位已收回，即刻生效。"))
    return redirect("accounts:person", ended.user_id)


@access("accounts.write")
@require_POST
def lock(request: ViewerRequest, user_id: int) -> HttpResponseBase:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _person_page(request, queries.user_for(request.viewer, user_id, "accounts.write"), lock_form=form)
    services.lock(viewer=request.viewer, user_id=user_id, reason=form.cleaned_data["reason"])
    messages.success(request, _("账号已停用，其登录即刻失效。"))
    return redirect("accounts:person", user_id)


@access("accounts.write")
@require_POST
def unlock(request: ViewerRequest, user_id: int) -> HttpResponse:
    services.unlock(viewer=request.viewer, user_id=user_id)
    messages.success(request, _("账号已恢复。"))
    return redirect("accounts:person", user_id)


@access("accounts.write")
@sensitive_post_parameters("password")
@require_POST
def set_password(request: ViewerRequest, user_id: int) -> HttpResponseBase:
    user = queries.user_for(request.viewer, user_id, "accounts.write")
    form = NewPasswordForm(request.POST)
    if form.is_valid():
        try:
            services.set_password(viewer=request.viewer, user_id=user_id, password=form.cleaned_data["password"])
        except Refusal as refusal:
            _tell(form, refusal)
        else:
            messages.success(request, _("密码已重置，原有登录已失效。请当面告知本人。"))
            return redirect("accounts:person", user_id)
    return _person_page(request, user, password_form=form)


@access("accounts.read")
@require_GET
def roles(request: ViewerRequest) -> HttpResponse:
    """Every role with what it allows: the permission table as the platform applies it."""
    return render(request, "accounts/roles.html", {"roles": queries.roles()} | _words())


def _person_page(request: ViewerRequest, account: User, **refused: Form) -> HttpResponse:
    """The account with its grants; a form that was refused stands as it was typed."""
    viewer = request.viewer
    forms: dict[str, Form] = {
        "grant_form": GrantForm(viewer, initial={"area_code": account.area_code, "valid_from": clock.today()}),
        "lock_form": ReasonForm(),
        "password_form": NewPasswordForm(),
    }
    context = {
        "account": account,
        "grants": queries.grants_of(viewer, account),
        "today": clock.today(),
        "may_write": viewer.may("accounts.write") and viewer.user_id != account.pk,
        "may_audit": viewer.may("audit.read"),
    }
    status = 400 if refused else 200
    return render(request, "accounts/person.html", context | forms | refused | _words(), status=status)


def _words() -> dict[str, object]:
    """Roles, permission words and relations in the reader's language."""
    language = get_language() or "zh"
    return {
        "role_titles": {role.code: role.title(language) for role in queries.roles()},
        "action_titles": {word: sentence.text(language) for word, sentence in content.action_titles().items()},
    }


def _tell(form: Form, refusal: Refusal) -> None:
    """A refusal beside the form it refuses, so that nothing typed is lost."""
    form.add_error(None, " ".join(refusal.sentences(get_language() or "zh")))


def _safe_next(request: HttpRequest) -> str:
    """Where to go on to: an address of this site, or home.

    It begins with a slash: `redirect` would look for a route of any other name, and fail when there is none.
    """
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    inside = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if inside and wanted.startswith("/") else settings.LOGIN_REDIRECT_URL
