"""comptroller: mandatory spend governance for AI agents and cloud bills."""
