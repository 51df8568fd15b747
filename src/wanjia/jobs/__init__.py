"""Background work: two lanes, leases with heartbeat, fencing tokens, retry, schedule."""
