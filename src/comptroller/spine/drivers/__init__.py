"""Mandatory writes; flush only."""
