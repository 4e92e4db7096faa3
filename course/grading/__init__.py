"""A submission's way to a grade: submitted → assemble → cage → judge → ledger."""
