"""What the queue does for itself."""

SCHEDULES = [{"task": "jobs.prune", "run": "wanjia.jobs.services.prune", "every": 3600}]
