"""Signatures: what goes into a model call and what must come out of it.

A signature is a frozen value: named, typed fields in order, and instructions. It is written as text or
as a class; both notations give the same value, and every edit gives a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from inspect import cleandoc
from types import MappingProxyType
from typing import Any, ClassVar, Literal, get_origin, get_type_hints

from .errors import SignatureError
from .signature_text import parse_signature, type_text

FieldKind = Literal["input", "output"]

CONSTRAINTS = (
    "gt", "ge", "lt", "le", "multiple_of", "min_length", "max_length", "pattern",
    "max_digits", "decimal_places", "allow_inf_nan", "strict", "union_mode",
)  # fmt: skip


class Missing(Enum):
    """Stands for "no default", since None is a default."""

    MISSING = "required"


MISSING = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Field:
    """One input or output of a signature.

    `type` is any annotation pydantic can validate; `desc` tells the model what the field holds;
    `constraints` are those of `pydantic.Field` (`ge`, `le`, `min_length`, `pattern`, …).
    """

    name: str
    kind: FieldKind
    type: Any = str
    desc: str = ""
    default: Any = MISSING
    constraints: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        for name, _ in self.constraints:
            if name not in CONSTRAINTS:
                raise SignatureError(
                    f"a field has no {name!r}; there are: desc, default, {', '.join(CONSTRAINTS)}"
                )

    @property
    def required(self) -> bool:
        """Whether a call must give this field."""
        return self.default is MISSING


def InputField(desc: str = "", *, default: Any = MISSING, **constraints: Any) -> Any:  # noqa: N802  # the name is the field's own
    """Declare an input in a signature's class.

    `constraints` are those of `pydantic.Field`: `ge`, `le`, `min_length`, `pattern` and so on. `description` is another
    name of `desc`.
    """
    desc = constraints.pop("description", desc)
    return Field("", "input", desc=desc, default=default, constraints=tuple(constraints.items()))


def OutputField(desc: str = "", **constraints: Any) -> Any:  # noqa: N802  # as InputField
    """Declare an output in a signature's class; `constraints` as for `InputField`."""
    desc = constraints.pop("description", desc)
    return Field("", "output", desc=desc, constraints=tuple(constraints.items()))


