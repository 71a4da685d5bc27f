from __future__ import annotations

import pickle
import re
import types
from copy import deepcopy
from datetime import date
from enum import Enum
from typing import Any, ClassVar, Literal

import pytest

from loopwright import InputField, OutputField, Signature
from loopwright.errors import SignatureError
from loopwright.signature import Field


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Triage(Signature):
    """Sort a support mail.

    Look at the tone as well.
    """

    mail: str = InputField()
    sender: str = InputField(desc="who wrote it", default="unknown")
    urgent: bool = OutputField(desc="whether someone must look today")
    score: int = OutputField(ge=1, le=5)


TRIAGE = Signature.of(Triage)  # a type checker takes the notation for a class


@pytest.mark.parametrize(
    ("text", "inputs", "outputs"),
    [
        ("question -> answer", {"question": str}, {"answer": str}),
        ("sentence -> sentiment: bool", {"sentence": str}, {"sentiment": bool}),
        (
            "context, question -> reasoning: str, answer: str",
            {"context": str, "question": str},
            {"reasoning": str, "answer": str},
        ),
        ("notes: list[str], k: int -> points: dict[str, float]", {"notes": list[str], "k": int}, {"points": dict[str, float]}),
        ("q -> a: Literal['yes', 'no']", {"q": str}, {"a": Literal["yes", "no"]}),
        ("q -> a: Literal['a -> b']", {"q": str}, {"a": Literal["a -> b"]}),
        ("q -> a: Literal[-1, True, None]", {"q": str}, {"a": Literal[-1, True, None]}),
        ("q -> a: Optional[int]", {"q": str}, {"a": int | None}),
        ("q -> a: int | None", {"q": str}, {"a": int | None}),
        ("q -> a: typing.List[int]", {"q": str}, {"a": list[int]}),
        ("q -> a: tuple[int, ...]", {"q": str}, {"a": tuple[int, ...]}),
        ("q -> on: datetime.date", {"q": str}, {"on": date}),
        ("q -> a: 'list[int]'", None, None),
        ("-> idea", {}, {"idea": str}),
        ("  q  ->  a  ", {"q": str}, {"a": str}),
        ("q,\n k: int\n-> a,", {"q": str, "k": int}, {"a": str}),
    ],
)  # fmt: skip
def test_text_gives_typed_fields(
    text: str, inputs: dict[str, Any] | None, outputs: dict[str, Any] | None
) -> None:
    if inputs is None or outputs is None:
        with pytest.raises(SignatureError):
            Signature(text)
        return
    signature = Signature(text)
    assert {name: field.type for name, field in signature.input_fields.items()} == inputs
    assert {name: field.type for name, field in signature.output_fields.items()} == outputs


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("question", "one '->'"),
        ("a -> b -> c", "one '->'"),
        ("", "one '->'"),
        ("question -> ", "needs an output field"),
        ("a, a -> b", "'a' stands twice"),
        ("a -> a", "'a' stands twice"),
        ("1a -> b", "can't read '1a'"),
        ("a b -> c", "can't read 'a b'"),
        ("_a -> b", "can't be a field's name"),
        ("a = 1 -> b", "= have no place"),
        ("*a -> b", "have no place"),
        ("a: itn -> b", "did you mean 'int'"),
        ("a -> b: Person", "custom_types={'Person': Person}"),
        ("a -> b: print()", "is no type"),
        ("a -> b: __import__('os').name", "is no type"),
        ("a): pass\nimport os\ndef f(b -> c", "have no place"),
        ("a -> b: str[int]", "takes no such type arguments"),
        ("a -> b: Literal", "needs its types in brackets"),
        ("a -> b: list[Optional]", "needs its types in brackets"),
        ("a -> b: Literal[x]", "a Literal holds"),
        ("a -> b: Literal[[1]]", "a Literal holds"),
        ("a -> b: Literal[1.5]", "a Literal holds"),
    ],
)
def test_text_that_makes_no_sense_is_refused_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(SignatureError, match=re.escape(says)):
        Signature(text)


