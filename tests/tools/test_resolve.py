from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from loopwright.tools import BUILTIN_NAMES, ToolCall, ToolLookupError, builtin_tool, resolve
from loopwright.tools.resolve import resolve_object

SHOP = '''
from dataclasses import dataclass
from loopwright.tools import ToolRegistry, tool
from shop_prices import PRICE

registry = ToolRegistry()

@dataclass
class Item:
    name: str

@registry.tool(effect="read")
def price(item: Item) -> float:
    """Look a price up."""
    return PRICE

@tool
def stock() -> int:
    return 3

def plain(text: str) -> str:
    return text

both = [stock, plain]
by_name = {"a": stock}

class Desk:
    @tool
    def ring(self) -> str:
        return "ding"

desk = Desk()
number = 5
'''


@pytest.fixture
def base(tmp_path: Path) -> Path:
    files = {
        "shop_tools.py": SHOP,
        "shop_prices.py": "PRICE = 2.5\n",
        "plain_tools.py": "def act(text: str) -> str:\n    return text\n",
        "nothing.py": "x = 1\n",
        "broken.py": "x = 1\n\n1 / 0\n",
        "syntax.py": "def f(:\n",
        "leaves.py": "import sys\nsys.exit(2)\n",
        "wants.py": "import no_such_module_anywhere\n",
        "pack/__init__.py": "",
        "pack/tools.py": "from loopwright.tools import tool\n\n@tool\ndef deep() -> str:\n    return 'deep'\n",
        "notes/a.md": "The ferry leaves at nine.",
        "lines.jsonl": '{"text": "The train leaves at ten.", "source": "table"}\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ("calculate", ["calculate"]),
        (" date_math ", ["date_math"]),
        ("shop_tools.py", ["price", "stock"]),
        ("shop_tools.py:registry", ["price"]),
        ("shop_tools.py:plain", ["plain"]),
        ("shop_tools.py:both", ["stock", "plain"]),
        ("shop_tools.py:by_name", ["stock"]),
        ("shop_tools.py:desk.ring", ["ring"]),
        ("shop_tools:registry", ["price"]),
        ("./shop_tools.py:stock", ["stock"]),
        ("pack/tools.py", ["deep"]),
        ("pack.tools", ["deep"]),
        ("pack.tools:deep", ["deep"]),
        ("math:sqrt", ["sqrt"]),
        ("retrieve:notes", ["retrieve"]),
        ("retrieve:lines.jsonl", ["retrieve"]),
        ("read_file", ["read_file"]),
        ("list_files:notes", ["list_files"]),
        ("search_files", ["search_files"]),
        ("search_files:notes", ["search_files"]),
        ("write_file:notes", ["write_file"]),
    ],
)
def test_a_text_names_tools(base: Path, spec: str, names: list[str]) -> None:
    assert list(resolve(spec, base=base)) == names


def test_a_file_may_use_its_neighbours_and_its_own_types(base: Path) -> None:
    before = list(sys.path)
    call = ToolCall("price", {"item": {"name": "tea"}})
    assert resolve("shop_tools.py", base=base).call(call).content == "2.5"
    assert sys.path == before


def test_a_file_is_run_once_for_each_version_of_it(base: Path) -> None:
    assert (
        resolve("shop_tools.py:stock", base=base)["stock"]
        is resolve("shop_tools.py:stock", base=base)["stock"]
    )
    changed = base / "shop_tools.py"
    changed.write_text(SHOP.replace("return 3", "return 44"))
    os.utime(changed, (1, 1))
    assert resolve("shop_tools.py:stock", base=base).call(ToolCall("stock")).content == "44"


