"""What a user's file loads without an import statement is followed where it is written out, and refused elsewhere."""

import ast

import pytest

from nullmode._support import code_hash
from nullmode._support.own_loads import loads
from nullmode._support.types import InputError

HERE = "from pathlib import Path\nHERE = Path(__file__).parent\n"
# How a file loads a module or a file beside it, or in the folder `lib`.
FOLLOWED = {
    "import_module": "importlib.import_module('helper')",
    "by keyword": "import_module(name='.helper', package='pack')",
    "relative": "import_module('.helper', __package__)",
    "under another name": "from importlib import import_module as find\nfind('helper')",
    "assigned": "find = importlib.import_module\nfind('helper')",
    "by getattr": "getattr(importlib, 'import_module')('helper')",
    "__import__": "__import__('helper')",
    "a name that is put together": "NAME = 'hel'\nimport_module(f'{NAME}per')",
    "run_module": "runpy.run_module('helper')",
    "run_path": "runpy.run_path('helper.py')",
    "a path beside the file": HERE + "def f():\n    runpy.run_path(str(HERE / 'helper.py'))",
    "with os": "runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'helper.py'))",
    "with_name": "runpy.run_path(Path(__file__).resolve().with_name('helper.py'))",
    "a specification": HERE + "spec = importlib.util.spec_from_file_location('x', HERE / 'helper.py')",
    "a loader": HERE + "SourceFileLoader('x', path=str(HERE / 'helper.py')).load_module()",
    "a library": HERE + "ctypes.CDLL(str(HERE / 'helper.py'))",
    "a folder on sys.path": HERE + "def f():\n    sys.path.insert(0, str(HERE / 'lib'))\n    import inner",
    "a folder on sys.path, assigned": HERE + "def f():\n    sys.path += str(HERE / 'lib')\n    import inner",
    "sys under another name": HERE
    + "import sys as s\ndef f():\n    s.path.insert(str(HERE / 'lib'))\n    import inner",
    "sys.path itself": HERE + "from sys import path\ndef f():\n    path.append(str(HERE / 'lib'))\n    import inner",
}
FOLLOWED |= {
    "the object of a name": "import pkgutil\npkgutil.resolve_name('helper:X')",
    "found and run": "s = importlib.util.find_spec('helper')\ns.loader.exec_module(importlib.util.module_from_spec(s))",
    "by the finder of a folder": "FileFinder('.', (Loader, ['.py'])).find_spec('helper').loader.load_module()",
    "by imp": "imp.load_source('x', 'helper.py')",
    "an archive": "zipimport.zipimporter('helper.py')",
    "a library of Python": "ctypes.PyDLL('./helper.py')",
    "a library by its place": "ctypes.cdll['./helper.py']",
    "a program": "subprocess.run([sys.executable, 'helper.py'], check=True)",
    "a program in words": "import subprocess as s\ns.check_output('python helper.py > out', shell=True)",
    "a program, imported": "from subprocess import Popen as start\nstart(args=('sh', 'helper.py'))",
    "a program in its place": "os.execvpe('sh', ['sh', 'helper.py'], os.environ)",
    "a program beside it": "import os\nos.spawnl(os.P_WAIT, '/bin/sh', 'sh', 'helper.py')",
    "a program awaited": "async def f():\n    await asyncio.create_subprocess_exec(sys.executable, 'helper.py')",
    "a program of the system": "os.system('python helper.py')",
}
REFUSED = {
    "text that builtins run": "builtins.exec(open('helper.py').read())",
    "text that is computed": "eval(open('helper.py').read())",
    "a function that is passed on": "partial(importlib.import_module)('helper')",
    "a function that is mapped": "list(map(import_module, ['helper']))",
    "a library of NumPy": "np.ctypeslib.load_library('libx', '.')",
    "a program that is computed": "def f(name):\n    subprocess.run(['sh', name])",
    "a name that is computed": "def f(name):\n    import_module(f'helper_{name}')",
    "a name from a list": "for name in ['a', 'b']:\n    __import__(name)",
    "a name that is assigned twice": "NAME = 'a'\nNAME = 'b'\nimport_module(NAME)",
    "a path that is computed": "def f(path):\n    runpy.run_path(path)",
    "all files of a folder": "for path in HERE.glob('*.py'):\n    spec_from_file_location(path.stem, path)",
    "text that is run": "exec(open('helper.py').read())",
    "a folder that is computed": "def f(folder):\n    sys.path.insert(0, folder)\n    import inner",
    "sys.path as a whole": "def f():\n    sys.path[:0] = os.environ['X'].split(':')",
}
NOTHING = {
    "a method called exec": "session.exec(query)",
    "methods of other objects": "model.eval()\ntable.eval(text)\nopt.run(fmax=f)\nopt.call(x)\nf(model.eval)",
    "text that is written out": "eval('1 + 1')",
    "a type": "def f(library: ctypes.CDLL):\n    pass",
    "a program without files": "subprocess.run(['git', 'status'])",
    "the program itself": "ctypes.CDLL(None)",
    "sys.path while the file is imported": "sys.path.insert(0, sorted(x)[0])",
    "another path": "def f():\n    self.path.append(x)",
}


def hashed(folder, code, helper):
    for name in ("lib", "pack"):
        (folder / name).mkdir(parents=True)
    for name in ("helper.py", "lib/inner.py", "pack/helper.py"):
        (folder / name).write_text(helper)
    (folder / "own.py").write_text(code)
    return code_hash.code_hash(str(folder / "own.py"))


@pytest.mark.parametrize("code", FOLLOWED.values(), ids=FOLLOWED)
def test_what_is_written_out_belongs_to_the_file(code, tmp_path, monkeypatch):
    found = []
    for name, helper in (("a", "X = 1\n"), ("b", "X = 2\n")):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        monkeypatch.syspath_prepend(tmp_path / name)
        found.append(hashed(tmp_path / name, code, helper))
    assert found[0] != found[1]
    assert not loads(ast.parse(code), tmp_path / "own.py").unfollowed


@pytest.mark.parametrize("code", REFUSED.values(), ids=REFUSED)
def test_what_only_running_it_tells_is_refused(code, tmp_path):
    with pytest.raises(InputError, match=r"What .*own.py loads must be written out, .* in line \d. .*FILES = "):
        hashed(tmp_path / "a", code, "")
    assert hashed(tmp_path / "b", f"FILES = ['helper.py']\n{code}", "")
    # In a helper, too; the list of the file that imports it holds for it.
    (tmp_path / "c").mkdir()
    (tmp_path / "c/own_helper.py").write_text(code)
    assert hashed(tmp_path / "c/d", "from ..own_helper import X\nFILES = []\n", "")
    with pytest.raises(InputError, match=r"own_helper.py loads must be written out"):
        hashed(tmp_path / "c/e", "from ..own_helper import X\n", "")


@pytest.mark.parametrize("code", NOTHING.values(), ids=NOTHING)
def test_other_calls_are_none(code, tmp_path):
    assert loads(ast.parse(code), tmp_path / "own.py") == ((), (), (), ())
