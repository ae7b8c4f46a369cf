"""The HTTP service: translates, calls one operation, translates back."""
