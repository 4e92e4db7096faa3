"""The files that stand in the cage itself; they import nothing of the course."""
