"""``python -m comptroller`` is the command."""

from comptroller.cli import main

main()
