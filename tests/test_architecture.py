"""The layers, the doors, the sizes and the cost of an import: the real text of that part of the style.

Sizes count lines of code: no blank ones, comments and docstrings. Each test lists all that breaks its rule.
"""

import ast
import functools
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

TREE = Path(__file__).resolve().parents[1]
OURS = ("bin", "commands", "lib", "triggers", "tests")
STORIES = ("lib.deploy", "lib.renaming", "lib.restore")

# Which packages of ours a module of a layer may import, besides its own.
MAY_IMPORT = {
    "bin": ("commands", "lib.base"),
    "commands": ("lib",),
    "triggers": ("lib",),
    **dict.fromkeys(STORIES, ("lib",)),
    "lib.proxy": ("lib.runtime", "lib.app", "lib.tools", "lib.base"),
    "lib.runtime": ("lib.build", "lib.app", "lib.tools", "lib.base"),
    "lib.build": ("lib.app", "lib.tools", "lib.base"),
    "lib.source": ("lib.app", "lib.tools", "lib.base"),
    "lib.host": ("lib.app", "lib.tools", "lib.base"),
    "lib.app": ("lib.tools", "lib.base"),
    "lib.tools": ("lib.base",),
    "lib.base": (),
    "lib": (),
}
# Which modules may import a package that is not ours, or a part of Python that we keep behind one door.
DOORS = {
    "typer": r"commands(\..*)?",
    "sh": r"lib\.base\.run",
    "tenacity": r"lib\.base\.retry",
    "jinja2": r"lib\.proxy\..*",
    "cronsim": r"lib\.runtime\.cron_jobs",
    "subprocess": r"-",
    "multiprocessing": r"-",
    "asyncio": r"-",
    "logging": r"-",
    "pty": r"-",
}
# Most lines of a file, and of one function's body.
SIZES = {
    "bin": (20, 10),
    "commands": (150, 10),
    "triggers": (40, 15),
    **dict.fromkeys(STORIES, (250, 30)),
    "lib.base": (180, 30),  # run and settings: one door each, and nothing in them to part
    "lib.tools": (150, 30),
    "lib": (300, 30),
}
COSTLY = {
    *(
        "asyncio",
        "concurrent.futures",
        "ctypes",
        "dataclasses",
        "email.parser",
        "importlib.metadata",
        "inspect",
    ),
    *("jinja2", "logging", "multiprocessing", "pydantic", "rich", "sh", "socket", "subprocess", "tempfile"),
    *("tenacity", "tomllib", "typer", "typing_extensions", "urllib.request", "uuid", "xml"),
}
TYPERS_OWN = {"inspect", "subprocess", "typer", "uuid"}
# Only these open a file to write it: beside the live one, renamed over it when it is whole and on disk.
WRITERS = ("lib.base.files", "lib.host.placed")
# Who writes to the streams, who starts programs or becomes one, and who looks at processes.
OUTPUT, PROGRAMS, PROCESSES = "lib.base.log", "lib.base.run", "lib.base.procfs"


class Module(NamedTuple):
    name: str
    path: Path
    tree: ast.Module
    text: str

    @property
    def layer(self) -> str:
        parts = self.name.split(".")
        if self.name in STORIES or parts[0] != "lib":
            return self.name if self.name in STORIES else parts[0]
        return ".".join(parts[:2])

    @property
    def lines(self) -> list[int]:
        """The numbers of the lines that are code."""
        quiet: set[int] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
                quiet |= set(range(node.body[0].lineno, _end(node.body[0]) + 1))
        lines = enumerate(self.text.splitlines(), 1)
        return [
            n for n, line in lines if line.strip() and not line.strip().startswith("#") and n not in quiet
        ]

    @property
    def functions(self) -> list[ast.FunctionDef]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]

    def body_of(self, function: ast.FunctionDef) -> list[int]:
        return [line for line in self.lines if function.body[0].lineno <= line <= _end(function)]

    @property
    def calls(self) -> list[tuple[str, ast.Call]]:
        found = [node for node in ast.walk(self.tree) if isinstance(node, ast.Call)]
        return [(_dotted(node.func), node) for node in found]


@functools.cache
def modules() -> list[Module]:
    paths = {f"bin.{name}": TREE / "bin" / name for name in ("dokku", "plugn")}
    for top in ("commands", "lib", "triggers"):
        for path in sorted((TREE / top).rglob("*.py")):
            paths[".".join(path.relative_to(TREE).with_suffix("").parts).removesuffix(".__init__")] = path
    texts = {name: path.read_text() for name, path in paths.items()}
    return [Module(name, paths[name], ast.parse(text), text) for name, text in texts.items()]


