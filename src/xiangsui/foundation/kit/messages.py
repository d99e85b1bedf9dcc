"""Collects the Chinese source strings of code and templates into the English catalogue.

`python3 dev messages` runs it. Babel and Django's own template reader do the work, so GNU gettext is not needed.
With `--check` nothing is written: it fails when a string is missing from the catalogue or has no translation.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po

PACKAGE = Path(__file__).resolve().parents[2]
CATALOGUE = PACKAGE / "locale" / "en" / "LC_MESSAGES" / "django.po"
LEFT_OUT = {"migrations", "locale", "static", "node_modules", "__pycache__"}
COMMENT = "Translators:"

_CONTEXT = ((1, "c"), 2)
KEYWORDS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop")),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (1, 2)),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), _CONTEXT),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), (*_CONTEXT, 3)),
}


def sources(package: Path = PACKAGE) -> Iterator[tuple[Path, bytes]]:
    """Every file that may hold strings, as the Python text that they are read from."""
    from django.utils.translation.template import templatize

    for path in sorted([*package.rglob("*.py"), *package.rglob("*.html"), *package.rglob("*.txt")]):
        folders = path.relative_to(package).parts[:-1]
        if LEFT_OUT.intersection(folders):
            continue
        if path.suffix == ".py":
            yield path, path.read_bytes()
        elif "templates" in folders:
            yield path, templatize(path.read_text(encoding="utf-8"), origin=str(path)).encode()


def collect(package: Path = PACKAGE) -> Catalog:
    """A catalogue without translations of everything that is marked for one."""
    found = Catalog(domain="django")
    for path, text in sources(package):
        place = path.relative_to(package.parent).as_posix()
        for _line, message, comments, context in extract(
            "python", io.BytesIO(text), KEYWORDS, [COMMENT], {"encoding": "utf-8"}
        ):
            found.add(message, locations=[(place, 0)], auto_comments=comments, context=context)
    return found


def renewed(path: Path = CATALOGUE, package: Path = PACKAGE) -> tuple[Catalog, bytes]:
    """The catalogue at `path` with today's strings: translations kept, what is gone removed."""
    if path.exists():
        catalogue = read_po(io.BytesIO(path.read_bytes()), locale="en", domain="django")
    else:
        catalogue = Catalog(locale="en", domain="django", project="xiangsui", fuzzy=False)
        catalogue.header_comment = "# English for Xiangsui. `python3 dev messages` renews this file."
    template = collect(package)
    template.creation_date = catalogue.creation_date
    header = catalogue.header_comment
    catalogue.update(template, no_fuzzy_matching=True)
    catalogue.header_comment, catalogue.fuzzy = header, False
    out = io.BytesIO()
    write_po(out, catalogue, width=100, ignore_obsolete=True, include_lineno=False, sort_output=True)
    return catalogue, out.getvalue()


def untranslated(catalogue: Catalog) -> list[str]:
    """The strings that have no translation, or lack one of their plural forms."""
    found = []
    for message in catalogue:
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        if message.id and (message.fuzzy or not all(forms)):
            found.append(message.id if isinstance(message.id, str) else message.id[0])
    return found


def main(arguments: list[str]) -> int:
    """Renews the catalogue, or only looks at it."""
    before = CATALOGUE.read_bytes() if CATALOGUE.exists() else b""
    catalogue, text = renewed()
    blank = untranslated(catalogue)
    if "--check" not in arguments:
        CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
        CATALOGUE.write_bytes(text)
        print(f"{len(catalogue)} 条 strings, {len(blank)} 条待译 untranslated: {CATALOGUE.name}")
        return 0
    for string in blank:
        print(f"untranslated: {string}")
    known = read_po(io.BytesIO(before), locale="en", domain="django") if before else Catalog()
    stale = {(m.id, m.context) for m in catalogue} != {(m.id, m.context) for m in known} and len(catalogue) > 0
    if stale:
        print("the catalogue is not up to date: run `python3 dev messages`")
    return 1 if blank or stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
