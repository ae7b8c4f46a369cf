"""Decisions about incidents: drafts, severity, lifecycle."""
