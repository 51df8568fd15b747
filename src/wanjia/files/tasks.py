"""What must run on a schedule here; `jobs` finds it."""

SCHEDULES = [{"task": "files.sweep", "run": "wanjia.files.vault.sweep", "every": 3600, "each_node": True}]
