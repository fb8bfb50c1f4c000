"""Write docs/command-line.md from the commands themselves: `make docs`."""

import re
from pathlib import Path

from typer import Context
from typer.cli import get_docs_for_click
from typer.main import get_command

from nullmode.cli.main import app

PAGE = Path(__file__).with_name("command-line.md")
OPENING = """# Command line

Made by `make docs` from the commands in `src/nullmode/cli`; do not edit. `nullmode COMMAND --help` prints the same.

"""


def page() -> str:
    """Return the whole page."""
    command = get_command(app)
    made = get_docs_for_click(obj=command, ctx=Context(command), name="nullmode")
    for name, each in command.commands.items():
        line = f"* [`{name}`](#nullmode-{name}): {each.get_short_help_str(1000)}"
        made = re.sub(rf"^\* `{name}`: .*$", line, made, flags=re.MULTILINE)
    # The first heading is that of the page; a usage is not a command that can be run.
    made = re.sub(r"\A# .*\n+", "", made).replace("```console\n$ ", "```text\n")
    return OPENING + made.rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
