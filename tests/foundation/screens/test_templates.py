"""The look keeps its promises: strict policy, contrast, built files that match hashes and templates."""

import hashlib
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCREENS = ROOT / "src/xiangsui/foundation/screens"
BUILT = SCREENS / "static/screens"
TEMPLATES = sorted((ROOT / "src/xiangsui").glob("**/templates/**/*.html"))
NAMES = [str(path.relative_to(ROOT / "src/xiangsui")) for path in TEMPLATES]


def without_comments(text):
    return re.sub(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", "", text, flags=re.S)


FORBIDDEN = {
    "an inline style": r"<style|\sstyle\s*=",
    "an inline script": r"<script(?![^>]*(\bsrc=|type=\"application/json\"))[^>]*>",
    "an inline handler": r"\son[a-z]+\s*=",
    "an htmx expression": r"\shx-on|\shx-vals=[\"']js:|\shx-vars|\shx-headers=[\"']js:|hx-trigger=\"[^\"]*\[",
    "a script address": r"javascript:",
    "something from another host": r"(src|href|action)=[\"'](https?:)?//",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)
def test_the_content_security_policy_holds(path):
    text = without_comments(path.read_text())
    for what, pattern in FORBIDDEN.items():
        found = re.search(pattern, text, re.I)
        assert not found, f"{what}: {text[max(0, found.start() - 40) : found.end() + 40]!r}"


@pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)
def test_chinese_is_marked_for_translation(path):
    if path.name == "gallery.html":
        return  # invented data, for those who build
    text = without_comments(path.read_text())
    text = re.sub(r"\{% blocktranslate.*?%\}.*?\{% endblocktranslate %\}|\{%.*?%\}", "", text, flags=re.S)
    found = re.search(r"[\u4e00-\u9fff]+", text)
    assert not found, f"not in {{% translate %}}: {found.group()}"


def test_the_built_files_are_those_that_were_built():
    recorded = json.loads((BUILT / "build.json").read_text())["sha256"]
    assert set(recorded) == {"app.css", "app.js", "charts.js", "icons.svg", "theme.js"}
    for name, digest in recorded.items():
        assert hashlib.sha256((BUILT / name).read_bytes()).hexdigest() == digest, (
            f"{name}: cd frontend && npm run build"
        )


def test_nothing_built_loads_from_elsewhere():
    css = (BUILT / "app.css").read_text()
    assert not re.findall(r"url\(|@import", css)
    assert "unsafe" not in css


def test_every_class_of_a_template_is_in_the_style_sheet():
    """Otherwise the style sheet is older than the template: cd frontend && npm run build."""
    css = re.sub(r"\\(.)", r"\1", (BUILT / "app.css").read_text())
    missing = set()
    for path in TEMPLATES:
        text = without_comments(path.read_text())
        for value in re.findall(r"\bclass=\"([^\"]*)\"", text):
            for name in re.sub(r"\{[%{].*?[%}]\}", " ", value).split():
                if not name.endswith("-") and not re.search(rf"\.{re.escape(name)}(?![\w-])", css):
                    missing.add(f"{name} ({path.name})")
    assert not missing


def test_every_icon_exists():
    known = set(re.findall(r"<symbol id=\"([\w-]+)\"", (BUILT / "icons.svg").read_text()))
    assert len(known) >= 35
    for path in (ROOT / "src/xiangsui").glob("**/*.py"):
        for name in re.findall(r"\bicon\"?(?:=|: )\"([\w-]+)\"", path.read_text()):
            assert name in known, f"{path.name}: {name} (frontend/icons.txt)"
    for path in TEMPLATES:
        for tag in re.findall(r"<c-[\w-]+[^>]*>", without_comments(path.read_text())):
            for name in re.findall(r"\sicon=\"([\w-]+)\"", tag) + re.findall(r"<c-icon[^>]*?\sname=\"([\w-]+)\"", tag):
                assert name in known, f"{path.name}: {name} (frontend/icons.txt)"


def test_the_lock_names_no_host():
    lock = (ROOT / "frontend/package-lock.json").read_text()
    assert "resolved" not in lock
    assert "://" not in lock


# --- contrast -----------------------------------------------------------------------------------------------


