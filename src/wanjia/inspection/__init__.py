"""The auditor's desk: samples of cases drawn with his own seed, and handed out with their proofs."""
