"""Somebody at the real site, over HTTP, and the processes that serve him."""

from __future__ import annotations

import contextlib
import http.cookiejar
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

from tests.faults.places import PATIENCE, Place
from wanjia.demo.staff import PASSWORD


class Visitor:
    """A signed-in reader with cookies of his own."""

    def __init__(self, site: str, username: str, language: str = "zh-hans") -> None:
        self.site = site
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))
        assert self.get("/sign-in/")[0] == 200
        status, text = self.post("/sign-in/", username=username, password=PASSWORD, language=language)
        assert status == 200, text[-500:]
        assert "sign-out" in text, "not signed in"

    def get(self, path: str) -> tuple[int, str]:
        return self._open(urllib.request.Request(self.site + path))  # noqa: S310 - loopback

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        body = urllib.parse.urlencode(fields | {"csrfmiddlewaretoken": self.token}).encode()
        return self._open(urllib.request.Request(self.site + path, body, {"Referer": self.site}))  # noqa: S310 - loopback

    def upload(self, path: str, file: Path, field: str = "file", **fields: str) -> tuple[int, str]:
        head, content, tail = self.multipart(file, field, fields)
        return self._open(urllib.request.Request(self.site + path, head[1] + content + tail, head[0]))  # noqa: S310 - loopback

    def multipart(
        self, file: Path, field: str, fields: dict[str, str]
    ) -> tuple[tuple[dict[str, str], bytes], bytes, bytes]:
        """Headers and beginning of the body, the file's bytes, the end of the body."""
        mark = uuid.uuid4().hex
        parts = [
            f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in (fields | {"csrfmiddlewaretoken": self.token}).items()
        ]
        parts.append(
            f'--{mark}\r\nContent-Disposition: form-data; name="{field}"; filename="{file.name}"\r\n'
            "Content-Type: text/csv\r\n\r\n"
        )
        headers = {"Content-Type": f"multipart/form-data; boundary={mark}", "Referer": self.site}
        return (headers, "".join(parts).encode()), file.read_bytes(), f"\r\n--{mark}--\r\n".encode()

    @property
    def token(self) -> str:
        return next(str(cookie.value) for cookie in self.cookies if cookie.name == "csrftoken")

    def _open(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self._opener.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode("utf-8", "replace")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(place: Place, port: int, **environment: str) -> subprocess.Popen[bytes]:
    """`wanjia serve`, once it answers."""
    server = place.start("wanjia.cli", "serve", "--port", str(port), log="serve.log", **environment)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/sign-in/", timeout=10):
            return server
        time.sleep(0.2)
    raise AssertionError(f"the site did not start\n{place.log('serve.log')[-3000:]}")


def kill_all(process: subprocess.Popen[bytes]) -> int:
    """kill -9 a server and the processes that serve for it; returns how many."""
    family = [*_children(process.pid), process.pid]
    for number in family:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    process.wait(timeout=30)
    return len(family)


def _children(number: int) -> list[int]:
    found = []
    for text in Path(f"/proc/{number}/task").glob("*/children"):
        found += [int(child) for child in re.findall(r"\d+", text.read_text("ascii"))]
    return [*found, *(grandchild for child in found for grandchild in _children(child))]
