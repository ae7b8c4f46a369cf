"""SQL of limits, breaches, balances and holds."""
