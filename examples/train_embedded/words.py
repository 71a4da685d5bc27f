"""What the questions are about: names, numbers, dates, and the split that keeps some of them unseen.

A name or a number of three or more figures belongs to "train" or to "heldout" by a hash of its text, so
the two parts never meet, whatever the seed.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Literal
from zlib import crc32

Split = Literal["train", "heldout"]


def listed(words: str) -> list[str]:
    """The words of a text."""
    return words.split()


ADJECTIVES = listed("""oak pine steel red blue green small large heavy light folding wooden plastic leather cotton wool silver golden
black white yellow grey wireless solar electric manual double single round square tall short soft hard old new spare garden
kitchen travel office desk winter summer ceramic copper brass rubber glass paper linen canvas digital portable compact deluxe
striped plain smart quiet bright narrow wide thick thin""")
NOUNS = listed("""desk chair lamp table shelf kettle mug bottle jacket scarf boot glove hat bag wallet notebook pen pencil stapler ruler
hammer drill saw wrench ladder rope tent stove lantern mattress pillow blanket towel mirror clock radio speaker keyboard mouse
monitor cable charger battery camera tripod printer router phone tablet helmet bicycle tyre pump lock basket bucket broom
brush plate bowl spoon fork knife pan pot oven toaster fan heater filter hose rake spade planter seed candle frame poster
puzzle ball racket skate kite drum guitar violin flute book atlas map globe compass watch ring necklace sofa bench stool
crate box carton jar tin tube roll brick tile plank panel hinge screw nail bolt socket switch fuse sensor valve""")
FIRST = listed("""Ann Ben Carla David Elena Farid Grace Hugo Irene Jonas Kira Liam Maria Noor Oscar Paula Quinn Rosa Sami Tara Umar Vera Will
Xenia Yusuf Zoe Anders Bianca Chen Dina Emil Fiona Goran Hana Ivan Julia Karim Lena Marco Nadia Olaf Petra Ravi Sofia Tom
Ursula Viktor Wanda Yara Zane Aisha Boris Clara Diego Edith Felix Gita Henrik Ines Jamal""")
LAST = listed("""Smith Jones Garcia Novak Rossi Meyer Dubois Kowalski Silva Tanaka Khan Singh Nguyen Okafor Larsen Peters Moreno Fischer
Weber Costa Ivanov Kim Lopez Martin Olsen Park Quist Reyes Stone Turner Vance Wagner Young Zeller Abbott Barker Cole Doyle
Ellis Frost Grant Hayes Irwin Jensen Keller Lowe Marsh Nash Owens Price Ramsey Shaw Tate Underwood Vogel Walsh""")
CITIES = listed("""Paris London Berlin Madrid Rome Vienna Prague Oslo Lisbon Dublin Athens Warsaw Tokyo Delhi Cairo Lagos Nairobi Lima Quito
Bogota Toronto Chicago Boston Denver Austin Seattle Sydney Perth Geneva Lyon Porto Turin Bergen Krakow Ghent Graz Malmo Tampere
Izmir Osaka Hanoi Manila Jakarta Dakar Accra Tunis""")
CITY_ENDS = listed(
    "burg ville ton field ford haven port dale stad mouth by wick bridge minster grad hagen heim ona ara ia"
)
_LANDS = listed("Hill Bay Creek Point Bridge Falls Lake Ridge Field Grove Cove Park Heath Ford Cross Green")
CONSONANTS = listed("b c d f g h j k l m n p r s t v w z br cr dr fl gr kl pl pr sh sk st tr th")
VOWELS = listed("a e i o u a e i o ai ea ou")
CODAS = ["", "", "", "n", "r", "l", "s", "t", "m", "k", "nd", "rt", "x"]


def is_heldout(text: str) -> bool:
    """Whether a name or number is kept out of training."""
    return crc32(text.lower().encode()) % 8 == 0


def fits(text: str, split: Split) -> bool:
    return is_heldout(text) == (split == "heldout")


def pseudo_word(rng: Random, syllables: int | None = None) -> str:
    """A word that is in no language, such as `plorem`."""
    count = syllables or rng.choice((2, 2, 2, 3))
    return "".join(rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(count)) + rng.choice(CODAS)


def _item(rng: Random) -> str:
    shape = rng.random()
    if shape < 0.3:
        return f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if shape < 0.37:
        return f"{rng.choice(NOUNS)} {rng.choice(NOUNS)}"
    if shape < 0.45:
        return rng.choice(NOUNS)
    if shape < 0.6:
        return f"{rng.choice(ADJECTIVES)} {pseudo_word(rng)}"
    if shape < 0.75:
        return f"{pseudo_word(rng)} {rng.choice(NOUNS)}"
    if shape < 0.85:
        return f"{pseudo_word(rng).title()} {rng.choice(NOUNS)}"
    if shape < 0.92:
        return f"{pseudo_word(rng).title()} {rng.randint(2, 990)}"
    return f"{rng.choice(ADJECTIVES)} {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"


def _person(rng: Random) -> str:
    first = rng.choice(FIRST) if rng.random() < 0.6 else pseudo_word(rng).title()
    last = rng.choice(LAST) if rng.random() < 0.5 else pseudo_word(rng).title()
    return rng.choice((first, f"{first} {last}", f"{first} {last}", f"{first[0]}. {last}"))


def _place(rng: Random) -> str:
    shape = rng.random()
    if shape < 0.35:
        return rng.choice(CITIES)
    if shape < 0.7:
        return (pseudo_word(rng, 1) + rng.choice(CITY_ENDS)).title()
    if shape < 0.85:
        return pseudo_word(rng).title()
    if shape < 0.92:
        return f"{rng.choice((*ADJECTIVES, *NOUNS)).title()} {rng.choice(_LANDS)}"
    return f"{rng.choice(('New', 'Port', 'San', 'Upper', 'Lake', 'Mount', 'Old'))} {pseudo_word(rng).title()}"


def _code(rng: Random) -> str:
    letters = "".join(rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(rng.randint(1, 3)))
    number = str(rng.randint(1, 10 ** rng.randint(2, 5)))
    return rng.choice(
        (
            f"{letters}-{number}",
            f"{letters}{number}",
            f"#{number}",
            number,
            f"{letters}-{number}-{rng.choice('ABCX')}",
        )
    )


_MAKERS = {"item": _item, "person": _person, "place": _place, "code": _code}
NameKind = Literal["item", "person", "place", "code"]


def draw_name(rng: Random, kind: NameKind, split: Split) -> str:
    """A name of the kind that belongs to the split."""
    while not fits(name := _MAKERS[kind](rng), split):
        pass
    return name


def draw_whole(rng: Random, low: int, high: int, split: Split) -> str:
    """A whole number; those below 100 belong to both splits."""
    for _ in range(100):
        number = rng.randint(low, high)
        if number < 100 or fits(str(number), split):
            return str(number)
    return str(number)


def draw_decimal(rng: Random, low: float, high: float, split: Split, places: int | None = None) -> str:
    """A number with one or two decimals, as a person writes it."""
    for _ in range(100):
        figures = places if places is not None else rng.choice((1, 2, 2))
        text = f"{rng.uniform(low, high):.{figures}f}"
        if fits(text, split):
            return text
    return text


def draw_number(rng: Random, low: float, high: float, split: Split, decimals: float = 0.4) -> str:
    """A whole number, or with the chance `decimals` one with decimals."""
    if rng.random() < decimals:
        return draw_decimal(rng, low, high, split)
    return draw_whole(rng, max(1, int(low)), max(2, int(high)), split)


def draw_date(rng: Random, split: Split) -> date:
    """A day between 1990 and 2034."""
    while True:
        day = date(1990, 1, 1) + timedelta(days=rng.randint(0, 16400))
        if fits(day.isoformat(), split):
            return day


COUNT_WORDS = dict(
    zip(
        range(2, 21),
        listed(
            "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
        ),
        strict=True,
    )
)
