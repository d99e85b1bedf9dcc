"""The form of a new search: what laboratories and input methods leave in it is understood; identities are refused."""

import re

import pytest
from django.urls import reverse
from django_scopes import scopes_disabled

from support.world import patient_gl, patient_haplotypes
from xiangsui.programme.patients.forms import LOCI, SearchForm, half_width
from xiangsui.programme.patients.models import SearchRequest

FULL = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


pytestmark = pytest.mark.django_db


def form(**fields):
    return SearchForm({"reference": "P-1", **fields})


def five(**changes):
    first, second = patient_haplotypes()
    data = {f"{locus}_{side}": one[locus].split("*")[1] for locus in LOCI for side, one in ((1, first), (2, second))}
    return {**data, **changes}


@pytest.mark.parametrize(
    "pasted",
    [
        patient_gl(),
        patient_gl().translate(FULL),
        f"  {patient_gl()}\n",
        patient_gl().replace("^", "\n^ ").replace("+", " + "),
        patient_gl().replace("^", "\u3000^\u3000"),
        patient_gl().replace("^", "\u00a0^\t"),
        "HLA-" + patient_gl().replace("^", "^HLA-").replace("+", "+HLA-"),
    ],
)
def test_a_pasted_line_is_read(pasted):
    filled = form(gl=pasted)
    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data["typing"].replace("HLA-", "") == patient_gl()


def test_five_loci_make_the_same_typing():
    filled = form(**five())
    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data["typing"] == patient_gl()


def test_fields_understand_names_lists_blanks_and_full_width():
    first, second = patient_haplotypes()
    filled = form(
        A_1=f" {first['A']} ".translate(FULL),
        A_2=second["A"].split("*")[1],
        B_1=first["B"].split("*")[1] + " / " + second["B"].split("*")[1],
        DRB1_1=first["DRB1"].split("*")[1].split(":")[0] + ":XX",
    )
    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data["typing"] == (
        f"{first['A']}+{second['A']}^{first['B']}/{second['B']}+^DRB1*{first['DRB1'].split('*')[1].split(':')[0]}:XX+"
    )


def test_only_the_second_field_filled_is_the_same_as_only_the_first():
    allele = patient_haplotypes()[0]["A"].split("*")[1]
    left, right = form(**five(A_1=allele, A_2="")), form(**five(A_1="", A_2=allele))
    assert left.is_valid()
    assert right.is_valid()
    assert left.cleaned_data["typing"] == right.cleaned_data["typing"]


def test_nothing_at_all_asks_for_something():
    empty = form()
    assert not empty.is_valid()
    assert "__all__" in empty.errors
    assert not form(gl="  \n ").is_valid()


def test_the_pasted_line_counts_where_both_are_filled():
    filled = form(gl=patient_gl(), A_1="nonsense")
    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data["typing"] == patient_gl()


@pytest.mark.parametrize("locus", LOCI)
@pytest.mark.parametrize("side", [1, 2])
@pytest.mark.parametrize(
    "wrong", ["99:99", "02", "0201", "abc", "02:01:", "02:01+02:06", "02:01?", "QQ*01:01", "DPB1*99"]
)
def test_an_error_stands_beside_the_field_it_comes_from(locus, side, wrong):
    filled = form(**five(**{f"{locus}_{side}": wrong}))
    assert not filled.is_valid()
    if wrong == "02:01+02:06":  # three alleles: the excess begins in this field or the next one
        assert set(filled.errors) <= {f"{locus}_1", f"{locus}_2"}
    else:
        assert list(filled.errors) == [f"{locus}_{side}"]


@pytest.mark.parametrize("locus", LOCI)
def test_a_place_counts_in_the_field_and_not_in_the_line_made_of_all(locus):
    filled = form(**five(**{f"{locus}_2": "02:0?"}))
    [message] = filled.errors[f"{locus}_2"]
    place = re.search(r"第(\d+)个字符", message)
    assert place is None or int(place[1]) <= len(f"{locus}*02:0?")


def test_an_allele_of_another_locus_in_a_field_is_refused_there():
    first, _second = patient_haplotypes()
    filled = form(**five(A_2=first["B"]))
    assert not filled.is_valid()
    assert set(filled.errors) <= {"A_1", "A_2"}


def test_a_whole_typing_in_one_field_does_not_slip_through_as_something_else():
    filled = form(**five(A_1=patient_gl()))
    assert not filled.is_valid()


def test_an_error_in_the_pasted_line_stands_there_with_its_place():
    filled = form(gl=patient_gl() + "^DPB1*4:1")
    assert list(filled.errors) == ["gl"]
    assert "第" in str(filled.errors["gl"])


IDENTITIES = [
    "11010119900307875X",
    "11010519491231002X",
    "110101900307875",  # the 15 digits of before 1999
    "13812345678",
    "电话13812345678",
    "138 1234 5678",
    "138-1234-5678",
    "+8613812345678",
    "１３８１２３４５６７８",
    "110101 19900307 875x",
]


@pytest.mark.parametrize("reference", IDENTITIES)
def test_what_looks_like_an_identity_is_refused(reference):
    filled = SearchForm({"reference": reference, "gl": patient_gl()})
    assert not filled.is_valid()
    assert list(filled.errors) == ["reference"]


@pytest.mark.parametrize("reference", ["P-2026-0017", "BMT 26/117", "甲-12", "20261121-03", "=1+1", "床12"])
def test_a_hospitals_own_number_is_taken(reference):
    assert SearchForm({"reference": reference, "gl": patient_gl()}).is_valid()


def test_half_width_leaves_chinese_alone():
    assert half_width("编号：Ａ１２　甲") == "编号:A12 甲"


# ---------------------------------------------------------------- the page


def test_a_search_is_stored_for_the_hospital_and_shown(sign_in, world):
    dora = sign_in("dora")
    answer = dora.post(reverse("patients:new"), {"reference": "P-77", "gl": patient_gl()})
    assert answer.status_code == 302
    with scopes_disabled():
        stored = SearchRequest.objects.get(reference="P-77")
    assert (stored.organisation, stored.requested_by) == (world.orgs["H1"], world.users["dora"])
    assert dora.get(answer["Location"]).status_code == 200


def test_a_refused_form_keeps_what_was_typed(sign_in):
    data = {"reference": "P-77", "gl": "", **five(B_2="99:99")}
    answer = sign_in("dora").post(reverse("patients:new"), data)
    page = answer.content.decode()
    assert answer.status_code == 400
    for value in five(B_2="99:99").values():
        assert f'value="{value}"' in page
    assert 'aria-invalid="true"' in page
    with scopes_disabled():
        assert not SearchRequest.objects.filter(reference="P-77").exists()


def test_markup_in_a_field_comes_back_as_text(sign_in):
    answer = sign_in("dora").post(
        reverse("patients:new"), {"reference": "<script>alert(1)</script>", "gl": "<img src=x onerror=alert(1)>"}
    )
    page = answer.content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_nul_and_enormous_input_are_refused(sign_in):
    dora = sign_in("dora")
    for gl in ("\x00", "A*02:01/" * 5_000, "^" * 19_999, "A*02:01+" * 2_000, "|" * 100):
        assert dora.post(reverse("patients:new"), {"reference": "P-1", "gl": gl}).status_code == 400


@pytest.mark.parametrize("who", ["alice", "paula", "adam", "lena"])
def test_only_a_hospitals_coordinator_asks(sign_in, who):
    client = sign_in(who)
    assert client.get(reverse("patients:new")).status_code == 403
    assert client.post(reverse("patients:new"), {"reference": "P-1", "gl": patient_gl()}).status_code == 403
