"""Log lines without personal data: one JSON object a line in production, a readable line elsewhere.

Every handler carries `WithoutPersonalData`. After it a record holds its message with numbers
hidden, and an exception as the names of its types and the places in the code, never its text: an
exception quotes the row it failed on. Values that callers add (`extra={"event": …}`) are redacted
like the message.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from datetime import UTC, datetime
from typing import Any

from wanjia.telemetry import work
from wanjia.telemetry.redaction import redacted

log = logging.getLogger("wanjia.unhandled")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_DROPPED = frozenset({"request", "status_code", "server_time"})  # what Django adds
LONGEST_CHAIN = 5  # causes of an exception that are told


class WithoutPersonalData(logging.Filter):
    """Rewrites each record so that no handler after it can print a personal number or an exception's text."""

    def filter(self, record: logging.LogRecord) -> bool:
        if hasattr(record, "status_code") and not (record.exc_info or hasattr(record, "errors")):
            return False  # Django's line about an answer; the request's own says more
        record.msg, record.args = redacted(_message(record)), None
        if record.exc_info and record.exc_info[1] is not None:
            errors, frames = told(record.exc_info[1])
            vars(record).update(errors=errors, frames=frames)
            record.exc_text = "\n".join([" < ".join(errors), *(f"  at {frame}" for frame in frames)])
        record.exc_info = record.stack_info = None
        for name in extras_of(record):
            setattr(record, name, _redacted_value(getattr(record, name)))
        return True


log.addFilter(WithoutPersonalData())  # a fault before logging is set up has no handler of ours


def _message(record: logging.LogRecord) -> str:
    """The text of a record; Django's own lines, which quote the address or the header, only by their kind."""
    if record.name.startswith("django.security"):
        return record.name.rpartition(".")[2]
    if hasattr(record, "status_code"):
        return f"answered {record.status_code}"
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - the standard library would print the arguments to stderr
        return "a log line that does not fit its arguments"


def extras_of(record: logging.LogRecord) -> list[str]:
    """The names of what the caller added to a record."""
    return [name for name in vars(record) if name not in _STANDARD and name not in _DROPPED]


def _redacted_value(value: Any) -> Any:
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        text = redacted(str(value))
        return value if text == str(value) else text
    if isinstance(value, (list, tuple)):
        return [_redacted_value(item) for item in value]
    if isinstance(value, dict):
        return {redacted(str(key)): _redacted_value(item) for key, item in value.items()}
    return redacted(str(value))


def told(error: BaseException) -> tuple[list[str], list[str]]:
    """An exception without its text: the types from the outermost to its cause, and the frames of each."""
    kinds: list[str] = []
    frames: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(kinds) < LONGEST_CHAIN:
        kinds.append(type(seen).__qualname__)
        frames += [
            f"{place.filename}:{place.lineno} {place.name}" for place in traceback.extract_tb(seen.__traceback__)
        ]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return kinds, frames


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event, what was worked on, message, and the caller's own."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": getattr(record, "event", "log"),
        }
        under_way = work.current()
        line |= under_way.described() if under_way else {}
        line |= {name: getattr(record, name) for name in extras_of(record)}
        line["message"] = record.getMessage()
        return json.dumps(line, ensure_ascii=False, default=str)


class HumanLines(logging.Formatter):
    """The same for somebody who reads along."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        text, _, rest = super().format(record).partition("\n")
        under_way = work.current()
        said = under_way.described() if under_way else {}
        said |= {name: getattr(record, name) for name in extras_of(record) if name not in ("event", "errors", "frames")}
        line = " ".join([text, *(f"{name}={value}" for name, value in said.items())])
        return f"{line}\n{rest}" if rest else line


def catch_unhandled() -> None:
    """Let exceptions that end the process or a thread be logged like all others, without their text."""
    sys.excepthook = lambda kind, error, trace: log.critical("the process ends", exc_info=(kind, error, trace))
    threading.excepthook = lambda told: log.critical(
        "a thread ends", exc_info=(told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback)
    )
    sys.unraisablehook = lambda told: log.error(
        "an exception nobody could be told of",
        exc_info=(told.exc_type, told.exc_value or told.exc_type(), told.exc_traceback),
    )


def configuration(*, as_json: bool, levels: dict[str, str] | None = None) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error, where the service manager keeps it."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"without_personal_data": {"()": WithoutPersonalData}},
        "formatters": {"line": {"()": JsonLines if as_json else HumanLines}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without_personal_data"]}
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "django": {"handlers": [], "level": "WARNING", "propagate": True},
            # the request's own line tells every answer; Django adds the frames of those that failed
            "django.request": {"handlers": [], "level": "ERROR", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            "django.security.DisallowedHost": {"level": "CRITICAL"},
            **{name: {"level": level} for name, level in (levels or {}).items()},
        },
    }
