"""Tables: columns, keys, constraints; no behaviour."""
