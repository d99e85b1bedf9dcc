"""From the sign-in to the exported list in a real browser: by mouse, by keyboard alone, on a phone."""

import re

import pytest
from playwright.sync_api import expect

from foundation.test_exports import read
from support import factories
from support.world import donor_id, patient_gl, patient_haplotypes

LOCI = ("A", "C", "B", "DRB1", "DQB1")


@pytest.fixture(autouse=True)
def _site(live_server, world):
    """The world on a live server, before any page is opened."""
    return world


def enter(page, who):
    page.goto("/accounts/login/")
    page.get_by_label("用户名").fill(who)
    page.get_by_label("密码", exact=True).fill(factories.PASSWORD)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page).not_to_have_url(re.compile("login"))


def fill_loci(page):
    for side, haplotype in enumerate(patient_haplotypes(), 1):
        for locus in LOCI:
            page.get_by_label(f"HLA-{locus} {side}", exact=True).fill(haplotype[locus].split("*")[1])


def open_form(page):
    page.get_by_role("link", name="患者检索").first.click()
    page.get_by_role("link", name="新建检索").first.click()


def lines(page):
    return page.locator("#results tbody tr:not(.x-detail)")


def search(page, reference="BR-1", pasted=None):
    page.get_by_label("院内编号").fill(reference)
    if pasted:
        page.get_by_label("GL String").fill(pasted)
    else:
        fill_loci(page)
    page.get_by_role("button", name="检索", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(reference)


def export(page, tmp_path):
    with page.expect_download() as waiting:
        page.get_by_role("link", name="导出Excel").click()
    download = waiting.value
    path = tmp_path / "list.xlsx"
    download.save_as(path)
    _name, rows = read(path.read_bytes())
    top = next(number for number, row in enumerate(rows) if "GRID" in row)
    return download.suggested_filename, rows[top], rows[top + 1 :]


def fits(page):
    """No page is wider than its window."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


@pytest.mark.parametrize("way", ["five loci", "pasted", "pasted full width"])
def test_from_sign_in_to_the_exported_list(page, tmp_path, world, way):
    enter(page, "dora")
    open_form(page)
    gl = patient_gl()
    full = gl.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    search(page, pasted={"five loci": None, "pasted": gl, "pasted full width": full}[way])
    assert lines(page).count() > 5
    grid = world.donor("nine").grid_print
    row = lines(page).filter(has_text=grid)
    expect(row).to_have_count(1)
    row.get_by_role("button", name="说明").click()
    expect(page.get_by_text("正好有9个相合")).to_be_visible()
    expect(page.get_by_role("region", name="逐个位点").first).to_be_visible()
    row.get_by_role("button", name="说明").click()
    expect(page.get_by_text("正好有9个相合")).to_be_hidden()
    name, header, rows = export(page, tmp_path)
    assert name.startswith("匹配结果-BR-1")
    assert name.endswith(".xlsx")
    grids = [one[header.index("GRID")] for one in rows]
    assert world.donor("exact").grid in grids
    assert world.donor("nine").grid in grids
    assert world.donor("retired").grid not in grids


def press_to(page, role, name, limit=60):
    """Tab until the wanted control has the focus, as somebody without a mouse does."""
    for _ in range(limit):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => { const e = document.activeElement;
                return [e.tagName.toLowerCase(), (e.getAttribute("aria-label") || e.innerText || e.value || "").trim(), e.id, e.name || ""]; }"""
        )
        if focused[0] == role and (name in focused[1] or name == focused[3] or name in focused[2]):
            ring = page.evaluate(
                """() => { const s = getComputedStyle(document.activeElement);
                    return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none"; }"""
            )
            assert ring, f"the focus does not show on {role} {name}"
            return
    raise AssertionError(f"no {role} {name} within {limit} steps")


