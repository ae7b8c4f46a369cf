"""Value types that cross the floors: what callers give and get; frozen, without behaviour that touches a database."""
