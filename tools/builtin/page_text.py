"""The text of a web page: its bytes decoded, its HTML read by lxml (libxml2), its boilerplate left out."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
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
_BREAK, _CELL = "\x00", "\x01"  # no page can hold these: they are taken out of its text


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's title ("" where it has none) and its text."""

    title: str
    text: str


def decode(body: bytes, content_type: str) -> str:
    """The bytes as text: by a byte order mark, the header, the page's own word, else UTF-8 or Windows-1252.

    >>> decode("café".encode("latin-1"), "text/html; charset=iso-8859-1")
    'café'
    """
    declared = re.search(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", content_type, re.IGNORECASE)
    meta = _META_CHARSET.search(body[:2048])
    names = [name for mark, name in _BOMS if body.startswith(mark)]
    names += [declared[1]] if declared else []
    names += [meta[1].decode("ascii")] if meta else []
    for name in names:
        if name == "utf-8-sig" or (name := _known(name)):
            return body.decode(name, errors="replace")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        cut_off = error.start > len(body) - 4 and error.reason == "unexpected end of data"
        return body.decode("utf-8" if cut_off else "cp1252", errors="replace")


def _known(name: str) -> str:
    try:
        proper = codecs.lookup(name).name
    except LookupError:
        return ""
    if proper in ("iso8859-1", "ascii"):
        return "cp1252"  # as browsers do
    return proper if _ENCODINGS.fullmatch(proper) else ""


def html_text(page: str) -> PageText:
    r"""Read HTML as text: blocks as lines, headings and list items marked, navigation and scripts left out.

    >>> html_text("<title>T</title><h1>A</h1><p>b <i>c</i></p><ul><li>d</li></ul><script>e()</script>")
    PageText(title='T', text='# A\n\nb c\n\n- d')
    """
    from lxml import etree
    from lxml import html as lxml_html

    parser = lxml_html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    clean = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", " ", page)
    try:
        root = lxml_html.document_fromstring(clean.encode(errors="replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        return PageText("", "")  # nothing in it
    title = " ".join("".join(root.xpath("string(//head/title | //title[1])")).split())
    article = root.xpath("//main | //*[@role='main'] | //article")
    pieces: list[str] = []
    for part in [one for one in article if not _inside(one, article)] or [root]:
        _collect(part, pieces)
    text = _laid_out("".join(pieces))
    if not text and article:
        pieces = []
        _collect(root, pieces)
        text = _laid_out("".join(pieces))
    return PageText(title, text)


def _inside(element: Any, others: list[Any]) -> bool:
    return any(ancestor in others for ancestor in element.iterancestors())


def _collect(root: Any, pieces: list[str]) -> None:
    """The text below an element with marks for breaks; without recursion, as pages may be nested deeply."""
    from lxml import etree

    verbatim = 0  # how many <pre> are open
    walk = etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        dropped = tag in _DROPPED or element.get("hidden") is not None
        if event == "start":
            if dropped:
                walk.skip_subtree()
                continue
            verbatim += tag == "pre"
            pieces.append(_opening(tag))
            pieces.append(_spaced(element.text, verbatim))
            continue
        if not dropped:
            verbatim -= tag == "pre"
            pieces.append(_BREAK if tag in _BLOCKS else "")
        if element is not root:
            pieces.append(_spaced(element.tail, verbatim))


def _opening(tag: str) -> str:
    if tag in ("td", "th"):
        return _CELL
    return _BREAK + _MARKS.get(tag, "") if tag in _BLOCKS else ""


def _spaced(text: str | None, verbatim: int) -> str:
    """Text with its white space as single spaces; in a `pre` as it is, a newline there being the only one anywhere."""
    if not text:
        return ""
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
