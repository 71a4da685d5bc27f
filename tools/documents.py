"""The user's own documents, and BM25 over them.

The ranking is Okapi BM25 as Lucene computes it (Robertson and Zaragoza 2009; Kamphuis et al. 2020), by bm25s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import DocumentsError

_SUFFIXES = (".txt", ".md", ".markdown")
_PASSAGE = 2_000  # characters: a longer file is cut between paragraphs into passages of about this size
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_]+(?:['’][^\W_]+)?")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by can did do does for from had has have he her his how i in into is it its me my "
        "no not of on or our she so than that the their them then there these they this to was we were what when "
        "where which who why will with you your",
    )
)


@dataclass(frozen=True, slots=True)
class Document:
    """A text, and where it is from: `guide.md`, `guide.md:41` for a passage, or what the user says."""

    text: str
    source: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that was found. `rank` counts from 1; a higher `score` is a better match."""

    text: str
    score: float
    source: str
    rank: int


def load_documents(where: str | Path | Iterable[object]) -> list[Document]:
    """Read documents from a folder, a JSONL file, or a list.

    A folder gives its `.txt` and `.md` files, also those in folders below; files longer than 2,000
    characters come as passages, cut between paragraphs. Each line of a `.jsonl` file is an object with a
    `text` and, if wanted, a `source`. A list holds texts, such objects, or `Document`s. Raises `DocumentsError`
    that names the file and the line.

    >>> load_documents(["Paris is in France.", {"text": "Rome is in Italy.", "source": "atlas"}])[1]
    Document(text='Rome is in Italy.', source='atlas')
    """
    if not isinstance(where, (str, Path)):
        return [_document(item, f"document {number}") for number, item in enumerate(where, 1)]
    path = Path(where).expanduser()
    if path.is_dir():
        found = [document for file in _text_files(path) for document in _passages(file, path)]
        if not found:
            raise DocumentsError(f"{path} holds no .txt or .md file with text in it")
        return found
    if not path.exists():
        raise DocumentsError(
            f"there is no file or folder {path}; documents are a folder, a .jsonl file or a list"
        )
    if path.suffix in (".jsonl", ".ndjson"):
        return list(_from_jsonl(path))
    if path.suffix in _SUFFIXES:
        return list(_passages(path, path.parent))
    raise DocumentsError(f"{path}: documents are read from a folder, a .txt or .md file, or a .jsonl file")


class Bm25Index:
    """Documents ranked by the words they share with a query.

    >>> index = Bm25Index(["The cat sat on the mat.", "Dogs chase cats.", "Fish swim."])
    >>> [hit.text for hit in index.search("cat", k=2)]
    ['The cat sat on the mat.', 'Dogs chase cats.']
    """

    def __init__(self, documents: str | Path | Iterable[object]) -> None:
        self.documents = tuple(load_documents(documents))
        self._ranking: Any = None  # bm25s.BM25, which has no types; None where there is no word to find
        corpus = [words(document.text) for document in self.documents]
        if any(corpus):
            import bm25s

            self._ranking = bm25s.BM25(method="lucene", backend="numpy")
            self._ranking.index(corpus, show_progress=False)

    def __len__(self) -> int:
        return len(self.documents)

    def search(self, query: str, k: int = 3) -> list[Hit]:
        """The k best documents, best first; fewer where fewer share a word with the query.

        Documents that score the same come in the order in which they were given.
        """
        if k < 1:
            raise ValueError(f"k is how many documents to find, at least 1, not {k}")
        wanted = words(query)
        if not wanted or self._ranking is None:
            return []
        import numpy as np

        scores = self._ranking.get_scores(wanted)
        best = np.argsort(-scores, kind="stable")[:k]
        return [
            Hit(self.documents[place].text, float(scores[place]), self.documents[place].source, rank)
            for rank, place in enumerate(best, 1)
            if scores[place] > 0
        ]


def words(text: str) -> list[str]:
    """The words that count in a text: lower-case, without the commonest, plurals as singulars.

    Chinese, Japanese and Korean writing counts by the character.

    >>> words("The companies' orders are in Paris")
    ['company', 'order', 'paris']
    """
    return [_stem(word) for word in _WORD.findall(text.lower()) if word not in _COMMON]


def _stem(word: str) -> str:
    """Harman's S-stemmer (1991): English plurals only, the step that never does much harm."""
    word = word.replace("’", "'").removesuffix("'s")
    if len(word) > 4 and word.endswith("ies") and word[-4] not in "ea":
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("ches", "shes", "xes", "sses", "zzes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("es") and word[-3] not in "aeo":
        return word[:-1]
    if len(word) > 3 and word.endswith("s") and word[-2] not in "us" and not word.endswith("is"):
        return word[:-1]
    return word


def _document(item: object, place: str) -> Document:
    if isinstance(item, Document):
        return item
    if isinstance(item, str):
        return Document(item, place)
    if isinstance(item, Mapping):
        text, source = item.get("text"), item.get("source", place)
        if isinstance(text, str):
            return Document(text, str(source))
        found = (
            f"{type(text).__name__}" if "text" in item else f"only {', '.join(map(str, item)) or 'nothing'}"
        )
        raise DocumentsError(f'{place}: "text" must be text, found {found}')
    raise DocumentsError(f'{place}: a document is text or an object with a "text", not {type(item).__name__}')


def _from_jsonl(path: Path) -> Iterator[Document]:
    found = False
    for number, line in enumerate(_read(path).split("\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DocumentsError(f"{path}:{number}: this line is no JSON ({error})") from error
        found = True
        yield (
            _document(item, f"{path.name}:{number}")
            if isinstance(item, (str, dict))
            else _wrong(path, number)
        )
    if not found:
        raise DocumentsError(f"{path} holds no document")


def _wrong(path: Path, number: int) -> Document:
    raise DocumentsError(f'{path}:{number}: a line is an object with a "text"')


def _text_files(folder: Path) -> list[Path]:
    """The text files below a folder, in a stable order; hidden ones are left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _passages(file: Path, folder: Path) -> Iterator[Document]:
    text = _read(file)
    name = file.relative_to(folder).as_posix()
    if len(text) <= _PASSAGE:
        if text.strip():
            yield Document(text.strip(), name)
        return
    line, start, held = 1, 1, ""
    for piece in _pieces(text):
        if held and len(held) + len(piece) > _PASSAGE:
            yield Document(held.strip(), f"{name}:{start}")
            held = ""
        if held or piece.strip():
            start = start if held else line + piece[: len(piece) - len(piece.lstrip())].count("\n")
            held += piece
        line += piece.count("\n")
    if held:
        yield Document(held.strip(), f"{name}:{start}")


def _pieces(text: str) -> Iterator[str]:
    """The paragraphs of a text, one that is too long for a passage in parts that end at a space."""
    for paragraph in re.split(r"(?<=\n)(?=[ \t]*\n)", text):
        rest = paragraph
        while len(rest) > _PASSAGE:
            end = max(rest.rfind(" ", 0, _PASSAGE), rest.rfind("\n", 0, _PASSAGE)) + 1 or _PASSAGE
            yield rest[:end]
            rest = rest[end:]
        yield rest


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DocumentsError(f"{path}:{line}: this is no UTF-8 text; save the file as UTF-8") from error
    except OSError as error:
        raise DocumentsError(f"{path} can't be read: {error.strerror}") from error