class _ClassNotation(type):
    """Lets a class statement write a signature: `class QA(Signature): …` makes a value, not a class."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        if not bases:
            return super().__new__(mcs, name, bases, namespace)
        parents = [base for base in namespace.get("__orig_bases__", ()) if isinstance(base, Signature)]
        inherited = {name: field for parent in parents for name, field in parent.fields.items()}
        own = _fields_of_class(name, namespace)
        instructions = namespace.get("__doc__") or next((p.own_instructions for p in parents), "")
        return Signature({**inherited, **own}, cleandoc(instructions), name=name)


class Signature(metaclass=_ClassNotation):
    """Named, typed inputs and outputs, with instructions.

    >>> Signature("question, context: list[str] -> answer: float").output_fields["answer"].type
    <class 'float'>
    >>> class Triage(Signature):
    ...     "Sort a support mail."
    ...     mail: str = InputField()
    ...     urgent: bool = OutputField(desc="whether someone must look today")
    >>> Triage.instructions, list(Triage.fields)
    ('Sort a support mail.', ['mail', 'urgent'])
    >>> str(Triage.append("team", OutputField(), Literal["billing", "shipping"]))
    "mail -> urgent: bool, team: Literal['billing', 'shipping']"

    A class statement gives a `Signature` value too, so edits are called on its name. Text types are
    built-in types, those of `typing` and `datetime`, and what `custom_types` names; they are parsed,
    never evaluated.
    """

    # every field by its name, inputs first; the inputs; the outputs
    fields: Mapping[str, Field]
    input_fields: Mapping[str, Field]
    output_fields: Mapping[str, Field]
    instructions: str
    name: str

    __slots__ = ("fields", "input_fields", "instructions", "name", "output_fields")
    __match_args__: ClassVar[tuple[str, ...]] = ("fields", "instructions")

    def __init__(
        self,
        signature: str | Mapping[str, Field | tuple[Any, Field]],
        instructions: str = "",
        *,
        custom_types: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> None:
        if isinstance(signature, str):
            left, right = parse_signature(signature, custom_types or {})
            given = [Field(n, "input", t) for n, t in left] + [Field(n, "output", t) for n, t in right]
        else:
            given = [_declared(name, field) for name, field in signature.items()]
        inputs = {f.name: f for f in given if f.kind == "input"}
        outputs = {f.name: f for f in given if f.kind == "output"}
        fields = {**inputs, **outputs}
        _check_fields(fields)
        set_once = object.__setattr__
        set_once(self, "fields", MappingProxyType(fields))
        set_once(self, "input_fields", MappingProxyType(inputs))
        set_once(self, "output_fields", MappingProxyType(outputs))
        set_once(self, "instructions", instructions or _default_instructions(fields))
        set_once(self, "name", name)

    @staticmethod
    def of(signature: SignatureLike, instructions: str = "") -> Signature:
        """The signature that a text, a class notation or a signature stands for."""
        if isinstance(signature, str):
            return Signature(signature, instructions)
        if isinstance(signature, Signature):
            return signature.with_instructions(instructions) if instructions else signature
        raise SignatureError(
            f"a signature is text such as 'question -> answer', or a Signature; got {type(signature).__name__}"
        )

    @property
    def signature(self) -> str:
        """The text form, without descriptions."""
        return str(self)

    @property
    def own_instructions(self) -> str:
        """The instructions, "" where they are only what the fields' names say."""
        return "" if self.instructions == _default_instructions(self.fields) else self.instructions

    def with_instructions(self, instructions: str) -> Signature:
        """The same fields under other instructions."""
        return Signature(self.fields, instructions, name=self.name)

    def append(self, name: str, field: Any, type_: Any = None) -> Signature:
        """Add a field after the others of its kind."""
        return self.insert(-1, name, field, type_)

    def prepend(self, name: str, field: Any, type_: Any = None) -> Signature:
        """Add a field before the others of its kind."""
        return self.insert(0, name, field, type_)

    def insert(self, index: int, name: str, field: Any, type_: Any = None) -> Signature:
        """Add a field at a place among those of its kind; -1 is the end, as in DSPy."""
        new = _declared(name, field if type_ is None else (type_, field))
        same = [f for f in self.fields.values() if f.kind == new.kind and f.name != name]
        place = len(same) + 1 + index if index < 0 else index
        if not 0 <= place <= len(same):
            raise SignatureError(f"no place {index} for {name!r}: there are {len(same)} {new.kind} fields")
        same.insert(place, new)
        others = [f for f in self.fields.values() if f.kind != new.kind and f.name != name]
        ordered = [*same, *others] if new.kind == "input" else [*others, *same]
        return self._edited({f.name: f for f in ordered})

    def delete(self, name: str) -> Signature:
        """Leave a field out; one that is not there is no error, as in DSPy."""
        return self._edited({n: f for n, f in self.fields.items() if n != name})

    def with_updated_fields(self, name: str, type_: Any = None, **changes: Any) -> Signature:
        """Change a field's type, `desc`, `default` or constraints."""
        if name not in self.fields:
            raise SignatureError(f"no field {name!r} to update; there are {', '.join(self.fields)}")
        old = self.fields[name]
        new = replace(
            old,
            type=old.type if type_ is None else type_,
            desc=changes.pop("desc", old.desc),
            default=changes.pop("default", old.default),
            constraints=tuple((dict(old.constraints) | changes).items()),
        )
        return self._edited({n: new if n == name else f for n, f in self.fields.items()})

    def _edited(self, fields: Mapping[str, Field]) -> Signature:
        return Signature(fields, self.own_instructions, name=self.name)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        return (Signature,)  # `class Longer(QA)`: QA is a value, its fields are inherited by the metaclass

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(
            f"a signature is frozen: use with_instructions(), append() and so on to get a new one, not {name} = …"
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Signature):
            return NotImplemented
        return (
            list(self.fields.values()) == list(other.fields.values())
            and self.instructions == other.instructions
        )

    def __hash__(self) -> int:
        return hash((tuple(self.fields), self.instructions))

    def __str__(self) -> str:
        def side(fields: Mapping[str, Field]) -> str:
            return ", ".join(n if f.type is str else f"{n}: {type_text(f.type)}" for n, f in fields.items())

        return f"{side(self.input_fields)} -> {side(self.output_fields)}"

    def __repr__(self) -> str:
        return f"Signature({str(self)!r}, {self.instructions!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (dict(self.fields), self.instructions, self.name))

    def __deepcopy__(self, memo: dict[int, object]) -> Signature:
        return self


