"""Small documents of the formats of which no sample is at hand, so that every format the registry knows is damaged."""

import zipfile
from pathlib import Path

TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"

_WORDS = "The boiler is serviced every October by Mr Hale. The pressure should be 1.4 bar."

_SEEDS = {
    "table.csv": "date,what,paid\n" + "2026-03-14,gutter,120.50\n" * 40,
    "table.tsv": "date\twhat\tpaid\n" + "2026-03-14\tgutter\t120.50\n" * 40,
    "notes.org": "#+TITLE: House\n* TODO Gutter :roof:\nDEADLINE: <2026-03-14>\n" + f"{_WORDS}\n" * 20,
    "notes.rst": f"House\n=====\n\n{_WORDS}\n\nRoof\n----\n\n{_WORDS}\n" * 8,
    "page.html": f"<html><head><title>House</title></head><body><h1>Roof</h1><p>{_WORDS}</p><table><tr><td>1"
    "</td></tr></table></body></html>",
    "page.htm": f"<h2>Roof</h2><ul><li>{_WORDS}</li></ul>",
    "page.xhtml": f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>{_WORDS}</p></body></html>',
    "paper.tex": rf"\documentclass{{article}}\begin{{document}}\section{{Roof}} {_WORDS} \end{{document}}",
    "list.opml": f'<?xml version="1.0"?><opml version="2.0"><body><outline text="{_WORDS}"/></body></opml>',
    "house.mdx": f"---\ntitle: House\ntags: [roof, gutter]\n---\n# Roof\n\n- [ ] {_WORDS}\n",
    "house.text": f"{_WORDS}\n" * 30,
}


def write_seeds(folder: Path) -> list[Path]:
    """Write them into a new folder and return their paths."""
    folder.mkdir()
    for name, text in _SEEDS.items():
        (folder / name).write_text(text, "utf-8")
    row = f"<table:table-row><table:table-cell><text:p>{_WORDS}</text:p></table:table-cell></table:table-row>"
    content = f'<?xml version="1.0"?><office:document-content xmlns:office="{OFFICE}" xmlns:table="{TABLE}" '
    content += f'xmlns:text="{TEXT}"><office:body><office:spreadsheet><table:table table:name="Paid">{row * 20}'
    content += "</table:table></office:spreadsheet></office:body></office:document-content>"
    with zipfile.ZipFile(folder / "sheet.ods", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return sorted(folder.iterdir())
