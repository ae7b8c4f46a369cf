"""Decisions about limits: matching, windows, verdicts, breaches."""
