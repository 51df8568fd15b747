"""A real worker for the process tests: python -m tests.jobs.worker_process LEASE_SECONDS."""

import logging
import signal
import sys
import threading

import django

django.setup()

import tests.jobs.slow_tasks  # noqa: E402, F401 - declares the tasks
from wanjia.jobs.choices import Lane  # noqa: E402 - Django first
from wanjia.jobs.worker import Worker  # noqa: E402

logging.basicConfig(level=logging.INFO)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
Worker({Lane.HEAVY: 1, Lane.INTERACTIVE: 1}, lease=float(sys.argv[1]), grace=5.0).run(stop)
