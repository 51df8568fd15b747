"""What must run on a schedule here; `jobs` stands above and finds it."""

SCHEDULES = [{"task": "scope.recover_lake", "run": "wanjia.scope.stores.recover_lake", "every": 3600}]
