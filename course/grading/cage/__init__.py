"""The wall around a submission's code, and nothing else: limits, command, kernels, inside."""
