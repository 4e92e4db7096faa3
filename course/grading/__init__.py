"""From a submission to a grade: assemble → cage → judge → ledger. No file imports one to its right."""
