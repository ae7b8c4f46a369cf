"""Limits, balances, holds, entries."""
