"""Which names a program may say. One place, used when it is compiled and again at run time."""

from __future__ import annotations

from RestrictedPython.transformer import INSPECT_ATTRIBUTES


def words(text: str) -> list[str]:
    """The words of a text: long lists of names read better so."""
    return text.split()


# Names of frames, code objects and what leads to them. A plain read of one of these leaves the sandbox.
INTERNALS: frozenset[str] = INSPECT_ATTRIBUTES | {"ag_suspended", "cr_suspended", "gi_suspended", "tb_lasti"}
# What leads from a task to its frames and its loop.
INTERNALS |= {"get_coro", "get_loop", "get_stack", "print_stack"}

# What a class may define, and what may be called by name (`super().__init__()`, `dict.__setitem__`).
# Left out on purpose: __del__ (runs at any time), __getattribute__, __reduce__ and its kin, and what
# lies about types (__class__, __instancecheck__, __subclasscheck__, __subclasshook__, __mro_entries__).
PROTOCOL = frozenset(
    f"__{name}__"
    for name in words("""
    init new post_init init_subclass set_name class_getitem repr str bytes format bool hash dir
    len length_hint getitem setitem delitem missing iter next reversed contains call
    enter exit aenter aexit aiter anext await lt le eq ne gt ge
    add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or
    radd rsub rmul rmatmul rtruediv rfloordiv rmod rdivmod rpow rlshift rrshift rand rxor ror
    iadd isub imul imatmul itruediv ifloordiv imod ipow ilshift irshift iand ixor ior
    neg pos abs invert complex int float index round trunc floor ceil
    getattr setattr delattr get set delete copy deepcopy sizeof
    """)
)

READABLE = PROTOCOL - {"__get__", "__set__", "__delete__"} | frozenset(
    f"__{name}__"
    for name in words("""
    name qualname doc module class dict annotations members cause context suppress_context notes
    mro bases subclasses dataclass_fields match_args slots total version
    """)
)
WRITABLE = frozenset({"__name__", "__qualname__", "__doc__"})
BINDABLE = PROTOCOL | frozenset(f"__{name}__" for name in words("doc all version author slots match_args"))
VARIABLES = BINDABLE | {"__name__", "__class__", "__debug__"}

# Single-underscore names that the standard library makes part of a class's public surface.
DOCUMENTED_PRIVATE = frozenset(
    words("""
    _asdict _replace _fields _make _field_defaults
    _value_ _name_ _missing_ _generate_next_value_ _ignore_ _order_ _member_map_ _value2member_map_
    """)
)


def is_dunder(name: str) -> bool:
    """Whether a name is of the form that Python keeps for itself.

    >>> is_dunder("__init__"), is_dunder("__private"), is_dunder("__")
    (True, False, False)
    """
    return len(name) > 4 and name.startswith("__") and name.endswith("__")


def is_plain(name: str) -> bool:
    """Whether reading an attribute of this name is safe on whatever object it is read from.

    >>> is_plain("total"), is_plain("format"), is_plain("_x"), is_plain("gi_frame")
    (True, False, False, False)
    """
    return not (name.startswith("_") or name in INTERNALS or name in CHECKED)


# Read through the guard: `str.format` reads attributes by name, `ABCMeta.register` lies about types, and `mro`
# gives `type` itself.
CHECKED = frozenset({"format", "format_map", "mro", "register"})


def mangle(name: str, owner: str) -> str:
    """A name as Python spells it inside the class `owner`.

    >>> mangle("__total", "_Account")
    '_Account__total'
    """
    stripped = owner.lstrip("_")
    if name.startswith("__") and not name.endswith("__") and stripped and "." not in name:
        return f"_{stripped}{name}"
    return name
