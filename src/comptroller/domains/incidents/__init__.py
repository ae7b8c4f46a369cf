"""What people act on."""
