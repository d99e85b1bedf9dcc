"""What every page keeps to: a strict policy, nothing inline, marked-up headings and forms, one language at a time."""

import re
from html.parser import HTMLParser

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from faces.test_access import TABLE, account_address, account_names, address
from support.world import CAST, TREE

WHO = {
    "home": "dora",
    "jobs": "adam",
    "design": "adam",
    "patients:list": "dora",
    "patients:new": "dora",
    "patients:detail": "dora",
    "patients:explain": "dora",
    "donors:list": "alice",
    "donors:new": "alice",
    "donors:detail": "alice",
    "donors:typing": "alice",
    "donors:find": "alice",
    "donors:transfers": "alice",
    "donors:step": "alice",
    "donors:transfer": "alice",
    "donors:national": "alice",
    "office:rules": "alice",
    "office:rule": "adam",
    "office:workflows": "alice",
    "office:organisations": "alice",
    "office:organisation": "alice",
    "office:indicators": "alice",
    "office:indicator": "alice",
    "office:story": "alice",
}
CHINESE = re.compile(r"[\u4e00-\u9fff]+")


def test_every_page_is_looked_at():
    assert set(WHO) == {name for name, (allowed, _missing) in TABLE.items() if allowed}


class Page(HTMLParser):
    """What a page is made of."""

    VOID = {"meta", "link", "input", "br", "img", "hr", "use", "path", "circle", "rect"}

    def __init__(self, html):
        super().__init__()
        self.inline, self.handlers, self.styles, self.ids, self.elsewhere = [], [], [], [], []
        self.headings, self.images, self.words, self.attributes = [], [], [], []
        self.lang, self.title, self._inside = "", "", []
        self.labelled, self.controls = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self._inside.append((tag, found))
        if tag == "html":
            self.lang = found.get("lang", "")
        if tag == "script" and not found.get("src") and found.get("type") not in {"application/json"}:
            self.inline.append(self.get_starttag_text())
        if tag == "style":
            self.styles.append(self.get_starttag_text())
        for name, value in attributes:
            if name.startswith("on"):
                self.handlers.append(self.get_starttag_text())
            if name == "style":
                self.styles.append(self.get_starttag_text())
            if name in {"src", "href", "action"} and re.match(r"(https?:)?//|javascript:|data:text", value or ""):
                self.elsewhere.append(value)
            if name in {
                "title",
                "aria-label",
                "placeholder",
                "alt",
                "value",
                "content",
                "data-label",
            } or name.startswith("data-"):
                self.attributes.append(value or "")
        if found.get("id"):
            self.ids.append(found["id"])
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "img" and "alt" not in found:
            self.images.append(self.get_starttag_text())
        if tag == "label" and found.get("for"):
            self.labelled.add(found["for"])
        if tag in {"input", "select", "textarea"} and found.get("type") not in {"hidden", "submit"}:
            self.controls.append(found)
        if tag in self.VOID:
            self._inside.pop()

    def handle_endtag(self, tag):
        while self._inside and self._inside.pop()[0] != tag:
            pass

    def handle_data(self, data):
        tags = {tag for tag, _found in self._inside}
        if "script" in tags or "style" in tags:
            if data.strip() and not any(found.get("type") == "application/json" for _tag, found in self._inside):
                self.inline.append(data.strip()[:60])
            return
        if any((found.get("lang") or "").startswith("zh") for tag, found in self._inside if tag != "html"):
            return  # the name of the language itself
        if any(found.get("aria-hidden") == "true" for _tag, found in self._inside):
            return  # the initial of a person's name
        if "title" in tags:
            self.title += data
        self.words.append(data)


@pytest.fixture
def look(sign_in, world):
    def at(name, who=None, **headers):
        answer = sign_in(WHO[name] if who is None else who).get(address(name, world), **headers)
        assert answer.status_code == 200
        return answer, Page(answer.content.decode())

    return at


def policy(answer):
    parts = [part.strip().split() for part in answer["Content-Security-Policy"].split(";") if part.strip()]
    return {name: values for name, *values in parts}


