"""Secrets, rights and lock-out: decisions without a database."""
