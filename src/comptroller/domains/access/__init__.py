"""Tenants, keys, people, sessions: who may come in."""
