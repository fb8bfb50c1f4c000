"""``python -m nullmode``."""

from nullmode.cli import main

main()
