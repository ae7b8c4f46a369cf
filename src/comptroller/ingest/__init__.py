"""Pure parsers: files to typed cost rows."""
