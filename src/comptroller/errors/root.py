"""The root of the errors that a caller can meet."""


class ComptrollerError(Exception):
    """Something that comptroller was asked to do could not be done."""
