"""One operation per use case; owns the transaction."""
