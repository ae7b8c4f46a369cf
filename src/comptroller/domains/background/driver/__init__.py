"""SQL of jobs and sources."""
