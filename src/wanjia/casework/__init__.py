"""Cases, flows, deadlines, hand-over and escalation, for every slice above."""
