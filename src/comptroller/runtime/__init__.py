"""In the caller's process: the gate, runs."""
