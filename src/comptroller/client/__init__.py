"""comptroller over HTTP: the same names as the library."""
