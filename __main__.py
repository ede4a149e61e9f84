"""``python -m benchforge``."""

from .runners.cli.main import main

main()
