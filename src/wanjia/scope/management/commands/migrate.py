"""Django's migrate, run as the tables' owner, with the policies brought in line afterwards."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate
from django.db import DEFAULT_DB_ALIAS

from wanjia.scope.postgresql import policies
from wanjia.scope.postgresql.ownership import as_owner


class Command(migrate.Command):
    """A changed scope rule changes its policy with the next migrate; see `scope.postgresql.policies`."""

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            super().handle(*args, **options)
            looking = options["plan"] or options["check_unapplied"]
            if not looking and options["database"] == DEFAULT_DB_ALIAS:
                policies.install()
