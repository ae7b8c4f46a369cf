"""The command line: translates, calls one operation, translates back."""