def test_imports_point_down() -> None:
    wrong = []
    for module in modules():
        assert module.layer in MAY_IMPORT, f"{module.name}: lib/ holds wings and {', '.join(STORIES)} only"
        allowed = (module.layer, *MAY_IMPORT[module.layer])
        for imported in _imports(module):
            below = any(imported == name or imported.startswith(f"{name}.") for name in allowed)
            if imported.split(".")[0] in OURS and not below:
                wrong.append(f"{module.name} imports {imported}")
    assert not wrong


def test_every_package_has_one_door() -> None:
    """RUN-4"""
    wrong = []
    for module in modules():
        for imported in _imports(module):
            package = imported.split(".")[0]
            known = package in DOORS or package in OURS or package in sys.stdlib_module_names
            if not known or not re.fullmatch(DOORS.get(package, ".*"), module.name):
                wrong.append(f"{module.name} imports {imported}")
    assert not wrong


def test_imports_are_absolute_and_name_what_they_take() -> None:
    wrong = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom) and (node.level or node.names[0].name == "*"):
                wrong.append(_at(module, node))
    assert not wrong


def test_only_log_writes_to_stdout_and_stderr() -> None:
    wrong = []
    for module in modules():
        if module.name == OUTPUT:
            continue
        for name, call in module.calls:
            by_number = name == "os.write" and isinstance(call.args[0], ast.Constant)
            if name in ("print", "pprint", "typer.echo", "typer.secho") or by_number:
                wrong.append(_at(module, call))
        streams = [node for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)]
        wrong += [_at(module, node) for node in streams if _dotted(node) in ("sys.stdout", "sys.stderr")]
    assert not wrong


def test_only_run_starts_programs() -> None:
    """RUN-4"""
    starter = re.compile(r"os\.(system|popen|fork|forkpty|exec\w+|spawn\w+|posix_spawnp?)|eval|exec")
    wrong = []
    for module in modules():
        for name, call in module.calls:
            if starter.fullmatch(name) and module.name != PROGRAMS:
                wrong.append(_at(module, call))
    assert not wrong


def test_only_procfs_reads_proc() -> None:
    wrong = []
    for module in modules():
        texts = [node for node in ast.walk(module.tree) if isinstance(node, ast.Constant)]
        reads = [node for node in texts if isinstance(node.value, str) and node.value.startswith("/proc/")]
        wrong += [_at(module, node) for node in reads if module.name != PROCESSES]
    assert not wrong


def test_no_text_of_a_user_gets_into_a_shell() -> None:
    """RUN-1: no `shell=True`; a script for a shell is one constant, and values are words after it."""
    wrong = []
    for module in modules():
        for _, call in module.calls:
            if any(keyword.arg == "shell" for keyword in call.keywords):
                wrong.append(_at(module, call))
        for node in ast.walk(module.tree):
            words = node.args if isinstance(node, ast.Call) else getattr(node, "elts", [])
            for flag, script in itertools.pairwise(words):
                is_flag = isinstance(flag, ast.Constant) and flag.value == "-c"
                if (
                    is_flag
                    and isinstance(script, ast.JoinedStr | ast.BinOp | ast.Call)
                    and _names_a_shell(words)
                ):
                    wrong.append(_at(module, node))
    assert not wrong


def test_live_files_are_never_written_in_place() -> None:
    """CRS-1: what is opened for writing is empty or torn when the machine stops half way."""
    wrong = []
    for module in modules():
        for name, call in module.calls:
            modes = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
            texts = [str(mode.value) for mode in modes if isinstance(mode, ast.Constant)]
            nowhere = bool(call.args) and _dotted(call.args[0]) == "os.devnull"
            in_place = name in ("open", "io.open", "os.fdopen") and any(
                set(text) & set("w+") for text in texts
            )
            at_once = name.endswith((".write_text", ".write_bytes"))
            if (in_place or at_once) and not nowhere and module.name not in WRITERS:
                wrong.append(_at(module, call))
    assert not wrong


