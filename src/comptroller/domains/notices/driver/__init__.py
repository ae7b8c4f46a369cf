"""SQL of channels and deliveries."""
