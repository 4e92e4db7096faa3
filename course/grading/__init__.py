"""From a submission to a grade: assemble → cage → judge → ledger, imports to the left only."""
