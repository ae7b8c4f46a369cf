"""The library as its users see it: names, bound to operations in a caller's place."""