def strict(answer):
    found = policy(answer)
    assert found["default-src"] == ["'none'"]
    assert found["frame-ancestors"] == ["'none'"]
    assert found["base-uri"] == ["'none'"]
    for name, values in found.items():
        assert not {"'unsafe-inline'", "'unsafe-eval'", "*", "https:", "http:"} & set(values), name
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("name", WHO)
def test_policy_and_nothing_inline(look, name):
    answer, page = look(name)
    strict(answer)
    assert page.inline == []
    assert page.handlers == []
    assert page.styles == []
    assert page.elsewhere == []


@pytest.mark.parametrize("path", ["/accounts/login/", "/nothing/", "/healthz"])
def test_policy_for_visitors(db, path):
    answer = Client().get(path)
    strict(answer)
    page = Page(answer.content.decode())
    assert [page.inline, page.handlers, page.styles, page.elsewhere] == [[], [], [], []]


@pytest.mark.parametrize("name", account_names())
def test_account_pages_keep_to_it_too(sign_in, name):
    for who in (None, "alice"):
        answer = sign_in(who).get(account_address(name))
        if answer.status_code >= 300 and answer.status_code < 400:
            continue
        strict(answer)
        page = Page(answer.content.decode())
        assert [page.inline, page.handlers, page.styles, page.elsewhere] == [[], [], [], []]
        assert page.lang == "zh-CN", "drawn by our layout"
        assert page.headings.count(1) == 1


def test_refusals_keep_to_it_too(sign_in, world):
    answer = sign_in("nina").get(reverse("donors:list"))
    assert answer.status_code == 403
    strict(answer)
    page = Page(answer.content.decode())
    assert [page.inline, page.handlers, page.styles] == [[], [], []]


@pytest.mark.parametrize("name", WHO)
def test_a_page_is_well_made(look, name):
    _answer, page = look(name)
    assert page.lang == "zh-CN"
    assert "相髓" in page.title
    assert len(page.title) > len(" · 相髓")
    assert page.headings.count(1) == 1
    assert page.headings[0] == 1 or name == "design"
    doubled = {one for one in page.ids if page.ids.count(one) > 1}
    assert not doubled
    assert page.images == []
    nameless = [c for c in page.controls if c.get("id") not in page.labelled and not c.get("aria-label")]
    if name != "design":
        assert not nameless


@pytest.mark.parametrize("name", WHO)
def test_icons_are_in_the_sheet(look, name):
    from pathlib import Path

    from xiangsui.foundation.screens import apps

    sheet = (Path(apps.__file__).parent / "static" / "screens" / "icons.svg").read_text()
    known = set(re.findall(r'id="([\w-]+)"', sheet))
    answer, _page = look(name)
    used = set(re.findall(r'icons\.svg#([\w-]+)"', answer.content.decode()))
    assert used <= known


def test_files_of_the_head_are_served(db):
    page = Client().get("/accounts/login/").content.decode()
    files = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page))
    assert len(files) >= 3
    for path in files:
        assert Client().get(path).status_code == 200, path


def test_navigation_shows_what_one_may_open_and_it_opens(sign_in):
    for who in CAST:
        client = sign_in(who)
        entries = client.get(reverse("home")).context["navigation"]
        for entry in entries:
            assert client.get(entry["url"]).status_code == 200, (who, entry["label"])
        addresses = {entry["url"] for entry in entries}
        for name in ("patients:list", "donors:list"):
            assert (reverse(name) in addresses) == (who in TABLE[name][0]), (who, name)


def test_one_entry_of_the_navigation_is_the_present_one(look, sign_in, world):
    for name in ("home", "patients:list", "donors:list"):
        answer, _page = look(name)
        assert [entry["url"] for entry in answer.context["navigation"] if entry["active"]] == [reverse(name)]


