from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.tools import ToolCall, ToolResult, builtin_tool

CONVERT = builtin_tool("convert_units")


def convert(value: object, from_unit: str, to_unit: str) -> ToolResult:
    args = {"value": value, "from_unit": from_unit, "to_unit": to_unit}
    return CONVERT.run(ToolCall("convert_units", args))


@pytest.mark.parametrize(
    ("value", "from_unit", "to_unit", "shown"),
    [
        (5, "km", "mi", "3.106855961 mi"),
        ("5", "kilometers", "miles", "3.106855961 miles"),
        (20, "degC", "degF", "68 degF"),
        (20, "celsius", "fahrenheit", "68 fahrenheit"),
        (20, "°C", "°F", "68 °F"),
        (32, "F", "C", "0 C"),
        (0, "K", "C", "-273.15 C"),
        (-40, "degrees celsius", "degrees fahrenheit", "-40 degrees fahrenheit"),
        (37, "Celsius", "Kelvin", "310.15 Kelvin"),
        (100, "km/h", "mph", "62.13711922 mph"),
        (60, "miles per hour", "km per hour", "96.56064 km per hour"),
        (1, "KM", "m", "1000 m"),
        (1, "  fl   oz ", "ml", "29.57352956 ml"),
        (1, "nautical miles", "km", "1.852 km"),
        (2, "square feet", "m²", "0.18580608 m²"),
        (1, "m^3", "liters", "1000 liters"),
        (1, "gb", "mb", "1000 mb"),
        (8, "bits", "byte", "1 byte"),
        (3, "W/(m^2*K)", "W/m^2/K", "3 W/m^2/K"),
        (9.81, "m/s**2", "ft/s^2", "32.18503937 ft/s^2"),
        (180, "°", "rad", "3.141592654 rad"),
        (50, "%", "percent", "50 percent"),
        (1.5, "hours", "min", "90 min"),
        (1, "light year", "m", "9460730473000000 m"),
        (1, "angstrom", "m", "1e-10 m"),
        (0, "kg", "lb", "0 lb"),
        (1e308, "m", "m", "1e+308 m"),
    ],
)
def test_a_value_is_given_in_the_unit_as_it_was_asked_for(
    value: object, from_unit: str, to_unit: str, shown: str
) -> None:
    assert convert(value, from_unit, to_unit).content == shown


@pytest.mark.parametrize(
    ("value", "from_unit", "to_unit", "said"),
    [
        (1, "kilomters", "m", 'there is no unit "kilomters"; did you mean "kilometer"?'),
        (1, "USD", "m", 'there is no unit "USD"'),
        (1, "m", "kg", '"m" is a length and "kg" is a mass: one can\'t be converted into the other'),
        (1, "K", "henry", "of the dimension"),
        (1, "m", "", "a unit is a name like km, degC or m/s^2"),
        (1, "x" * 100, "m", "not 100 characters"),
        (1, "10 km", "m", "a number goes into value"),
        (1, "m^9^9^9", "m", "is no unit"),
        (1, "m**99999", "m", "is no unit"),
        (1, "(((m", "m", 'there is no unit "(((m"'),
        (1, "m/", "m", 'there is no unit "m/"'),
        (1, "__import__('os')", "m", "is no unit"),
        (1, "m.__class__", "m", "is no unit"),
        (1, "m;m", "m", "is no unit"),
        (1e308, "km", "nm", "is too large to give in nm"),
    ],
)
def test_what_can_not_be_converted_is_refused_in_words(
    value: object, from_unit: str, to_unit: str, said: str
) -> None:
    result = convert(value, from_unit, to_unit)
    assert (result.error, result.detail) == ("raised", "")
    assert said in result.content


@pytest.mark.parametrize(
    ("value", "wanted"), [("ten", "a number"), ("inf", "a finite number"), ("nan", "a finite number")]
)
def test_a_value_that_is_no_number_is_refused_with_the_usage(value: str, wanted: str) -> None:
    assert convert(value, "km", "mi").content == (
        f'Error: convert_units: "value" must be {wanted}, not "{value}". '
        "Usage: convert_units(value: number, from_unit: string, to_unit: string)"
    )


@given(st.text(max_size=70), st.sampled_from(["m", "degC", "GB"]))
def test_whatever_stands_for_a_unit_the_answer_is_in_words(unit: str, other: str) -> None:
    result = convert(1, unit, other)
    assert result.ok or not result.detail, result.detail


@given(st.text(alphabet="kmgsdegCFbB/*^() 0123456789°²%·.-", max_size=20))
def test_whatever_is_made_of_the_signs_of_units_the_answer_is_in_words(unit: str) -> None:
    result = convert(1, unit, "m")
    assert result.ok or not result.detail, result.detail


@given(st.floats(-1e12, 1e12), st.sampled_from([("km", "mi"), ("degC", "degF"), ("lb", "kg"), ("GB", "bit")]))
def test_there_and_back_is_where_one_started(value: float, units: tuple[str, str]) -> None:
    there = float(convert(value, *units).content.split(" ")[0])
    back = float(convert(there, units[1], units[0]).content.split(" ")[0])
    assert back == pytest.approx(value, rel=1e-7, abs=1e-6)