def themes():
    text = (ROOT / "frontend/css/themes.css").read_text()
    for block in re.findall(r"@plugin \"daisyui/theme\" \{(.*?)\n\}", text, re.S):
        name = re.search(r"name: \"([\w-]+)\"", block).group(1)
        yield name, dict(re.findall(r"--(?:color-)?([\w-]+): (#[0-9a-f]{6});", block))


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mix(colour, share, ground):
    """What color-mix(in srgb) would show; oklab differs from it by less than the margin kept here."""
    pairs = [(int(colour[i : i + 2], 16), int(ground[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


TONES = ("primary", "secondary", "accent", "info", "success", "warning", "error")


@pytest.mark.parametrize(("name", "tokens"), list(themes()))
def test_text_can_be_read(name, tokens):
    grounds = [tokens["base-100"], tokens["base-200"]]
    for ground in grounds:
        assert contrast(tokens["base-content"], ground) >= 7
        assert contrast(tokens["x-muted"], ground) >= 4.5
        for tone in TONES:
            assert contrast(tokens[tone], ground) >= 4.5, tone
    for tone in (*TONES, "neutral"):
        assert contrast(tokens[f"{tone}-content"], tokens[tone]) >= 4.5, tone
        if tone != "neutral":  # badges and alerts: the tone on a tint of itself
            assert contrast(tokens[tone], mix(tokens[tone], 0.09, tokens["base-100"])) >= 4.5, tone


@pytest.mark.parametrize(("name", "tokens"), list(themes()))
def test_signs_and_edges_can_be_seen(name, tokens):
    for token in ("x-match", "x-possible", "x-mismatch", "x-untyped", "x-control-line"):
        assert contrast(tokens[token], tokens["base-100"]) >= 3, token


def test_there_are_two_themes_with_the_same_tokens():
    (light, one), (dark, other) = themes()
    assert (light, dark) == ("xiangsui", "xiangsui-dark")
    assert set(one) == set(other)


def test_the_four_states_of_a_locus_differ_without_colour():
    css = (ROOT / "frontend/css/hla.css").read_text()
    looks = re.findall(r"\.x-cell\[data-state=\"\w+\"\] \{(.*?)\}", css, re.S)
    assert len({re.sub(r"--cell: [^;]+;", "", look).strip() for look in looks}) == 4


# --- Django -------------------------------------------------------------------------------------------------

OURS = sorted(str(path.relative_to(SCREENS / "templates")) for path in (SCREENS / "templates").glob("**/*.html"))


@pytest.mark.parametrize("name", OURS)
def test_the_template_compiles(name):
    from django.template.loader import get_template

    origin = Path(get_template(name).template.origin.name)
    assert origin.is_relative_to(SCREENS), f"shadowed by {origin}: screens stands before allauth"


@pytest.mark.parametrize("name", ["400.html", "403.html", "403_csrf.html", "404.html", "500.html"])
def test_an_error_page_needs_nothing(name):
    from django.template.loader import get_template

    assert "<h1>" in get_template(name).render()


def render(text, **context):
    from django.template import engines
    from django_cotton.compiler_regex import CottonCompiler

    return engines["django"].from_string(CottonCompiler().process(text)).render(context)


def test_components_escape_what_they_are_given():
    evil = "<script>alert('1')</script>&\""
    html = render(
        """<c-page-header title="{{ evil }}" /><c-page-header :title="evil" /><c-badge>{{ evil }}</c-badge>
        <c-stat label="{{ evil }}" :value="evil" /><c-button label="{{ evil }}" data-x="{{ evil }}" />
        <c-definition-list :items="facts" /><c-explain target="{{ evil }}" /><c-copy text="{{ evil }}" />
        <c-locus-strip :loci="loci" />""",
        evil=evil,
        facts=[(evil, evil)],
        loci=[{"name": evil, "label": evil, "cells": [evil, evil]}],
    )
    assert "<script" not in html
    assert "amp;amp;" not in html
    assert "amp;lt;" not in html


def test_the_picture_of_a_match_is_read_out():
    loci = [{"name": "A", "cells": ["matched", "mismatch"]}, {"name": "C", "cells": ["untyped", "untyped"]}]
    html = render('<c-locus-strip :loci="loci" />', loci=loci)
    assert 'role="img"' in html
    assert re.fullmatch(r"A .+\+.+, C .+\+.+", re.search(r'aria-label="([^"]+)"', html).group(1).strip())