SignatureLike = str | Signature | type[Signature]


def _rebuild(fields: Mapping[str, Field], instructions: str, name: str) -> Signature:
    return Signature(fields, instructions, name=name)


def _declared(name: str, given: object) -> Field:
    """A field under its name; a pair of a type and a field is DSPy's way to give both."""
    type_, field = given if isinstance(given, tuple) and len(given) == 2 else (None, given)
    if not isinstance(field, Field):
        raise SignatureError(f"{name!r} must be declared with InputField() or OutputField(), not {field!r}")
    return replace(field, name=name, type=field.type if type_ is None else type_)


def _default_instructions(fields: Mapping[str, Field]) -> str:
    def names(kind: FieldKind) -> str:
        return ", ".join(f"`{f.name}`" for f in fields.values() if f.kind == kind)

    return (
        f"Given {names('input')}, produce {names('output')}."
        if names("input")
        else f"Produce {names('output')}."
    )


def _check_fields(fields: Mapping[str, Field]) -> None:
    for name in fields:
        if not name.isidentifier() or name.startswith("_"):
            raise SignatureError(
                f"{name!r} can't be a field's name: letters, digits and _ only, not starting with a digit or _"
            )
    if not any(f.kind == "output" for f in fields.values()):
        raise SignatureError(
            f"a signature needs an output field, as in 'question -> answer'; got {', '.join(fields) or 'nothing'}"
        )


def _fields_of_class(name: str, namespace: Mapping[str, Any]) -> dict[str, Field]:
    annotations = _resolved_annotations(name, namespace)
    declared: dict[str, Field] = {}
    for field_name, value in namespace.items():
        if isinstance(value, Field):
            declared[field_name] = replace(value, name=field_name, type=annotations.pop(field_name, str))
        elif field_name in annotations and not _is_class_var(annotations[field_name]):
            raise SignatureError(f"{name}.{field_name} must be InputField() or OutputField(), not {value!r}")
    bare = [n for n, t in annotations.items() if not _is_class_var(t)]
    if bare:
        raise SignatureError(f"{name}.{bare[0]} has a type but no = InputField() or = OutputField()")
    inputs = {n: f for n, f in declared.items() if f.kind == "input"}
    return inputs | {n: f for n, f in declared.items() if f.kind == "output"}


def _resolved_annotations(name: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    """A class body's annotations, with those that are text (PEP 563) resolved in its module."""
    holder = type(
        name,
        (),
        {
            k: v
            for k, v in namespace.items()
            if k in ("__annotations__", "__annotate_func__", "__annotate__", "__module__")
        },
    )
    # a field may be called what its type is called: `date: date = OutputField()`
    local = {name: value for name, value in namespace.items() if not isinstance(value, Field)}
    try:
        return get_type_hints(holder, include_extras=True, localns=local)
    except (NameError, AttributeError) as error:
        raise SignatureError(
            f"{name}: the type {error.name!r} can't be found; types used in a signature's class must be importable from its module"
        ) from error


def _is_class_var(annotation: Any) -> bool:
    return annotation is ClassVar or get_origin(annotation) is ClassVar
