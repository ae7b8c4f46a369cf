"""Combine domains inside a given session."""
