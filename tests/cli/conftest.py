import sys

import pytest

from nullmode.cli import main


@pytest.fixture
def nullmode(capfd, monkeypatch, tmp_path):
    """Run the command line in an empty folder: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["nullmode", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main.main()
        out, err = capfd.readouterr()
        return stopped.value.code or 0, out, err

    return run
