"""What must not change, whatever the numbers are: the engine against itself."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from . import brute, worlds
from .blackbox import run
from .test_impute import impute
from .test_match import NUMBERS, match


def numbers(found) -> dict[tuple[str, str], dict]:
    return {(patient, donor): row for patient, donor, row in found}


def same(left: dict, right: dict):
    assert set(left) == set(right)
    for pair, row in left.items():
        for name in NUMBERS:
            a, b = row[name], right[pair][name]
            assert (a is None) == (b is None)
            assert a is None or abs(a - b) <= 1e-12, (pair, name)


def turned(text: str, rng) -> str:
    """The same typing written otherwise: loci, genotypes, sides and strings in another order."""
    blocks = []
    for block in text.split("^"):
        genotypes = []
        for genotype in block.split("|"):
            one, plus, two = genotype.partition("+")
            names = []
            for side in (one, two):
                parts = side.split("/")
                rng.shuffle(parts)
                names.append("/".join(parts))
            if two in ("", "-") and rng.random() < 0.5:  # a blank written otherwise
                names[1] = rng.choice(["", "-", names[0]])
                plus = "+" if names[1] else rng.choice(["", "+"])
            elif two not in ("", "-"):
                rng.shuffle(names)
            genotypes.append(names[0] + plus + names[1])
        rng.shuffle(genotypes)
        blocks.append("|".join(genotypes))
    rng.shuffle(blocks)
    return "^".join(blocks)


@worlds.examples(35)
@given(worlds.worlds(), st.randoms(use_true_random=False))
def test_writing_order_does_not_matter(world, rng):
    other = {"frequencies": dict(world["frequencies"])}
    order = list(world["frequencies"])
    rng.shuffle(order)
    other["form"] = {"order": order}
    for who in ("patients", "donors"):
        other[who] = {name: turned(text, rng) for name, text in world[who].items()}
    same(numbers(match(world, "0")[0]), numbers(match(other, "0")[0]))


@worlds.examples(35)
@given(worlds.worlds())
def test_patient_and_donor_swapped(world):
    swapped = world | {"patients": world["donors"], "donors": world["patients"]}
    back = {(donor, patient): row for (patient, donor), row in numbers(match(swapped, "0")[0]).items()}
    same(numbers(match(world, "0")[0]), back)


@worlds.examples(22)
@given(worlds.worlds(patients=3))
def test_a_subject_does_not_depend_on_its_company(world):
    together, _ = impute(world["frequencies"], world["patients"])
    for name, text in world["patients"].items():
        alone, _ = impute(world["frequencies"], {name: text})
        assert alone[name] == together[name]


@worlds.examples(22)
@given(worlds.worlds())
def test_a_pair_does_not_depend_on_its_company(world):
    together = numbers(match(world, "0")[0])
    for patient, typing in world["patients"].items():
        alone = numbers(match(world | {"patients": {patient: typing}}, "0")[0])
        same(alone, {pair: row for pair, row in together.items() if pair[0] == patient})


@worlds.examples(16)
@given(worlds.worlds(), st.integers(2, 9))
def test_scaled_frequencies_give_the_same(world, divisor):
    scaled = {name: repr(float(text) / divisor) for name, text in world["frequencies"].items()}
    left, right = (match(world | {"frequencies": f}, "0")[0] for f in (world["frequencies"], scaled))
    same(numbers(left), numbers(right))


def with_one_more(text: str, data) -> str:
    """One allele more in one string of the typing."""
    blocks = [block.split("|") for block in text.split("^")]
    block = data.draw(st.sampled_from(blocks))
    index = data.draw(st.integers(0, len(block) - 1))
    one, _, two = block[index].partition("+")
    locus = brute.locus_of(one)
    extra = data.draw(st.sampled_from(worlds.ALLELES[locus]))
    if two in ("", "-"):
        two = one  # a blank is written out first, or the other side would gain the allele too
    if data.draw(st.booleans()):
        one = f"{one}/{extra}"
    else:
        two = f"{extra}/{two}"
    block[index] = f"{one}+{two}"
    return "^".join("|".join(block) for block in blocks)


@worlds.examples(45)
@given(worlds.worlds(patients=1, donors=3), st.data())
def test_an_added_allele_never_removes_a_possibility(world, data):
    """Explained stays explained; and what could be a match with some probability still could be.

    The probability itself may fall (others share it), so the threshold is 0: a pair once listed stays listed.
    """
    who = data.draw(st.sampled_from(["patients", "donors"]))
    name = data.draw(st.sampled_from(sorted(world[who])))
    wider = world | {who: world[who] | {name: with_one_more(world[who][name], data)}}
    before, after = (numbers(match(each, "0")[0]) for each in (world, wider))
    for pair, row in before.items():
        if name not in pair:
            continue
        if row["p_10"] is None:
            continue  # it was possible by alleles; now explained, the set may rule it out
        assert pair in after
        for k in NUMBERS:
            if k.startswith("p_") and row[k]:
                assert after[pair][k] > 0, (pair, k)


@worlds.examples(22)
@given(st.data())
def test_more_haplotypes_never_make_a_subject_unexplained(data):
    frequencies = data.draw(worlds.frequency_sets())
    assume(len(frequencies) > 1)
    subjects = {"S": data.draw(worlds.typings(list(frequencies)))}
    fewer = dict(list(frequencies.items())[:-1])
    before, _ = impute(fewer, subjects)
    after, _ = impute(frequencies, subjects)
    if before["S"][0][0]:
        assert {row[1:3] for row in before["S"]} <= {row[1:3] for row in after["S"]}


@worlds.examples(16)
@given(worlds.worlds(patients=3))
def test_imputing_twice_gives_the_same_bytes(world):
    texts = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            out = folder / "out.csv"
            done = run(
                *("impute", "--nomenclature", worlds.write_nomenclature(folder)),
                *("--frequencies", worlds.write_frequencies(folder, world["frequencies"])),
                *("--subjects", worlds.write_subjects(folder, "s", world["patients"]), "--out", out),
            )
            assert done.code == 0, done.err
            texts.append(out.read_bytes())
    assert texts[0] == texts[1]
