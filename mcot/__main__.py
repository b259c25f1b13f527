"""``python -m mcot``."""

from mcot.cli import main

main()
