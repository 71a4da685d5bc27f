"""The text of a web page: its bytes decoded, its HTML read by lxml (libxml2), its boilerplate left out.

Some pages keep libxml2 busy for minutes (one tag with 200,000 attributes does): `page_process` reads those of strangers.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from typing import Any

_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# the encodings of the WHATWG standard, as Python names them: some other codecs of Python's are slow on purpose-made input
_ENCODINGS = re.compile(
    r"utf-8|ascii|utf-16(-[lb]e)?|iso8859-\d+|cp(125\d|866|874|932|949)|koi8-[ru]|gb(2312|k|18030)|big5(hkscs)?"
    r"|euc_(jp|kr)|shift_jis|iso2022_jp|mac-(roman|cyrillic)|tis-620"
)
_DROPPED = frozenset(
    re.findall(
        r"\w+",
        "script style noscript template svg math iframe object canvas audio video select button dialog nav footer "
        "aside head",
    )
)
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article blockquote body br caption dd details div dl dt fieldset figcaption figure form h1 h2 h3 h4 h5 "
        "h6 header hr li main ol option p pre section summary table tbody tfoot thead tr ul",
    )
)
_MARKS = {"li": "- ", "h1": "# ", "h2": "## ", "h3": "### ", "h4": "#### ", "h5": "##### ", "h6": "###### "}
_MAX_TEXT = 500_000  # characters; a model reads a fraction of that
_MAX_TITLE = 300
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_BREAK, _CELL = "\x00", "\x01"  # no page can hold these: they are taken out of its text


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's title ("" where it has none) and its text, which is not `whole` where there was too much of it."""

    title: str
    text: str
    whole: bool = True


def decode(body: bytes, content_type: str, *, whole: bool = True) -> str | None:
    r"""The bytes as text: by a byte order mark, the header, the page's own word, UTF-8 or Windows-1252.

    A declaration that the bytes do not bear out is a lie, and the next one counts. Control
    characters become spaces; of a body that is not `whole`, a character cut off at its end is left out. None for what is
    no text, whatever it is called.

    >>> decode("café".encode("latin-1"), "text/html; charset=iso-8859-1")
    'café'
    >>> decode("café".encode("latin-1"), "text/html; charset=utf-8")
    'café'
    >>> decode(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xff", "text/plain") is None
    True
    """
    declared = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.IGNORECASE)
    meta = _META_CHARSET.search(body[:2048])
    names = [name for mark, name in _BOMS if body.startswith(mark)]
    names += [_known(declared[1], body)] if declared else []
    names += [_known(meta[1].decode("ascii"), body)] if meta else []
    text = ""
    for name in dict.fromkeys([*filter(None, names), "utf-8", "cp1252"]):
        text = codecs.getincrementaldecoder(name)(errors="replace").decode(body, final=whole)
        if _fits(text):
            break
    beginning = text[:4_000]
    if len(_CONTROL.findall(beginning)) * 50 > len(beginning):
        return None
    return _CONTROL.sub(" ", text)


def _fits(text: str) -> bool:
    """Whether the characters that could not be read are few among those that are not plain ASCII."""
    wrong = text.count("\ufffd")
    return wrong == 0 or wrong * 20 < len(text) - len(text.encode("ascii", "ignore"))


def _known(name: str, body: bytes) -> str:
    """Python's name of an encoding that pages are written in; "" for any other."""
    try:
        proper = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    if proper in ("iso8859-1", "ascii"):
        return "cp1252"  # as browsers do
    if proper.startswith("utf-16") and b"\x00" not in body[:2_000]:
        return ""  # UTF-16 would have written the markup with these
    return proper if _ENCODINGS.fullmatch(proper) else ""


def html_text(page: str) -> PageText:
    r"""Read HTML as text: blocks as lines, headings and list items marked, navigation and scripts left out.

    >>> html_text("<title>T</title><h1>A</h1><p>b <i>c</i></p><ul><li>d</li></ul><script>e()</script>")
    PageText(title='T', text='# A\n\nb c\n\n- d', whole=True)
    """
    from lxml import etree
    from lxml import html as lxml_html

    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    clean = _CONTROL.sub(" ", page)
    try:
        root = lxml_html.document_fromstring(clean.encode(errors="replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return PageText("", "")  # nothing in it
    title = next(root.iter("title"), None)
    named = "" if title is None else " ".join(_CONTROL.sub(" ", title.text or "").split())[:_MAX_TITLE]
    pieces = _Pieces()
    for part in _articles(root):
        _collect(part, pieces)
    text = pieces.laid_out()
    if not text:
        pieces = _Pieces()
        _collect(root, pieces)
        text = pieces.laid_out()
    return PageText(named, text, whole=not pieces.full)


def _articles(root: Any) -> list[Any]:
    """The outermost elements that say that they hold what the page is about; the whole page where none does."""
    from lxml import etree

    found = []
    walk = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        if element.tag in ("main", "article") or element.get("role") == "main":
            found.append(element)
            walk.skip_subtree()
    return found or [root]


@dataclass(slots=True)
class _Pieces:
    """Text as it is gathered, until there is enough of it."""

    parts: list[str] = field(default_factory=list)
    size: int = 0

    @property
    def full(self) -> bool:
        return self.size >= _MAX_TEXT

    def add(self, text: str) -> None:
        self.parts.append(text)
        self.size += len(text)

    def laid_out(self) -> str:
        return _laid_out("".join(self.parts)[:_MAX_TEXT])


def _collect(root: Any, pieces: _Pieces) -> None:
    """The text below an element with marks for breaks; without recursion, as pages may be nested deeply."""
    from lxml import etree

    verbatim = 0  # how many <pre> are open
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        if pieces.full:
            return
        tag = element.tag
        dropped = tag in _DROPPED or element.get("hidden") is not None
        if event == "start":
            if dropped:
                walk.skip_subtree()
                continue
            verbatim += tag == "pre"
            pieces.add(_opening(tag))
            pieces.add(_spaced(element.text, verbatim))
            continue
        if not dropped:
            verbatim -= tag == "pre"
            pieces.add(_BREAK if tag in _BLOCKS else "")
        if element is not root:
            pieces.add(_spaced(element.tail, verbatim))


def _opening(tag: str) -> str:
    if tag in ("td", "th"):
        return _CELL
    return _BREAK + _MARKS.get(tag, "") if tag in _BLOCKS else ""


def _spaced(text: str | None, verbatim: int) -> str:
    """Text with its white space as single spaces; in a `pre` as it is, a newline there being the only one anywhere."""
    if not text:
        return ""
    text = _CONTROL.sub(" ", text)  # which `&#27;` can write
    return text.expandtabs(4) if verbatim else re.sub(r"\s+", " ", text)


def _laid_out(marked: str) -> str:
    """Lines from marked text: one empty line between blocks, none between list items or table rows."""
    lines: list[str] = []
    mark = ""
    for block in marked.split(_BREAK):
        if "\n" in block:
            text = block.replace(_CELL, " ").strip("\n").rstrip()
        else:
            cells = [" ".join(cell.split()) for cell in block.split(_CELL)]
            text = " | ".join(cell for cell in cells if cell)
        if f"{text} " in _MARKS.values():
            mark = f"{text} "  # of a list item or a heading whose text stands in a block of its own
            continue
        if not text.strip():
            continue
        text, mark = mark + text, ""
        if lines and not _close(lines[-1], text):
            lines.append("")
        lines.append(text)
    return "\n".join(lines)


def _close(before: str, text: str) -> bool:
    return (before.startswith("- ") and text.startswith("- ")) or (" | " in before and " | " in text)