def test_files_and_functions_are_small() -> None:
    wrong = []
    for module in modules():
        most_lines, most_body = SIZES.get(module.layer) or SIZES[module.layer.split(".")[0]]
        if module.layer == "commands" and module.path.name.startswith("_"):
            most_body = 30  # the root and what it stands on; these are no commands
        if len(module.lines) > most_lines:
            wrong.append(f"{module.name} has {len(module.lines)} lines, not {most_lines}")
        for function in module.functions:
            body = module.body_of(function)
            if len(body) > most_body:
                wrong.append(f"{module.name}.{function.name} has {len(body)} lines, not {most_body}")
    assert not wrong


def test_everything_public_says_what_it_is() -> None:
    wrong = [
        module.name for module in modules() if module.layer != "bin" and not ast.get_docstring(module.tree)
    ]
    for module in modules():
        if module.layer in ("lib.base", "triggers"):  # log.info1 and the like speak for themselves
            continue
        for node in module.tree.body:
            public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
            if public and len(module.body_of(node)) > 3 and not ast.get_docstring(node):
                wrong.append(f"{module.name}.{node.name}")
    assert not wrong


def test_every_signature_is_typed() -> None:
    wrong = []
    for module in modules():
        for function in module.functions:
            arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
            untyped = {word.arg for word in arguments if word.annotation is None} - {"self", "cls"}
            if untyped or function.returns is None:
                wrong.append(f"{module.name}.{function.name}")
    assert not wrong


def test_every_module_is_named_for_something() -> None:
    nothing = ("utils", "util", "helpers", "helper", "common", "manager", "misc", "core")
    assert not [module.name for module in modules() if module.name.split(".")[-1] in nothing]


def test_every_trigger_module_has_handlers() -> None:
    wrong = []
    for module in modules():
        targets = [target for node in module.tree.body for target in _targets(node)]
        if module.name.startswith("triggers.") and "HANDLERS" not in targets:
            wrong.append(module.name)
    assert not wrong


def test_every_wing_of_lib_has_tests_at_the_same_path() -> None:
    """Wrappers of a program are tested with that program; a module of few lines by those who call it."""
    wrong = []
    for module in modules():
        if module.name.split(".")[0] != "lib" or len(module.lines) < 40:
            continue
        *package, name = module.name.split(".")
        places = [
            TREE.joinpath("tests/unit", *package),
            TREE / "tests/tools",
            TREE / "tests/cli",
            TREE / "tests/system",
        ]
        if not any((place / f"test_{name}.py").exists() for place in places):
            wrong.append(module.name)
    assert not wrong


def test_importing_a_module_is_cheap() -> None:
    """All of them at once; one by one only to say which it is."""
    names = [module.name for module in modules() if module.name.split(".")[0] in ("lib", "triggers")]
    heavy = _costs_of(*names)
    assert not heavy, [f"{name} loads {cost}" for name in names for cost in _costs_of(name)]


def test_a_command_loads_no_namespace_but_its_own() -> None:
    loaded = _loaded_after("from commands import _modules; _modules.find('apps:exists')")
    namespaces = [name for name in loaded if re.fullmatch(r"commands\.[a-z]\w*", name)]
    assert namespaces == ["commands.apps"]
    assert not loaded & (COSTLY - TYPERS_OWN)


def _costs_of(*names: str) -> list[str]:
    """The costly modules that importing these brings with it."""
    return sorted((_loaded_after(f"import {', '.join(names)}") - _loaded_after("pass")) & COSTLY)


@functools.cache
def _loaded_after(script: str) -> set[str]:
    """The modules that a fresh interpreter holds after a script."""
    here = f"sys.path.insert(0, {str(TREE)!r})"
    program = f"import sys, json; {here}; {script}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


def _imports(module: Module) -> Iterator[str]:
    """Every module that one imports, at its top or inside; `from a import b` is `a.b` if that is a module."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                inner = TREE.joinpath(*node.module.split("."), name.name)
                found = inner.is_dir() or inner.with_suffix(".py").is_file()
                yield f"{node.module}.{name.name}" if found else node.module


def _names_a_shell(words: list[ast.expr]) -> bool:
    names = [str(word.value) for word in words if isinstance(word, ast.Constant)]
    return any(name.rpartition("/")[2] in ("sh", "bash", "dash") for name in names)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _targets(node: ast.stmt) -> list[str]:
    named = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in named if isinstance(target, ast.Name)]


def _at(module: Module, node: ast.AST) -> str:
    return f"{module.name}:{getattr(node, 'lineno', 0)}"


def _end(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno
