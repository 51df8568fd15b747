"""What must run on a schedule here."""

SCHEDULES = [
    {"task": "registry.sweep", "run": "wanjia.registry.services.sweep_snapshots", "daily": "03:20"},
    {"task": "registry.tidy_names", "run": "wanjia.registry.services.tidy_names", "daily": "03:50"},
]
