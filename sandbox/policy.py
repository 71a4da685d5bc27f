"""The language layer's compiler: RestrictedPython's transformer, widened to the Python that models write.

Names of guards hold a character that no identifier can, so a program can't spell, shadow or rebind one.
An attribute read whose name is safe by its spelling stays a plain read (it costs nothing); a name with an
underscore, `format`, `format_map` and `register` go through a guard; the names of frames and code objects
are refused. Node types that RestrictedPython does not know stay refused.
"""

# ruff: noqa: N802, N815 - visitors carry the names of ast's nodes

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from types import CodeType
from typing import Any

from RestrictedPython.transformer import RestrictingNodeTransformer

from .names import BINDABLE, CHECKED, INTERNALS, READABLE, VARIABLES, WRITABLE, is_dunder, is_plain, mangle

RESULT = "result!"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that the policy does not allow, with the line that says it."""

    line: int
    reason: str


class PolicyError(Exception):
    """A program says something that the policy does not allow."""

    def __init__(self, refusals: tuple[Refusal, ...]) -> None:
        super().__init__("; ".join(refusal.reason for refusal in refusals[:5]))
        self.refusals = refusals


def compile_program(source: str, filename: str) -> CodeType:
    """Compile a program under the policy; the value of a last expression is left in `result!`.

    Raises SyntaxError (also ValueError for a NUL, RecursionError for absurd nesting) as Python does, and
    PolicyError with every refusal.

    >>> compile_program("().__class__.__subclasses_hook__", "<program>")
    Traceback (most recent call last):
    ...
    loopwright.sandbox.policy.PolicyError: the attribute '__subclasses_hook__' is not available here
    """
    tree = ast.parse(source, filename)
    policy = Policy()
    policy.visit(tree)
    if policy.refusals:
        raise PolicyError(tuple(policy.refusals))
    keep_last_value(tree)
    return compile(tree, filename, "exec", dont_inherit=True)


def compile_unguarded(source: str, filename: str) -> CodeType:
    """Compile a program as plain Python, where the operating-system layer alone is to hold it."""
    tree = ast.parse(source, filename)
    keep_last_value(tree)
    return compile(tree, filename, "exec", dont_inherit=True)


def keep_last_value(tree: ast.Module) -> None:
    """Turn a last expression into an assignment to `result!`."""
    last = tree.body[-1] if tree.body else None
    if isinstance(last, ast.Expr):
        target = ast.copy_location(ast.Name(RESULT, ast.Store()), last)
        tree.body[-1] = ast.copy_location(ast.Assign([target], last.value), last)


def _call(guard: str, place: ast.AST, *args: ast.expr) -> ast.Call:
    for part in args:
        if not hasattr(part, "lineno"):  # a constant made for this call
            ast.copy_location(part, place)
    called = ast.copy_location(ast.Name(guard, ast.Load()), place)
    return ast.copy_location(ast.Call(called, list(args), []), place)


def _if_type_in(known: str, place: ast.expr, plain: ast.expr, guarded: ast.expr) -> ast.expr:
    """`plain if id(type(place)) in known else guarded`, where `place` is a name and can be read twice.

    The built-ins answer that in a tenth of the time of a guard, and most receivers are a `self`.
    """
    if not isinstance(place, ast.Name):
        return guarded
    test = ast.Compare(
        _call("id!", place, _call("type!", place, _again(place))), [ast.In()], [_name(known, place)]
    )
    return ast.copy_location(ast.IfExp(ast.copy_location(test, place), plain, guarded), place)


def _name(name: str, place: ast.expr) -> ast.Name:
    return ast.copy_location(ast.Name(name, ast.Load()), place)


def _again(place: ast.Name) -> ast.Name:
    return _name(place.id, place)


class Policy(RestrictingNodeTransformer):  # type: ignore[misc,unused-ignore]  # untyped where the package has no types
    """Refuses or rewrites each node; what it found is in `refusals`."""

    def __init__(self) -> None:
        super().__init__()
        self.refusals: list[Refusal] = []
        self._classes: list[str] = []

    def error(self, node: ast.AST, info: str) -> None:
        """Record a refusal."""
        self.refusals.append(Refusal(getattr(node, "lineno", 0), info))

    def not_allowed(self, node: ast.AST) -> None:
        """Refuse a whole kind of statement."""
        self.error(node, f"{type(node).__name__} is not available here")

    # -- names ---------------------------------------------------------------------------------

    def check_name(self, node: ast.AST, name: str | None, allow_magic_methods: bool = False) -> None:
        """Refuse to bind one of Python's own names, unless it is one that programs need."""
        if name is not None and is_dunder(name) and name not in BINDABLE:
            self.error(node, f"the name {name!r} can't be bound here")

    def _check_attribute_key(self, node: ast.AST, name: str) -> None:
        if not is_plain(name):
            self.error(node, f"the attribute {name!r} can't be used in a pattern here")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Check a variable's name."""
        if not isinstance(node.ctx, ast.Load):
            self.check_name(node, node.id)
        elif is_dunder(node.id) and node.id not in VARIABLES:
            self.error(node, f"the name {node.id!r} is not available here")
        return node

    def visit_Global(self, node: ast.Global) -> ast.AST:
        """Check the names."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_Nonlocal(self, node: ast.Nonlocal) -> ast.AST:
        """Check the names."""
        for name in node.names:
            self.check_name(node, name)
        return node

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        """Check the name of a keyword argument."""
        if node.arg is not None and is_dunder(node.arg):
            self.error(node, f"the keyword argument {node.arg!r} is not available here")
        return self.node_contents_visit(node)

    # -- attributes ----------------------------------------------------------------------------

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """A read stays plain where its name is safe; a write checks the object first."""
        name = mangle(node.attr, self._classes[-1]) if self._classes else node.attr
        loading = isinstance(node.ctx, ast.Load)
        refused = is_dunder(name) and name not in (READABLE if loading else WRITABLE)
        if refused or name in INTERNALS:
            self.error(node, f"the attribute {name!r} is not available here")
            return node
        node = self.node_contents_visit(node)
        private = name.startswith("_") and not is_dunder(name)
        if loading:
            if is_plain(name):
                return node
            guarded = _call("read!", node, node.value, ast.Constant(name))
            return _if_type_in("simple!", node.value, node, guarded) if private else guarded
        place = node.value
        if private or name in WRITABLE:
            node.value = _call("write_private!", place, place, ast.Constant(name))
        else:
            node.value = _call("write!", place, place)
        node.value = _if_type_in("simple!" if private else "own!", place, place, node.value)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Reads and writes of items need no guard: every container that a program reaches is its own."""
        return self.node_contents_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        """`self.x += 1` writes through the guard once and stays one statement; its read has no guard."""
        if isinstance(node.target, ast.Attribute) and node.target.attr in CHECKED:
            self.error(node, f"the attribute {node.target.attr!r} can't be augmented here")
        return self.node_contents_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """Unpacking needs no guard: iteration runs only what a program could run anyway."""
        return self.node_contents_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Annotated names become fields of dataclasses, so they must be safe to read."""
        if isinstance(node.target, ast.Name) and node.target.id in INTERNALS:
            self.error(node, f"the name {node.target.id!r} can't be a field here")
        return self.node_contents_visit(node)

    # -- calls and control flow ----------------------------------------------------------------

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Calls are plain; what may be called is settled by what a program can reach."""
        return self.node_contents_visit(node)

    def guard_iter(self, node: ast.For | ast.comprehension) -> ast.AST:
        """Iteration is plain."""
        return self.node_contents_visit(node)

    def visit_With(self, node: ast.With) -> ast.AST:
        """Context managers are plain."""
        return self.node_contents_visit(node)

    def visit_TryStar(self, node: ast.AST) -> ast.AST:
        """`except*` is allowed because no program can subclass an exception group (CVE-2025-22153)."""
        return self.node_contents_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> ast.AST:
        """The grammar allows only a name as target; the name is checked as any other."""
        return self.node_contents_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """As a function."""
        return self.visit_FunctionDef(node)

    def visit_Await(self, node: ast.Await) -> ast.AST:
        """Awaiting is plain."""
        return self.node_contents_visit(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """As `for`."""
        return self.node_contents_visit(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        """As `with`."""
        return self.node_contents_visit(node)

    # -- functions and classes -----------------------------------------------------------------

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        """Check the function's name and its parameters' names."""
        self.check_name(node, node.name)
        self.check_function_argument_names(node)
        return self.node_contents_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """The class itself is made by a guard in the built-ins; here its name gives private names theirs."""
        self.check_name(node, node.name)
        outside = [self._visit_list(part) for part in (node.decorator_list, node.bases, node.keywords)]
        node.decorator_list, node.bases, node.keywords = [], [], []
        self._classes.append(node.name)
        node = self.node_contents_visit(node)
        self._classes.pop()
        node.decorator_list, node.bases, node.keywords = outside
        return node

    def _visit_list(self, nodes: list[Any]) -> list[Any]:
        return [self.visit(node) for node in nodes]

    def _check_type_parameter(self, node: ast.AST) -> ast.AST:
        self.check_name(node, getattr(node, "name", None))
        return self.node_contents_visit(node)

    visit_TypeVar = visit_TypeVarTuple = visit_ParamSpec = _check_type_parameter

    def visit_TypeAlias(self, node: ast.AST) -> ast.AST:
        """`type X = ...`; its name is an ordinary name."""
        return self.node_contents_visit(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        """No print collector: printing is an ordinary function here."""
        return self.node_contents_visit(node)

    # -- imports -------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> list[ast.stmt]:
        """`import a.b as c` becomes `c = import!("a.b")`; no import statement is left."""
        return [self._import(node, alias) for alias in node.names]

    def _import(self, node: ast.Import, alias: ast.alias) -> ast.stmt:
        top = alias.name.partition(".")[0]
        bound = alias.asname or top
        self.check_name(node, bound)
        wanted = ast.Constant(alias.name), ast.Constant(alias.asname is not None)
        return self._bind(node, bound, _call("import!", node, *wanted))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        """`from m import a` becomes `a = import_from!("m", "a")`."""
        if node.module == "__future__" and node.level == 0:
            return node
        module = "." * node.level + (node.module or "")
        if [alias.name for alias in node.names] == ["*"]:
            return [ast.copy_location(ast.Expr(_call("import_all!", node, ast.Constant(module))), node)]
        made: list[ast.stmt] = []
        for alias in node.names:
            bound = alias.asname or alias.name
            self.check_name(node, bound)
            wanted = ast.Constant(module), ast.Constant(alias.name)
            made.append(self._bind(node, bound, _call("import_from!", node, *wanted)))
        return made

    def _bind(self, node: ast.stmt, name: str, value: ast.expr) -> ast.stmt:
        target = ast.copy_location(ast.Name(name, ast.Store()), node)
        return ast.copy_location(ast.Assign([target], value), node)

    # -- match ---------------------------------------------------------------------------------

    def _visit_plain(self, node: ast.AST) -> ast.AST:
        return self.node_contents_visit(node)

    visit_match_case = visit_MatchSingleton = visit_MatchSequence = visit_MatchOr = _visit_plain

    def visit_Match(self, node: ast.Match) -> ast.AST:
        """A class pattern with positions reads the attributes that its class names: a guard looks at them first."""
        node = self.node_contents_visit(node)
        patterns = (part for case in node.cases for part in ast.walk(case.pattern))
        classes = {
            ast.unparse(part.cls): part.cls
            for part in patterns
            if isinstance(part, ast.MatchClass) and part.patterns
        }
        if classes:
            node.subject = _call("match!", node.subject, node.subject, *map(copy.deepcopy, classes.values()))
        return node

    def visit_MatchValue(self, node: ast.MatchValue) -> ast.AST:
        """A dotted name in a pattern must be readable without a guard."""
        self._check_dotted(node.value)
        return self.node_contents_visit(node)

    def _check_dotted(self, place: ast.AST) -> None:
        while isinstance(place, ast.Attribute):
            self._check_attribute_key(place, place.attr)
            place = place.value

    def visit_MatchClass(self, node: ast.MatchClass) -> ast.AST:
        """A class pattern reads attributes by name: those names are checked as reads are."""
        self._check_dotted(node.cls)
        for name in node.kwd_attrs:
            self._check_attribute_key(node, name)
        return self.node_contents_visit(node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        """Check the name that takes the rest."""
        self.check_name(node, node.rest)
        for key in node.keys:
            self._check_dotted(key)
        return self.node_contents_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar | ast.MatchAs) -> ast.AST:
        """Check the name that is bound."""
        self.check_name(node, node.name)
        return self.node_contents_visit(node)

    visit_MatchAs = visit_MatchStar