def test_by_keyboard_alone(page, tmp_path, world):
    page.goto("/accounts/login/")
    press_to(page, "input", "login")
    page.keyboard.type("dora")
    press_to(page, "input", "password")
    page.keyboard.type(factories.PASSWORD)
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(re.compile("login"))
    press_to(page, "a", "跳到正文", limit=2)
    press_to(page, "a", "患者检索")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/")
    press_to(page, "a", "新建检索")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search/new/")
    press_to(page, "input", "reference")
    page.keyboard.type("KB-1")
    press_to(page, "textarea", "gl", limit=3)
    page.keyboard.type(patient_gl())
    press_to(page, "button", "检索")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("KB-1")
    press_to(page, "button", "说明")
    page.keyboard.press("Enter")
    expect(page.get_by_text("十个等位基因中").first).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_text("十个等位基因中").first).to_be_hidden()


def test_on_a_phone_nothing_is_wider_than_the_screen(phone, world):
    phone.goto("/accounts/login/")
    fits(phone)
    enter(phone, "dora")
    fits(phone)
    for address in ("/search/", "/search/new/"):
        phone.goto(address)
        fits(phone)
    search(phone, "PH-1")
    fits(phone)
    assert lines(phone).count() > 5
    button = lines(phone).first.get_by_role("button", name="说明")
    box = button.bounding_box()
    assert box["height"] >= 24, "too small to hit with a finger"
    button.click()
    expect(phone.get_by_text("十个等位基因中").first).to_be_visible()
    fits(phone)


def test_the_registers_pages_on_a_phone(phone):
    enter(phone, "alice")
    for address in (
        "/",
        "/donors/",
        "/donors/new/",
        f"/donors/{donor_id('exact')}/",
        f"/donors/{donor_id('exact')}/typing/",
    ):
        phone.goto(address)
        fits(phone)


def test_what_the_officer_records_the_coordinators_next_search_shows(open_page, world):
    desk, clinic = open_page(), open_page()
    enter(clinic, "dora")
    open_form(clinic)
    search(clinic, "CH-1", patient_gl())
    grid = world.donor("untyped").grid_print
    expect(lines(clinic).filter(has_text=grid)).to_have_count(0)

    enter(desk, "alice")
    desk.goto(f"/donors/{donor_id('untyped')}/")
    desk.get_by_role("link", name="记录新分型").click()
    desk.get_by_label("GL String").fill(patient_gl())
    desk.get_by_role("button", name="保存").click()
    expect(desk.get_by_text("现用")).to_be_visible()

    clinic.reload()
    row = lines(clinic).filter(has_text=grid)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("10 / 10")


def test_an_error_is_shown_beside_its_field_and_the_rest_is_kept(page, tolerated):
    tolerated.append("400")
    enter(page, "dora")
    open_form(page)
    page.get_by_label("院内编号").fill("13812345678")
    fill_loci(page)
    page.get_by_label("HLA-B 2", exact=True).fill("99:99")
    page.get_by_role("button", name="检索", exact=True).click()
    expect(page.get_by_text("像是身份证号或手机号")).to_be_visible()
    wrong = page.get_by_label("HLA-B 2", exact=True)
    expect(wrong).to_have_attribute("aria-invalid", "true")
    told = wrong.get_attribute("aria-describedby") or ""
    assert any("不在现用的命名版本" in page.locator(f"#{one}").inner_text() for one in told.split())
    expect(page.get_by_label("HLA-A 1", exact=True)).to_have_value(patient_haplotypes()[0]["A"].split("*")[1])


def test_without_scripts_the_list_can_still_be_had(open_page, tmp_path, world):
    page = open_page(java_script_enabled=False)
    enter(page, "dora")
    open_form(page)
    search(page, "NS-1", patient_gl())
    assert lines(page).count() > 5
    _name, header, rows = export(page, tmp_path)
    assert world.donor("exact").grid in [one[header.index("GRID")] for one in rows]


def test_the_look_changes_to_english_and_to_dark(page):
    """The menu of the look works under the strict policy."""
    enter(page, "dora")
    menu = page.locator("details.x-menu summary", has_text="中文").first
    menu.click()
    page.get_by_role("button", name="English").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
