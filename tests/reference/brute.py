"""The brute force the engine is measured against.

Plain Python, exact fractions, ordered pairs of haplotype strings, and a GL parser of its own.
It shares no line with the engine and is never made fast: every haplotype pair is looked at in both orders.

Names used here:
  haplotypes   {"A*01:01~C*07:01~B*08:01~DRB1*03:01~DQB1*02:01": Fraction(...)}
  typing       what `parse` returns: a list of blocks, one per part between `^`
  block        a list of genotypes, the parts between `|`
  genotype     (side, side)
  side         {locus: tuple of allele names}; more than one locus only where `~` joins them
"""

from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from itertools import product

LOCI = ("A", "C", "B", "DRB1", "DQB1")
NEW = "NEW"


# --- reading ---


def locus_of(allele: str) -> str:
    return allele.split("*", 1)[0]


def _side(text: str) -> dict[str, tuple[str, ...]]:
    side = {}
    for part in text.split("~"):
        names = tuple(name.removeprefix("HLA-") for name in part.split("/"))
        (locus,) = {locus_of(name) for name in names}
        side[locus] = names
    return side


def parse(text: str) -> list[list[tuple[dict, dict]]]:
    blocks = []
    for block_text in text.split("^"):
        genotypes = []
        for genotype_text in block_text.split("|"):
            first, _, second = genotype_text.partition("+")
            if first in ("", "-"):
                first, second = second, first
            one = _side(first)
            two = dict(one) if second in ("", "-") else _side(second)
            genotypes.append((one, two))
        blocks.append(genotypes)
    return blocks


def loci_of(typing) -> set[str]:
    return {locus for block in typing for genotype in block for side in genotype for locus in side}


# --- names ---


def resolve(name: str, known: set[str], longer: dict[str, str] | None = None) -> set[str]:
    """The set's alleles that a typed name stands for: itself, an XX code, or a longer name by the table."""
    if name in known:
        return {name}
    if name.endswith(":XX"):
        head = name[: -len("XX")]
        return {allele for allele in known if allele.startswith(head)}
    target = (longer or {}).get(name)
    return {target} if target in known else set()


def alleles_of(haplotypes) -> set[str]:
    return {allele for haplotype in haplotypes for allele in haplotype.split("~")}


def against_set(typing, known: set[str], longer=None):
    """The same typing with every side resolved; and the typed names the set does not hold."""
    dropped = []
    resolved = []
    for block in typing:
        genotypes = []
        for genotype in block:
            sides = []
            for side in genotype:
                new_side = {}
                for locus, names in side.items():
                    allowed = set()
                    for name in names:
                        found = resolve(name, known, longer)
                        if not found:
                            dropped.append(name)
                        allowed |= found
                    new_side[locus] = allowed
                sides.append(new_side)
            genotypes.append(tuple(sides))
        resolved.append(genotypes)
    return resolved, dropped


# --- imputation ---


def split_haplotype(haplotype: str) -> dict[str, str]:
    return {locus_of(allele): allele for allele in haplotype.split("~")}


def _fits(one: dict[str, str], two: dict[str, str], resolved) -> bool:
    for block in resolved:
        for side_1, side_2 in block:
            straight = all(one[x] in side_1[x] for x in side_1) and all(two[x] in side_2[x] for x in side_2)
            crossed = all(two[x] in side_1[x] for x in side_1) and all(one[x] in side_2[x] for x in side_2)
            if straight or crossed:
                break
        else:
            return False
    return True


class Unexplained(Exception):
    """`why` is "new", "allele" (every genotype of a locus has an empty side; `locus`) or "pair"."""

    def __init__(self, why: str, locus: str | None = None):
        super().__init__(why)
        self.why, self.locus = why, locus


def has_new(typing) -> bool:
    return any(
        name.rpartition("*")[2].rpartition(":")[2] == NEW
        for block in typing
        for genotype in block
        for side in genotype
        for names in side.values()
        for name in names
    )


