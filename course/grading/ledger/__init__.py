"""Where grades live: keys, records, the gradebook, feedback; one writer."""
