"""``python -m nullmode``."""

from nullmode.cli.main import main

main()
