"""Pure decisions about cost series: no SQL, no clock, no settings."""
