"""Middleware of the bench's own settings: statements and CPU of each request, in headers.

A request that carries `X-Bench-Profile: FILE` is profiled into that file, one that carries
`X-Bench-Statements: 1` is answered with its statements instead of its page. No settings of the
product name this module.
"""

from __future__ import annotations

import cProfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]

QUERIES, CPU_MS, SERVER_MS = "X-Bench-Queries", "X-Bench-CPU-ms", "X-Bench-Server-ms"


class Watch:
    """Counts what the layers below ask of the databases."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        statements: list[str] = []

        def noted(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
            began = time.perf_counter()
            try:
                return execute(sql, params, many, context)
            finally:
                statements.append(f"{1000 * (time.perf_counter() - began):8.2f} ms  {sql}")

        profile = cProfile.Profile() if "X-Bench-Profile" in request.headers else None
        cpu, wall = time.thread_time(), time.perf_counter()
        with ExitStack() as stack:
            for connection in connections.all():
                stack.enter_context(connection.execute_wrapper(noted))
            if profile is not None:
                stack.enter_context(profile)
            response = self.get_response(request)
        response[CPU_MS] = f"{1000 * (time.thread_time() - cpu):.2f}"
        response[SERVER_MS] = f"{1000 * (time.perf_counter() - wall):.2f}"
        response[QUERIES] = str(len(statements))
        if profile is not None:
            profile.dump_stats(request.headers["X-Bench-Profile"])
        if "X-Bench-Statements" in request.headers:
            return HttpResponse("\n\n".join(statements), content_type="text/plain; charset=utf-8")
        return response
