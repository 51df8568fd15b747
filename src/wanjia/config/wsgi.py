"""The WSGI application granian serves."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

from wanjia.config.server import require_sound_routes, start_clock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wanjia.config.settings.dev")

application = get_wsgi_application()
require_sound_routes()  # under any server, not only our own
start_clock()
