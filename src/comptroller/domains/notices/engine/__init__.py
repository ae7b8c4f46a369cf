"""Decisions about notices: routes, times, words, repeats."""
