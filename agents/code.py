"""Code: a program as an input or an output of a signature."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, ClassVar

FENCE = re.compile(r"^```[^\n`]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Code:
    r"""A program's text; `Code["java"]` says in which language, Python unless told.

    What a model wrote around the program, a Markdown fence and words before it, is left out.

    >>> Code("Here it is:\n```python\nprint(1)\n```").code
    'print(1)'
    >>> Code["java"].language, Code["java"] is Code["java"]
    ('java', True)
    """

    __slots__ = ("code",)

    language: ClassVar[str] = "python"

    def __init__(self, code: str) -> None:
        fenced = FENCE.search(code)
        self.code = fenced[1].rstrip() if fenced else code

    def __class_getitem__(cls, language: str) -> type[Code]:
        return _in_language(language)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Code) and (self.code, self.language) == (other.code, other.language)

    def __hash__(self) -> int:
        return hash((self.code, self.language))

    def __str__(self) -> str:
        return self.code

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.code!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _made, (self.language, self.code)

    @classmethod
    def description(cls) -> str:
        """What a model is asked for.

        >>> Code["java"].description()
        'java code, and nothing else'
        """
        return f"{cls.language} code, and nothing else"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        written = core_schema.plain_serializer_function_ser_schema(str)
        return core_schema.no_info_plain_validator_function(cls._read, serialization=written)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string"}

    @classmethod
    def _read(cls, given: object) -> Code:
        if isinstance(given, Code):
            return cls(given.code)
        text = given.get("code") if isinstance(given, dict) else given
        if not isinstance(text, str):
            raise ValueError("code must be text")  # what pydantic takes for a complaint
        return cls(text)


@cache
def _in_language(language: str) -> type[Code]:
    return type(f"Code_{language}", (Code,), {"language": language, "__slots__": ()})


def _made(language: str, code: str) -> Code:
    kind = Code if language == Code.language else _in_language(language)
    return kind(code)