def test_types_of_ones_own_are_named_in_custom_types() -> None:
    signature = Signature("text -> mood: Mood, all: list[Mood]", custom_types={"Mood": Mood})
    assert signature.output_fields["mood"].type is Mood
    assert signature.output_fields["all"].type == list[Mood]


def test_a_class_gives_fields_descriptions_constraints_and_instructions() -> None:
    assert Triage.instructions == "Sort a support mail.\n\nLook at the tone as well."
    assert list(Triage.input_fields) == ["mail", "sender"]
    assert list(Triage.output_fields) == ["urgent", "score"]
    assert Triage.output_fields["urgent"].desc == "whether someone must look today"
    assert Triage.input_fields["sender"].default == "unknown"
    assert dict(Triage.output_fields["score"].constraints) == {"ge": 1, "le": 5}
    assert Triage.name == "Triage"


def test_a_class_field_without_a_type_is_text() -> None:
    class Loose(Signature):
        question = InputField()
        answer = OutputField()

    assert [field.type for field in Loose.fields.values()] == [str, str]


def test_a_class_field_may_have_the_name_of_its_type() -> None:
    class Event(Signature):
        text: str = InputField()
        date: date = OutputField()

    assert Event.output_fields["date"].type is date


def test_a_class_puts_inputs_before_outputs_whatever_their_order() -> None:
    class Mixed(Signature):
        answer: str = OutputField()
        question: str = InputField()

    assert list(Mixed.fields) == ["question", "answer"]
    assert Signature("question -> answer") == Signature.of(Mixed)


def test_a_class_variable_is_no_field() -> None:
    class WithConstant(Signature):
        LIMIT: ClassVar[int] = 3
        question: str = InputField()
        answer: str = OutputField()

    assert list(WithConstant.fields) == ["question", "answer"]


def test_a_class_without_docstring_says_what_its_fields_say() -> None:
    class Plain(Signature):
        question: str = InputField()
        answer: str = OutputField()

    assert (
        Plain.instructions
        == Signature("question -> answer").instructions
        == "Given `question`, produce `answer`."
    )


def test_a_class_may_extend_another() -> None:
    class Longer(Triage):
        team: Literal["billing", "shipping"] = OutputField()

    assert list(Longer.fields) == ["mail", "sender", "urgent", "score", "team"]
    assert Longer.instructions == Triage.instructions


def test_an_extended_class_names_its_new_fields_when_nobody_wrote_instructions() -> None:
    class Base(Signature):
        question: str = InputField()
        answer: str = OutputField()

    class Longer(Base):
        source: str = OutputField()

    assert Longer.instructions == "Given `question`, produce `answer`, `source`."


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"__annotations__": {"question": str}}, "no = InputField()"),
        ({"__annotations__": {"question": str}, "question": "text"}, "must be InputField()"),
        ({"__annotations__": {"question": "Nowhere"}, "question": InputField()}, "'Nowhere' can't be found"),
        ({"question": InputField()}, "needs an output field"),
    ],
)
def test_a_class_that_is_no_signature_is_refused(body: dict[str, Any], says: str) -> None:
    with pytest.raises(SignatureError, match=re.escape(says)):
        types.new_class(
            "Broken",
            (Signature,),
            exec_body=lambda namespace: namespace.update({"__module__": __name__, **body}),
        )


def test_an_unknown_constraint_is_refused_where_it_is_written() -> None:
    with pytest.raises(SignatureError, match="no 'minimum'; there are: desc, default, gt, ge"):
        OutputField(minimum=3)


def test_a_mapping_gives_a_signature_also_in_the_pair_form() -> None:
    signature = Signature(
        {"question": (str, InputField()), "n": (int, OutputField(desc="how many"))}, "Count."
    )
    assert str(signature) == "question -> n: int"
    assert signature.output_fields["n"].desc == "how many"
    with pytest.raises(SignatureError, match="'x' must be declared"):
        Signature({"x": 3})  # type: ignore[dict-item]  # the point of the test


