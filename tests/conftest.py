"""What every test stands on: a home of its own, keys, a still clock, and no network."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

import pytest
from django.db import transaction
from django.test import TransactionTestCase, override_settings
from django.utils import translation
from hypothesis import HealthCheck, settings

from wanjia.kernel import clock
from wanjia.kernel.remember import look_again_everywhere
from wanjia.protection.keys import Keyring
from wanjia.scope.postgresql.ownership import as_owner
from wanjia.scope.reach import serving
from wanjia.scope.viewer import ANONYMOUS, Viewer

# Every write of a watched table is recorded, or its test fails; what faults and walks found is said at the end.
pytest_plugins = ["wanjia.audit.testing", "tests.faults.reporting", "tests.walk.reporting"]

# No wall clock decides about a test: the machine may be busy. In CI the same examples every time.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", parent=settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

_whole_run = ExitStack()

NOW = dt.datetime(2020, 11, 16, 9, 0, tzinfo=clock.CHINA)


@pytest.fixture(autouse=True)
def _still_clock(request: pytest.FixtureRequest) -> Iterator[None]:
    """09:00 on Monday 16 November 2020, unless the test is marked `real_clock`."""
    if request.node.get_closest_marker("real_clock"):
        yield
        return
    with clock.frozen(NOW):
        yield


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """What processes keep in memory is compared with the database again: the last test rolled it back."""
    look_again_everywhere()


@pytest.fixture(autouse=True)
def _no_case_is_read_column_by_column(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bulk acts leave columns of cases unread; who looks at one after all would ask the database once for each case."""
    from wanjia.casework.models import Case

    again = Case.refresh_from_db

    def guarded(case: Case, using: str | None = None, fields: list[str] | None = None, **more: object) -> None:
        late = case.get_deferred_fields() & set(fields or ())
        assert not late, f"{', '.join(sorted(late))} of case {case.pk} was left unread and is wanted after all"
        again(case, using, fields, **more)

    monkeypatch.setattr(Case, "refresh_from_db", guarded)


@pytest.fixture(autouse=True)
def _chinese() -> None:
    """Each test begins in the default language, whatever page the one before it read."""
    translation.activate("zh-hans")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the platform may need the network; a test that tries is wrong."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            host = str(address[0])
            if host not in ("127.0.0.1", "::1", "localhost"):
                pytest.fail(f"a connection to {host} was attempted")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def _keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One set of real keys for the whole run; each home has a copy."""
    folder = tmp_path_factory.mktemp("installation") / "keys"
    Keyring.create(folder)
    return folder


@pytest.fixture(autouse=True)
def home(request: pytest.FixtureRequest, tmp_path: Path, settings, _keys: Path) -> Path:
    """An installation's folder of its own for each test: with keys, or a copy of the one that `stands`."""
    folder = tmp_path / "home"
    if "stands" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("stands"), folder)
        request.getfixturevalue("db")  # its savepoint
    else:
        folder.mkdir()
        shutil.copytree(_keys, folder / "keys")
    settings.WANJIA_HOME = folder
    return folder


@pytest.fixture(scope="module")
def stands(tmp_path_factory, _keys: Path, _whole_reach, django_db_setup, django_db_blocker) -> Iterator[Path]:
    """The home of a world that is built once for a module: fixtures of the module's scope that ask for it build it.

    Each test works in a savepoint above it and in a copy of its home, so it finds the world as it was built. Not for
    tests of real transactions, nor for threads: they would not see it.
    """
    folder = tmp_path_factory.mktemp("standing")
    shutil.copytree(_keys, folder / "keys")
    with (
        django_db_blocker.unblock(),
        override_settings(WANJIA_HOME=folder),
        clock.frozen(NOW),
        translation.override("zh-hans"),
        _rolled_back(),
    ):
        look_again_everywhere()
        yield folder


@contextmanager
def _rolled_back() -> Iterator[None]:
    outermost = transaction.atomic()
    outermost._from_testcase = True  # seen through, like those of a test case
    with outermost:
        yield
        transaction.set_rollback(True)


# PostgreSQL: the owner makes and empties the test database; the tests run as the application.


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings) -> Iterator[None]:
    """Everything about the test database itself is done as its owner; see `django_db_setup`."""
    _whole_run.enter_context(as_owner())
    yield
    _whole_run.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup) -> Iterator[None]:
    """From here on the application's role, under the policies; at the end the owner again."""
    _whole_run.close()
    teardown = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = as_owner()(teardown)  # TRUNCATE is the owner's
    yield
    TransactionTestCase._fixture_teardown = teardown
    _whole_run.enter_context(as_owner())


@pytest.fixture(scope="session", autouse=True)
def _whole_reach() -> Iterator[None]:
    """What tests do themselves reaches everywhere, as an operator's console does; requests and jobs do not."""
    with serving(Viewer(user_id=0, name="test", system="test")):
        yield


@pytest.fixture(autouse=True)
def _no_reach(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test marked `no_reach` is served as nobody."""
    with serving(ANONYMOUS) if request.node.get_closest_marker("no_reach") else nullcontext():
        yield


# Browser tests: a run that skips them unnoticed has shown nothing.

EXPECTED_BROWSER_TESTS = Path(__file__).parent / "browser/expected.txt"
_browser_tests_run: set[str] = set()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--waive-browser", action="store_true", help="Leave the browser tests out, knowing that nothing replaces them."
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = {"browser"} if config.getoption("--waive-browser") else set()
    if not config.getoption("markexpr") and not any("faults" in argument for argument in config.args):
        left_out.add("long")
        if os.environ.get("WANJIA_DATABASE_URL"):
            left_out.add("one_database")
    waived = [item for item in items if left_out & set(item.keywords)]
    if waived:
        config.hook.pytest_deselected(items=waived)
        items[:] = [item for item in items if item not in waived]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    # Under xdist only the controller hears of every worker's tests, and only it judges.
    if report.when == "call" and not report.skipped and "browser" in report.keywords:
        _browser_tests_run.add(report.nodeid)


def _is_whole_run(config: pytest.Config) -> bool:
    """Whether everything was asked for: no path, no -k, no -m."""
    chosen = config.getoption("keyword") or config.getoption("markexpr") or config.getoption("collectonly")
    return not chosen and config.args_source is not pytest.Config.ArgsSource.ARGS and not config.getoption("maxfail")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    if hasattr(config, "workerinput") or config.getoption("--waive-browser") or not _is_whole_run(config):
        return
    if len(_browser_tests_run) < int(EXPECTED_BROWSER_TESTS.read_text("ascii")) and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("--waive-browser"):
        terminalreporter.write_line("Browser tests were WAIVED; nothing was seen in a browser.", yellow=True)
        return
    ran, expected = len(_browser_tests_run), int(EXPECTED_BROWSER_TESTS.read_text("ascii"))
    if ran or _is_whole_run(config):
        terminalreporter.write_line(f"Browser tests that ran: {ran} (at least {expected} are expected)")
    if _is_whole_run(config) and ran < expected:
        terminalreporter.write_line(
            "Too few browser tests ran: the run FAILS. --waive-browser leaves them out.", red=True
        )
