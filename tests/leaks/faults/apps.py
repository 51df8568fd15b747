import os
import threading

from django.apps import AppConfig


class FaultsConfig(AppConfig):
    name = "tests.leaks.faults"
    label = "faults"

    def ready(self):
        from tests.leaks.faults import tasks  # noqa: F401 - declares them

        if os.environ.get("WANJIA_FAULT"):
            self._break_the_intake(*os.environ["WANJIA_FAULT"].split())

    def _break_the_intake(self, way, person_no):
        """The next command that takes a file in breaks in its own thread and in another."""
        from tests.leaks.faults.breaking import WAYS, row_of
        from wanjia.sources import services

        def receive(**_):
            row = row_of(int(person_no))
            if way == "thread":
                thread = threading.Thread(target=WAYS["chained"], args=(row,))
                thread.start()
                thread.join()
            WAYS["value_error" if way == "thread" else way](row)

        services.receive = receive
