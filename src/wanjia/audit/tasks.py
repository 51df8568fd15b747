"""What must run on a schedule here; `jobs` stands above and finds it."""

SCHEDULES = [
    {
        "task": "audit.commit_access",
        "run": "wanjia.audit.services.commit_access",
        "every": 60,
        "each_node": True,  # each machine keeps its access rows in a file of its own
    },
]