def test_edits_give_new_signatures_and_leave_the_old_one() -> None:
    old = Signature("question -> answer")
    assert str(old.append("source", OutputField())) == "question -> answer, source"
    assert str(old.prepend("reasoning", OutputField())) == "question -> reasoning, answer"
    assert str(old.prepend("context", InputField(), list[str])) == "context: list[str], question -> answer"
    assert str(old.insert(1, "k", InputField(), int)) == "question, k: int -> answer"
    assert str(old.insert(-2, "first", OutputField())) == "question -> first, answer"
    assert str(old.with_updated_fields("answer", float)) == "question -> answer: float"
    assert str(old.append("source", OutputField()).delete("answer")) == "question -> source"
    assert old.delete("nothing") == old
    assert str(old) == "question -> answer"


def test_an_update_changes_only_what_it_names() -> None:
    new = TRIAGE.with_updated_fields("score", desc="how bad", le=10).output_fields["score"]
    assert (new.type, new.desc, dict(new.constraints)) == (int, "how bad", {"ge": 1, "le": 10})
    assert TRIAGE.with_updated_fields("sender", default="nobody").input_fields["sender"].default == "nobody"


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda s: s.delete("answer"), "needs an output field"),
        (lambda s: s.insert(7, "x", OutputField()), "no place 7"),
        (lambda s: s.append("x", str), "must be declared with InputField()"),
        (lambda s: s.with_updated_fields("x", int), "no field 'x' to update; there are question, answer"),
        (lambda s: s.append("not a name", OutputField()), "can't be a field's name"),
    ],
    ids=["no output left", "no such place", "no field", "unknown field", "bad name"],
)
def test_an_edit_that_makes_no_sense_is_refused(edit: Any, says: str) -> None:
    with pytest.raises(SignatureError, match=re.escape(says)):
        edit(Signature("question -> answer"))


def test_written_instructions_stay_when_fields_change_and_default_ones_follow() -> None:
    written = Signature("question -> answer", "Be brief.")
    assert written.append("source", OutputField()).instructions == "Be brief."
    assert "`source`" in Signature("question -> answer").append("source", OutputField()).instructions
    assert written.with_instructions("").instructions == "Given `question`, produce `answer`."


def test_signatures_are_frozen_values() -> None:
    signature = Signature("question -> answer")
    with pytest.raises(AttributeError, match="a signature is frozen"):
        signature.instructions = "other"
    with pytest.raises(TypeError):
        signature.fields["answer"] = Field("answer", "output")  # type: ignore[index]  # the point of the test
    assert signature == Signature("question -> answer")
    assert signature != Signature("question -> answer: int")
    assert signature != signature.with_instructions("Be brief.")
    assert signature != "question -> answer"
    assert len({signature, Signature("question -> answer"), Signature("question -> answer: int")}) == 2


def test_signatures_can_be_copied_and_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(TRIAGE)) == TRIAGE  # noqa: S301  # our own bytes
    assert deepcopy(TRIAGE) is TRIAGE


def test_of_takes_every_notation_and_names_what_it_can_not() -> None:
    assert Signature.of("question -> answer", "Be brief.").instructions == "Be brief."
    assert Signature.of(TRIAGE) is TRIAGE
    assert Signature.of(Triage, "Sort.").instructions == "Sort."
    with pytest.raises(SignatureError, match="got int"):
        Signature.of(3)  # type: ignore[arg-type]  # the point of the test


def test_the_text_form_can_be_read_again() -> None:
    text = "question, k: int -> answer: Literal['yes', 'no'], notes: list[str] | None, on: date"
    assert str(Signature(str(Signature(text)))) == str(Signature(text)) == Signature(text).signature == text
    assert repr(Signature("a -> b", "Do it.")) == "Signature('a -> b', 'Do it.')"