def test_file_tools_see_the_base_unless_a_place_is_given(base: Path) -> None:
    assert "shop_tools.py" in resolve("list_files", base=base).call(ToolCall("list_files")).content
    assert resolve("list_files:notes", base=base).call(ToolCall("list_files")).content == "a.md"
    found = resolve("retrieve:notes", base=base).call(ToolCall("retrieve", {"query": "ferry"}))
    assert found.content == "[1] a.md\nThe ferry leaves at nine."


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("calcuate", 'there is no tool "calcuate"; did you mean "calculate"?'),
        ("zzz", "Write a built-in (calculate, convert_units, date_math"),
        ("", 'there is no tool ""'),
        ("shop_tools", 'did you mean the file, "shop_tools.py"?'),
        ("calculate:x", '"calculate" works on no file or folder: leave "x" away'),
        ("retrieve", '"retrieve" wants documents'),
        ("retrieve:nowhere", "there is no file or folder"),
        ("write_file", '"write_file" wants the folder that it may write in, such as write_file:out'),
        ("write_file:nowhere", "nowhere does not exist: make the folder first"),
        ("read_file:shop_tools.py", "shop_tools.py is no folder"),
        ("shop_tols.py", "did you mean shop_tools.py?"),
        ("elsewhere/x.py", "there is no file"),
        ("shop_tools.py:regstry", 'there is no "regstry"; did you mean "registry"?'),
        ("shop_tools.py:zzzzzz", 'there is no "zzzzzz"; it defines registry, price, stock, plain'),
        ("shop_tools.py:desk.rong", 'there is no "rong"; did you mean "ring"?'),
        ("shop_tools.py:number", "a registry takes tools and functions, not an int"),
        ("plain_tools.py", "it defines act: name one, or mark functions with @tool"),
        ("nothing.py", "it defines no function either"),
        ("broken.py", "broken.py can't be loaded: ZeroDivisionError: division by zero (line 3 of broken.py)"),
        ("syntax.py", "syntax.py can't be loaded: SyntaxError"),
        ("leaves.py", "leaves.py can't be loaded: SystemExit: 2"),
        (
            "wants.py",
            "wants.py can't be loaded: ModuleNotFoundError: No module named 'no_such_module_anywhere'",
        ),
        ("nowhere.at.all:x", 'there is no module "nowhere.at.all"'),
        ("json:dumps", '"json:dumps": dumps takes **kw'),
        ("loopwright.tools.calls:ToolCall", "a tool is made from a function or a method"),
    ],
)
def test_a_text_that_names_nothing_is_met_with_what_there_is(base: Path, spec: str, said: str) -> None:
    with pytest.raises(ToolLookupError) as failed:
        resolve(spec, base=base)
    assert said in str(failed.value)


def test_an_installed_module_that_breaks_is_reported(tmp_path: Path) -> None:
    (tmp_path / "brokenpack").mkdir()
    (tmp_path / "brokenpack" / "__init__.py").write_text("import no_such_module_anywhere\n")
    with pytest.raises(ToolLookupError, match="brokenpack can't be loaded: ModuleNotFoundError"):
        resolve("brokenpack:x", base=tmp_path)
    (tmp_path / "brokenpack" / "__init__.py").write_text("raise ValueError('no')\n")
    with pytest.raises(ToolLookupError, match=r"brokenpack can't be loaded: ValueError: no \(line 1"):
        resolve("brokenpack:x", base=tmp_path)


def test_ctrl_c_while_a_file_is_loaded_is_not_swallowed(tmp_path: Path) -> None:
    (tmp_path / "stop.py").write_text("raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        resolve("stop.py", base=tmp_path)


def test_without_a_base_paths_start_at_the_current_folder(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(base)
    assert list(resolve("pack/tools.py")) == ["deep"]


@pytest.mark.parametrize("name", BUILTIN_NAMES)
def test_every_built_in_tool_has_a_description_for_itself_and_each_parameter(base: Path, name: str) -> None:
    made = builtin_tool(name, base / "notes" if name in ("write_file", "retrieve") else None)
    assert made.name == name
    assert made.desc
    assert all(schema.get("description") for schema in made.args.values())
    assert (made.effect == "write") is (name in ("write_file", "notes"))


def test_an_unknown_built_in_is_met_with_the_nearest() -> None:
    with pytest.raises(ToolLookupError, match='no built-in tool "calc"; did you mean "calculate"'):
        builtin_tool("calc")
    with pytest.raises(ToolLookupError, match="there are calculate, convert_units"):
        builtin_tool("zzz")


def written(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


KINDS = "class Kind:\n    here = __file__\n"
USES = "from kinds import Kind\ndef kind(): return Kind\n"


@pytest.mark.parametrize("first", ["kinds.py:Kind", "uses.py:kind"])
def test_a_file_is_one_module_whether_a_text_or_a_neighbour_names_it(tmp_path: Path, first: str) -> None:
    folder = written(tmp_path / first.partition(".")[0], kinds=KINDS, uses=USES)
    resolve_object(first, base=folder)
    kind = resolve_object("kinds.py:Kind", base=folder)
    maker = resolve_object("uses.py:kind", base=folder)
    assert callable(maker)
    assert maker() is kind


def test_files_of_the_same_name_in_two_folders_are_two_modules(tmp_path: Path) -> None:
    for name in ("one", "two"):
        written(tmp_path / name, kinds=KINDS, uses=USES)
    found = []
    for name in ("one", "two", "one"):
        maker = resolve_object("uses.py:kind", base=tmp_path / name)
        assert callable(maker)
        found.append(maker())
        assert Path(found[-1].here).parent.name == name
    assert found[0] is found[2]


def test_a_neighbour_that_has_the_name_of_a_library_takes_nothing_away_from_others(tmp_path: Path) -> None:
    folder = written(
        tmp_path, statistics="mine = 1\n", uses="import statistics\nfound = statistics.__file__\n"
    )
    import statistics

    resolve_object("statistics.py:mine", base=folder)
    resolve_object("uses.py:found", base=folder)
    assert sys.modules["statistics"] is statistics