def impute(text: str, haplotypes: dict[str, Fraction], longer=None) -> dict[tuple[str, str], Fraction]:
    """{(h1, h2): probability} with h1 <= h2, summing to one. Raises Unexplained."""
    typing = [block for block in parse(text) if {x for g in block for s in g for x in s} & set(LOCI)]
    if has_new(typing):
        raise Unexplained("new")
    resolved, _ = against_set(typing, alleles_of(haplotypes), longer)
    for block in resolved:
        if not any(all(allowed for side in genotype for allowed in side.values()) for genotype in block):
            raise Unexplained("allele", next(iter(block[0][0])))
    weights: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    parts = {haplotype: split_haplotype(haplotype) for haplotype in haplotypes}
    for h1, h2 in product(haplotypes, repeat=2):  # ordered pairs, both orientations
        if _fits(parts[h1], parts[h2], resolved):
            weights[min(h1, h2), max(h1, h2)] += haplotypes[h1] * haplotypes[h2]
    total = sum(weights.values())
    if not total:
        raise Unexplained("pair")
    return {pair: weight / total for pair, weight in weights.items()}


def genotypes(pairs: dict[tuple[str, str], Fraction]) -> dict[tuple[tuple[str, str], ...], Fraction]:
    """{((a, b) per locus of LOCI, each sorted): probability}: phase dropped."""
    out: dict[tuple, Fraction] = defaultdict(Fraction)
    for (h1, h2), probability in pairs.items():
        one, two = split_haplotype(h1), split_haplotype(h2)
        out[tuple(tuple(sorted((one[x], two[x]))) for x in LOCI)] += probability
    return dict(out)


# --- counting ---


def shared(left, right) -> int:
    """The size of the multiset intersection of two pairs."""
    return sum((Counter(left) & Counter(right)).values())


def match(patient: dict, donor: dict, view=lambda pair: pair) -> dict:
    """All probabilities of two genotype distributions. `view` is what of a pair is compared (P groups)."""
    counts = [Fraction(0)] * 11
    both = dict.fromkeys(LOCI, Fraction(0))
    one = dict.fromkeys(LOCI, Fraction(0))
    for g, p in patient.items():
        for h, q in donor.items():
            per_locus = [shared(view(a), view(b)) for a, b in zip(g, h, strict=True)]
            counts[sum(per_locus)] += p * q
            for locus, n in zip(LOCI, per_locus, strict=True):
                if n == 2:
                    both[locus] += p * q
                elif n == 1:
                    one[locus] += p * q
    return {"counts": counts, "both": both, "one": one}


def expressed(p_group_of: dict[str, str | None]):
    """The view of search: P groups; a null counts as the expressed partner; two nulls are their own kind."""

    def view(pair):
        left, right = (p_group_of[allele] for allele in pair)
        if left is None and right is None:
            return ("null", "null")
        return (left or right, right or left)

    return view


def possible(patient_text: str, donor_text: str, known: set[str], longer=None) -> dict[str, tuple[int, int]]:
    """{locus: (least, most)} of the alleles in common by the typings alone, whatever the haplotypes.

    A name that the set does not hold stands for itself (a longer one at two fields); an XX code for every allele
    with its first field, in the set or not; NEW equals nothing; an untyped locus allows 0 to 2.
    """

    def short(name):
        return (longer or {}).get(name, name)

    typings = [parse(text) for text in (patient_text, donor_text)]
    universe = known | {
        short(name)
        for typing in typings
        for b in typing
        for g in b
        for s in g
        for names in s.values()
        for name in names
    }
    out = {}
    sides = []
    for number, typing in enumerate(typings):
        per_locus = defaultdict(set)
        for block in typing:
            for one, two in block:
                for locus in one:
                    choices = []
                    for side in (one, two):
                        names = set()
                        for name in side[locus]:
                            if name.endswith(NEW):
                                names.add(f"NEW-{number}-{len(choices)}")
                            elif name.endswith(":XX"):
                                names |= {x for x in universe if x.startswith(name[:-2])}
                            else:
                                names.add(short(name))
                        choices.append(names)
                    per_locus[locus] |= set(product(*choices))
        sides.append(per_locus)
    for locus in LOCI:
        if locus in sides[0] and locus in sides[1]:
            numbers = [shared(a, b) for a in sides[0][locus] for b in sides[1][locus]]
            out[locus] = min(numbers), max(numbers)
        else:
            out[locus] = 0, 2
    return out
