"""What tests the checks: the answers bank, their margins, simulated classes; and the benchmarks."""
