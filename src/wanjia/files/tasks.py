"""What must run on a schedule here; `jobs` finds it."""

SCHEDULES = [
    {"task": "files.sweep", "run": "wanjia.files.vault.sweep", "every": 3600, "each_node": True},
    {"task": "files.sweep_contents", "run": "wanjia.files.services.sweep_contents", "daily": "03:30"},
]
