"""The engine: one job a file, from the plan of a run to its report."""
