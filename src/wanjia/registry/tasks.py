"""What must run on a schedule here."""

SCHEDULES = [{"task": "registry.sweep", "run": "wanjia.registry.services.sweep_snapshots", "daily": "03:20"}]
