"""Data files that a user's file names belong to it, those that it writes do not."""

import ast
from pathlib import Path

import pytest

from nullmode._support import code_hash
from nullmode._support.files import PLAN_FILE
from nullmode._support.own_reads import reads

HERE = "from pathlib import Path\nHERE = Path(__file__).parent\n"
# What names data/1.csv, the first file that is written below.
READ = {
    "a text": "DATA = open('data/1.csv').read()",
    "a text in a function": "def f():\n    return np.loadtxt('data/1.csv')",
    "a path beside the file": HERE + "def f():\n    return read(HERE / 'data' / '1.csv')",
    "with os": "P = os.path.join(os.path.dirname(__file__), 'data', '1.csv')\nX = np.load(P)",
    "joined in a function": HERE + "def f():\n    folder = HERE / 'data'\n    return load(folder.joinpath('1.csv'))",
    "in a table": "TABLES = {'first': 'data/1.csv'}",
    "a default": "def f(path='data/1.csv'):\n    return read(path)",
    "a resource": "resources.files(__package__).joinpath('data/1.csv').read_text()",
    "a resource of a package": "files('data').joinpath('1.csv').read_text()",
    "a number in it": "def f(n):\n    return read(f'data/{n:d}.csv')",
    "a number in it, added": "def f(n):\n    return read('data/' + str(n) + '.csv')",
    "a number in it, formatted": "def f(n):\n    return read('data/{:d}.csv'.format(n))",
    "a number in it, by percent": "def f(n):\n    return read('data/%d.csv' % n)",
    "a number below a folder": HERE + "def f(n):\n    return read(HERE / 'data' / f'{n}.csv')",
    "matches": "for name in glob('data/*.csv'):\n    read(name)",
    "matches of a path": HERE + "for path in sorted((HERE / 'data').glob('*.csv')):\n    read(path)",
    "matches at any depth": HERE + "for path in HERE.rglob('*.csv'):\n    read(path)",
    "a folder": "for path in Path('data').iterdir():\n    read(path)",
    "a folder, with os": "for name in os.listdir('data'):\n    read(name)",
    "a folder with folders": "for folder, _, names in os.walk('.'):\n    read(names)",
    "by its name": HERE + "def f(name):\n    return read(HERE / 'data' / name)",
    "by its name, with os": "def f(name):\n    return read(os.path.join('data', name))",
    "an ending": "[read(os.path.join('data', name + '.csv')) for name in names]",
    "here": "read(os.path.join(os.getcwd(), 'data/1.csv')), read(Path.cwd() / 'data/1.csv')",
    "frames of it": "read('data/1.csv@:5')",
    "a folder of the shell": "read(os.environ['DATA'] + '/1.csv'), read(Path(os.getenv('DATA')) / '1.csv')",
    "a folder of the shell, unset": "read(os.environ['NO_SUCH'] + '/1.csv'), read('data/1.csv')",
    "data of a package": "pkgutil.get_data('data', '1.csv')",
    "beside a package": "import data\nread(Path(data.__file__).parent / '1.csv')",
    "annotated": HERE + "FOLDER: Path = HERE / 'data'\ndef f(n):\n    return read(FOLDER / f'{n}.csv')",
    "parents": "read(Path(__file__).resolve().parents[0] / 'data/1.csv')",
    "another ending": "read(Path('data/1.txt').with_suffix('.csv'))",
    "copied": "shutil.copyfile('data/1.csv', target)",
}
NOT_READ = {
    "a docstring": "'data/1.csv'",
    "written": "np.savetxt('data/1.csv', x)",
    "opened to be written": "with open('data/1.csv', mode='w') as file:\n    file.write(x)",
    "a cache": HERE
    + "CACHE = HERE / 'data/1.csv'\nif CACHE.exists():\n    np.load(CACHE)\nelse:\n    np.save(CACHE, x)",
    "a cache of a function": "def f(n):\n    p = Path(f'data/{n}.csv')\n    p.write_text(x)\n    return read(p)",
    "a log": "BFGS(atoms, logfile='data/1.csv')",
    "a name of anything": "def f(a, b):\n    return f'{a}.{b}', f'{a}', '*'",
    "any file beside it": HERE + "def f(name):\n    return HERE / name, name + other",
    "below what is not known": "def f(folder):\n    return Path(folder) / f'{x}.csv'",
    "no path": "X = ['', 'a\\nb', '\\0', 'x' * 9, '~nobody/*.csv', '[', '/', '**a.csv']",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/1.csv").write_text("1\n")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/2.csv").write_text("1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA", str(tmp_path / "data"))
    return tmp_path


def read_by(code, folder):
    return {path.relative_to(folder).as_posix() for path in reads(ast.parse(code), folder / "own.py")}


@pytest.mark.parametrize("code", READ.values(), ids=READ)
def test_files_that_are_named_belong_to_the_file(code, folder):
    assert read_by(code, folder) == {"data/1.csv"}
    hashes = set()
    for content in "12":
        Path("data/1.csv").write_text(content)
        Path("own.py").write_text(code)
        code_hash.code_hash.cache_clear()
        hashes.add(code_hash.code_hash(str(folder / "own.py")))
    assert len(hashes) == 2
    # In what a run writes, nothing counts.
    Path(PLAN_FILE).write_text("{}")
    assert not read_by(code, folder)


@pytest.mark.parametrize("code", NOT_READ.values(), ids=NOT_READ)
def test_files_that_are_written_do_not(code, folder):
    (folder / "x.csv").write_text("1\n")
    assert not read_by(code, folder)


def test_an_empty_list_says_that_nothing_changes(folder):
    hashes = set()
    for content in "12":
        Path("data/1.csv").write_text(content)
        Path("own.py").write_text("FILES = []\nread('data/1.csv')")
        code_hash.code_hash.cache_clear()
        hashes.add(code_hash.code_hash(str(folder / "own.py")))
    assert len(hashes) == 1
