"""The pictures in the README are of the chat as it is."""

from __future__ import annotations

import pytest
from chat_screenshots import FOLDER, SESSIONS, picture, shape


@pytest.mark.parametrize("name", SESSIONS)
def test_a_picture_shows_what_the_session_shows_today(name: str) -> None:
    kept = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert shape(kept) == shape(picture(name)), "make them anew: python tests/chat_screenshots.py"


@pytest.mark.parametrize("name", SESSIONS)
def test_a_picture_asks_for_nothing_from_the_network(name: str) -> None:
    kept = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    addresses = {word for word in kept.split('"') if word.startswith("http")}
    assert addresses == {"http://www.w3.org/2000/svg"}
    assert "url(http" not in kept
