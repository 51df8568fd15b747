"""A county on Monday morning: more than 3,000 suspects lie on its desk.

    WANJIA_HOME=… python -m tests.journeys.monday HOUSEHOLDS

Ends with one line of JSON: how many wait, and the file's name.
"""

from __future__ import annotations

import json
import sys
from datetime import date
from random import Random

from bench import county

SHARE = 0.55  # of the households have a suspect


def build(households: int) -> dict[str, int]:
    from wanjia.comparison.choices import RunStatus
    from wanjia.comparison.queries import Filters
    from wanjia.comparison.services import compare_now, issue_findings, release_run, screen
    from wanjia.sources import services as sources

    with county.on(date(2020, 11, 2)):
        scene = county.founded(Random(4), households, SHARE)
        province = scene.viewer("province")
        batch = sources.receive(viewer=province, path=scene.files[0])
        sources.accept(viewer=province, batch_id=batch.pk)
    with county.on(date(2020, 11, 12)):
        run = compare_now(viewer=province)
        if run.status == RunStatus.HELD:
            run = release_run(viewer=province, run_id=run.pk, reason="本批数据经核对属实。")
        filters = Filters(rule="RA-02")
        found = screen(province, run.pk, filters)
        issued = issue_findings(viewer=province, run_id=run.pk, filters=filters, expected_count=found.total)
    with county.on(date(2020, 11, 13)):
        county.in_bulk(scene.viewer("city"), "pass_on", "issued")
    return {"waiting": issued.opened}


def main() -> None:
    import django

    django.setup()
    from wanjia.config.install import prepare
    from wanjia.scope.reach import serving
    from wanjia.scope.system import system_viewer

    prepare()
    with serving(system_viewer("demo.build")):
        told = build(int(sys.argv[1]))
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
