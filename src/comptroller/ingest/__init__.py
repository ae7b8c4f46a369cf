"""Pure parsers: cost files become typed cost rows; no database, no clock, no network."""