def test_links_within_pages_lead_somewhere(look, sign_in, world):
    for name, who in WHO.items():
        if name == "design":
            continue
        answer, _page = look(name)
        client = sign_in(who)
        links = set(re.findall(r'href="(/[^"#]*|\?[^"]*)"', answer.content.decode()))
        # Of fifty rows one is enough.
        kinds = {re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", link): link.replace("&amp;", "&") for link in sorted(links)}
        for link in kinds.values():
            if link.startswith("/static/"):
                continue
            target = link if link.startswith("/") else address(name, world) + link
            assert client.get(target).status_code in {200, 302}, (name, link)


# ---------------------------------------------------------------- language


def catalogue():
    return any(path.joinpath("en", "LC_MESSAGES", "django.po").exists() for path in django_settings.LOCALE_PATHS)


english = pytest.mark.skipif("not __import__('faces.test_pages', fromlist=['x']).catalogue()", reason="no English yet")
NAMES = [name for _code, name, _kind, _parent in TREE] + [name for name, _role, _place in CAST.values()]


@english
@pytest.mark.parametrize("name", sorted(set(WHO) - {"design"}))  # the gallery is for those who build
def test_in_english_no_chinese_is_left_but_names(look, name, world):
    _answer, page = look(name, HTTP_ACCEPT_LANGUAGE="en")
    assert page.lang == "en"
    words = "\n".join([*page.words, *page.attributes])
    for own in NAMES:
        words = words.replace(own, "")
    assert CHINESE.findall(words) == []


@english
def test_errors_and_exports_in_english(sign_in, world):
    from foundation.test_exports import read

    headers = {"HTTP_ACCEPT_LANGUAGE": "en"}
    dora = sign_in("dora")
    pages = [
        dora.get("/nothing/", **headers),
        dora.get(reverse("donors:list"), **headers),
        dora.post(reverse("patients:new"), {"reference": "13812345678", "A_1": "99:99", "B_1": "x"}, **headers),
        Client().get("/accounts/login/", **headers),
    ]
    for answer in pages:
        page = Page(answer.content.decode())
        words = "\n".join([*page.words, *page.attributes])
        for own in NAMES:
            words = words.replace(own, "")
        assert CHINESE.findall(words) == []
    answer = dora.get(reverse("patients:detail", args=[world.request.uuid]), {"export": "xlsx"}, **headers)
    _sheet, rows = read(answer.content)
    assert CHINESE.findall("\n".join(str(cell) for row in rows for cell in row)) == []


@english
def test_the_choice_of_language_is_kept(sign_in):
    dora = sign_in("dora")
    dora.post(reverse("set_language"), {"language": "en", "next": "/"})
    page = Page(dora.get(reverse("home")).content.decode())
    assert page.lang == "en"


def test_the_choice_of_language_leads_nowhere_else(sign_in):
    answer = sign_in("dora").post(reverse("set_language"), {"language": "en", "next": "https://evil.example/"})
    assert "evil" not in answer["Location"]


def test_chinese_is_the_source_and_the_default(db):
    assert Page(Client().get("/accounts/login/").content.decode()).lang == "zh-CN"
    assert Page(Client().get("/accounts/login/", HTTP_ACCEPT_LANGUAGE="fr").content.decode()).lang == "zh-CN"
    assert translation.get_language() == "zh-hans"


# ---------------------------------------------------------------- when something breaks


def test_a_fault_is_a_page_without_a_traceback(sign_in, monkeypatch):
    from xiangsui.programme.patients import selectors

    def broken(**_):
        raise RuntimeError("秘密的内部情况")

    monkeypatch.setattr(selectors, "requests_visible", broken)
    client = sign_in("dora")
    client.raise_request_exception = False
    answer = client.get(reverse("patients:list"))
    assert answer.status_code == 500
    page = answer.content.decode()
    assert "秘密" not in page
    assert "Traceback" not in page
    assert "系统出错" in page
    strict(answer)


def test_the_jobs_page_and_the_home_page_show_running_work(sign_in, world):
    from support import factories

    factories.job(kind="asked.for", state="running", done=3, total=10)
    for who in ("adam", "paula"):
        page = sign_in(who).get(reverse("jobs"))
        assert page.status_code == 200
        assert "asked.for" in page.content.decode()
        assert sign_in(who).get(reverse("jobs"), HTTP_HX_REQUEST="true").status_code == 200
    assert sign_in("alice").get(reverse("home"), HTTP_HX_REQUEST="true").status_code == 200
