"""Everything that may happen to a run, done to one, and counted: `python -m tests.faults`."""
