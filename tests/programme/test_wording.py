"""Every error and reason of the engine has words of its own; every probability is told as what it is."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import hlaengine
from hlaengine import errors, typings
from xiangsui.programme.hla import explain, wording

ENGINE = Path(hlaengine.__file__).parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def raised_in(*names):
    """The codes that these files of the engine raise."""
    text = "".join((ENGINE / name).read_text() for name in names)
    return sorted(set(re.findall(r'"((?:typing|index|search)\.[a-z_]+)"', text)))


WRONG = {
    "typing.empty": "",
    "typing.empty_genotype": "A*+",
    "typing.bad_character": "A*02:0?",
    "typing.bad_name": "0201",
    "typing.bad_fields": "A*2",
    "typing.unknown_code": "A*02:ABCD",
    "typing.unknown_locus": "Q*01:01",
    "typing.mixed_loci": "A*02:01/B*07:02",
    "typing.locus_repeated": "A*02:01^A*11:01",
    "typing.too_many_alleles": "A*02:01+A*02:01+A*02:01",
    "typing.doubled_operator": "A*02:01^^B*07:02",
}


@pytest.mark.parametrize("code", raised_in("typings.py", "nomenclature.py"))
def test_each_code_of_a_typing_is_worded(code):
    assert code in wording._ERRORS


def fault_of(text):
    try:
        typings.parse(text)
    except errors.HlaError as error:
        return error
    return None


def test_real_errors_come_out_in_chinese_with_all_values_filled_in():
    seen = set()
    texts = [
        *WRONG.values(),
        "-",
        "+",
        "^",
        "|",
        "A*02:01+",
        "A",
        "A*02:01~B*07:02+A*02:01",
        "A*02:01|B*07:02",
        "A**02:01",
    ]
    for text in texts:
        error = fault_of(text)
        if error is None:
            continue
        refusal = wording.refusal(error, text)
        assert CHINESE.search(str(refusal)), (text, error.code)
        assert "%(" not in str(refusal)
        assert str(error) not in str(refusal), f"{error.code} falls back to the engine's English"
        assert refusal.status == 400
        assert refusal.code == error.code
        seen.add(error.code)
    assert seen >= set(WRONG) - {"typing.empty_genotype"}


def test_the_place_is_counted_from_one():
    with pytest.raises(errors.HlaError) as caught:
        typings.parse("A*02:01+A*0?:01")
    refusal = wording.refusal(caught.value, "A*02:01+A*0?:01")
    assert str(refusal).startswith(f"第{'A*02:01+A*0?:01'.index('?') + 1}个字符处")


@pytest.mark.parametrize("code", raised_in("index.py", "search.py", "segment.py"))
def test_each_code_of_index_and_search_comes_out_in_chinese(code):
    error = errors.HlaError(code, "An English sentence.", file="/srv/index/manifest.json", frequency_set="x", donor="d")
    refusal = wording.refusal(error, "")
    assert CHINESE.search(str(refusal)), code
    assert "English" not in str(refusal)
    assert "/srv" not in str(refusal)


def test_each_reason_is_worded():
    text = "".join(path.read_text() for path in ENGINE.glob("*.py"))
    reasons = set(re.findall(r'"((?:allele|no|new|patient)_[a-z_]+)"', text)) & {
        "allele_not_in_set",
        "no_haplotype_pair",
        "new_allele",
        "patient_unexplained",
    }
    assert len(reasons) == 4
    for code in reasons:
        assert CHINESE.search(wording.reason(code))


@given(st.floats(0, 1))
@example(5e-324)
@example(1 - 2**-53)
@example(0.99995)
@example(0.9999)
@example(0.99994999)
@example(0.09999)
@example(0.9949999)
@example(0.00005)
def test_never_certain_unless_exactly_so(value):
    text = explain.probability_text(value)
    # The engine's kernels agree to 1e-12: nearer than that is exact.
    if 1e-12 <= value <= 1 - 1e-12:
        assert float(text.strip("<>%")) not in (0.0, 100.0)
    else:
        assert text == f"{round(value):.0%}"


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_shown_order_is_the_order(first, second):
    def shown(value):
        text = explain.probability_text(value)
        return float(text.strip("<>%")) + (0.001 if text.startswith(">") else -0.001 if text.startswith("<") else 0)

    low, high = sorted((first, second))
    assert shown(low) <= shown(high) + 0.06  # one decimal place in the middle, two at the ends


def test_no_probability_is_a_dash():
    assert explain.probability_text(None) == "—"


@pytest.mark.parametrize("value", [1 + 2e-16, 1.0000000001, -1e-18])
def test_rounding_of_sums_does_not_show(value):
    assert explain.probability_text(value) in {"100%", ">99.99%", "0%", "<0.01%"}


# ---------------------------------------------------------------- sentences


def locus(low, high, patient="x", donor="y", both=0.5):
    return SimpleNamespace(possible_min=low, possible_max=high, patient=patient, donor=donor, both=both, one=0.2)


def hit(loci, p_10=0.5, p_9=0.3, reason=None):
    values = dict(zip(explain.LOCI, loci, strict=True))
    typed = [one for one in loci if one.donor]
    return SimpleNamespace(
        loci=values,
        count_min=sum(one.possible_min for one in loci),
        count_max=sum(one.possible_max for one in loci),
        typed_loci=len(typed),
        p_10=p_10,
        p_9=p_9,
        reason=reason,
    )


def test_a_full_match_is_told_in_one_count_and_one_probability():
    lines = explain.sentences(hit([locus(2, 2)] * 5, 1.0, 0.0))
    assert lines == [
        "十个等位基因中，按现有分型正好有10个相合。",
        "按频率集推算：十个全相合的概率为100%，正好九个相合的概率为0%。",
    ]


def test_a_mismatch_names_its_locus():
    lines = explain.sentences(hit([locus(1, 1), *[locus(2, 2)] * 4], 0.0, 1.0))
    assert "正好有9个" in lines[0]
    assert "A" in lines[1]
    assert "不合" in lines[1]


def test_two_mismatches_at_one_locus_are_not_called_one():
    lines = explain.sentences(hit([locus(0, 0), *[locus(2, 2)] * 4], 0.0, 0.0))
    assert not any("一个不" in line for line in lines)


def test_what_is_open_and_what_is_untyped_are_told_apart():
    loci = [locus(1, 2), locus(0, 2, donor=""), locus(2, 2), locus(2, 2), locus(0, 2, patient="")]
    lines = explain.sentences(hit(loci))
    assert "最少5个、最多10个" in lines[0]
    [opened] = [line for line in lines if "多种可能" in line]
    [untyped] = [line for line in lines if "没有分型" in line or "未检测" in line or "没有检测" in line]
    assert "A" in opened
    assert "C" in untyped
    assert "DQB1" in untyped
    assert "C" not in opened.replace("HLA-C", "")


def test_without_a_probability_the_reason_stands_there():
    lines = explain.sentences(hit([locus(2, 2)] * 5, None, None, "no_haplotype_pair"))
    assert lines[-1] == wording.reason("no_haplotype_pair")


def test_cells_add_up_to_the_counts():
    for low in range(3):
        for high in range(low, 3):
            cells = explain._cells(low, high, typed=True)
            assert len(cells) == 2
            assert cells.count("mismatch") == 2 - high
            assert cells.count("possible") == high - low
    assert explain._cells(0, 2, typed=False) == ("untyped", "untyped")


def test_cells_are_states_that_the_style_sheet_knows():
    from xiangsui.foundation.screens import apps

    css = (Path(apps.__file__).parent / "static" / "screens" / "app.css").read_text()
    known = set(re.findall(r'data-state="?([a-z]+)', css))
    made = {cell for low in range(3) for high in range(low, 3) for cell in explain._cells(low, high, typed=True)}
    assert made | {"untyped"} <= known
