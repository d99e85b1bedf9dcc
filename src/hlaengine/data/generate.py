"""Makes the starter's two files: ``python -m hlaengine.data.generate``.

The published haplotypes stand at their published frequencies. The tail is invented: plausible allele
frequencies of Chinese populations (general knowledge, rounded), B~C and DRB1~DQB1 in linkage, everything
else thrown together with seeded noise, the most frequent combinations kept. It is synthetic and fit for a
demonstration only.
"""

from __future__ import annotations

import math
import random
from pathlib import Path

SEED = 20261121
HAPLOTYPES = 2_500
TOTAL = 0.985
LARGEST_IN_TAIL = 0.0085
POPULATION = "Synthetic Chinese (demo)"

SOURCE = (
    "Wang L et al., Blood & Genomics 2021;5(1):21-28, doi:10.46701/BG.2021012021109 "
    "(Beijing Han, 663 families, segregation)"
)
PUBLISHED = {
    "A*30:01~C*06:02~B*13:02~DRB1*07:01~DQB1*02:02": 0.0430,
    "A*02:07~C*01:02~B*46:01~DRB1*09:01~DQB1*03:03": 0.0307,
    "A*33:03~C*03:02~B*58:01~DRB1*03:01~DQB1*02:01": 0.0149,
    "A*11:01~C*01:02~B*46:01~DRB1*09:01~DQB1*03:03": 0.0101,
}

# Per mille, roughly; only their proportions matter.
A = """11:01 210 24:02 165 02:01 115 02:07 65 33:03 70 02:06 55 30:01 25 31:01 35 01:01 35 03:01 30 26:01 30
02:03 30 32:01 12 68:01 12 29:01 12 11:02 12 24:20 4 34:01 3 69:01 2 23:01 2 74:01 2 02:10 2 24:03 1.5 02:05
1 30:04 1 24:10 1 25:01 .8 68:02 .8 30:02 .8 02:53N .6 66:01 .4 02:11 .4"""
B_C = """46:01 80 01:02 97 01:03 3;40:01 100 07:02 50 03:04 35 15:02 7 03:03 5 01:02 3
58:01 50 03:02 98 03:04 2
13:01 45 03:04 93 04:03 4 03:03 3;13:02 20 06:02 1;51:01 65 14:02 55 15:02 25 16:02 6 03:03 6 01:02 5 03:04 3
15:01 50 04:01 35 03:03 25 01:02 20 03:04 10 07:02 5 12:03 5;15:02 45 08:01 97 01:02 3
38:02 35 07:02 96 08:01 4
35:01 35 03:03 70 04:01 20 07:02 5 15:02 5;54:01 35 01:02 1;44:03 25 14:03 45 07:06 45 16:01 10
44:02 8 05:01 90 07:04 10;52:01 25 12:02 98 14:02 2;55:02 25 01:02 60 12:03 30 03:03 10
40:06 30 08:01 70 15:02 10 03:03 10 01:02 10;40:02 15 03:04 60 15:02 20 03:03 20;07:02 20 07:02 1
07:05 10 15:05 1
08:01 10 07:02 60 07:01 40;27:04 10 12:02 1;27:05 6 02:02 40 01:02 40 15:02 20;37:01 12 06:02 1
39:01 12 07:02 95 08:01 5;48:01 20 08:01 60 08:03 35 15:02 5;57:01 10 06:02 1;67:01 8 07:02 1
35:03 8 12:03 80 04:01 20;15:11 10 03:03 1;15:18 10 08:01 50 07:04 50;15:27 6 04:01 1;15:25 4 04:03 1
15:12 3 03:03 1;15:32 2 12:03 1;15:05 2 03:03 1;14:01 3 08:02 1;14:02 1 08:02 1
18:01 4 07:01 50 12:03 30 07:04 20
18:02 1 07:04 1;38:01 6 12:03 1;41:01 1 17:01 1;45:01 1 06:02 1;49:01 2 07:01 1;50:01 6 06:02 1
53:01 .5 04:01 1
51:02 8 15:02 1;56:01 5 01:02 60 03:03 40;55:01 1 03:03 1;55:12 1 12:03 1;59:01 1 01:02 1;35:02 1 04:01 1
35:05 2 04:01 1;15:17 2 07:01 1;15:07 1 03:03 1;40:03 1 03:04 1;39:05 .7 07:02 1;47:01 1 06:02 1
27:06 1 03:04 1
27:07 .8 15:02 1"""
DR_DQ = """09:01 115 03:03 1;15:01 110 06:02 70 06:01 25 05:02 5;12:02 85 03:01 1;07:01 50 02:02 90 03:03 10
08:03 65 06:01 1
04:05 45 04:01 80 03:02 10 04:02 10;11:01 60 03:01 1;03:01 40 02:01 1;12:01 40 03:01 95 03:03 5
04:06 25 03:02 1
04:03 20 03:02 95 03:05 5;04:01 12 03:01 70 03:02 30;04:04 8 03:02 90 04:02 10;04:10 4 04:02 1;04:02 3 03:02 1
04:07 1 03:01 1;04:08 .5 03:01 1;14:05 20 05:03 1;14:54 25 05:02 60 05:03 40;14:01 6 05:02 40 05:03 60
14:03 3 03:01 1
14:04 4 05:03 1;14:07 1 05:03 1;13:02 35 06:04 60 06:09 40;13:01 15 06:03 1;13:12 6 03:01 1;13:03 1 03:01 1
16:02 35 05:02 1;10:01 15 05:01 1;15:02 30 06:01 60 05:01 40;01:01 18 05:01 1;01:02 2 05:01 1;11:04 5 03:01 1
11:06 2 03:01 1;08:02 3 04:02 1;08:01 .8 04:02 1;08:09 1 04:02 1;16:01 1 05:02 1"""

# Alleles a typing may name although the demo's set does not hold them.
FURTHER = """A*01:02 A*02:02 A*02:04 A*03:02 A*11:03 A*24:07 A*26:02 A*26:03 A*29:02 A*31:02 A*33:01 A*68:03
A*24:09N A*01:01N B*35:08 B*39:06 B*51:06 B*57:03 B*42:01 B*78:01 B*15:03 B*15:10 B*15:26N C*04:09N C*17:03
C*06:03 C*12:04 C*18:01 DRB1*03:02 DRB1*12:10 DRB1*13:05 DRB1*15:03 DRB1*11:02 DQB1*06:05 DQB1*06:08
DQB1*04:03 DQB1*03:04"""
# Alleles whose antigen recognition domain is that of another, which names their P group.
P_GROUP_OF = {"DQB1*02:02": "DQB1*02:01P", "DRB1*14:54": "DRB1*14:01P", "C*07:06": "C*07:01P",
              "C*17:03": "C*17:01P", "DRB1*12:10": "DRB1*12:01P"}  # fmt: skip
# Null alleles by their longer names.
LONGER_NULLS = {"A*01:01N": "A*01:01:01:02N"}
# Longer names other than :01 and :01:01.
SECOND = "A*31:01 B*27:05 B*40:01 C*02:02 C*03:02 C*12:02 DQB1*03:03 DRB1*08:03 DRB1*09:01"
THREE_FIELDS = """A*02:04 A*26:02 A*31:02 B*15:11 B*15:12 B*15:32 B*18:02 B*27:04 B*27:07 B*47:01 B*67:01
B*78:01 C*01:03 C*06:03 C*12:04 DQB1*03:05 DQB1*04:03 DQB1*06:05 DRB1*04:02 DRB1*04:06 DRB1*04:10 DRB1*08:09
DRB1*11:06 DRB1*13:12 DRB1*14:03 DRB1*15:02"""
TWO_FIELDS = "A*02:10 DRB1*12:10"


def haplotypes() -> dict[str, float]:
    """Haplotype to frequency, the most frequent first."""
    noise = random.Random(SEED)  # noqa: S311 - seeded invention, not cryptography
    weights: dict[str, float] = {}
    for a, pa in _pairs("A", A):
        for bc, pbc in _linked("B", "C", B_C):
            b, c = bc
            for (dr, dq), pdr in _linked("DRB1", "DQB1", DR_DQ):
                # A sum of twelve uniforms less six is near enough a standard normal, and the same everywhere.
                z = sum(noise.random() for _ in range(12)) - 6
                name = f"{a}~{c}~{b}~{dr}~{dq}"
                if name not in PUBLISHED:
                    weights[name] = pa * pbc * pdr * math.exp(1.2 * z)
    kept = sorted(weights, key=lambda h: (-weights[h], h))[: HAPLOTYPES - len(PUBLISHED)]
    # A rare null stays in, so that the null policy can be seen at work.
    kept[-1] = max((h for h in weights if "N~" in h), key=lambda h: (weights[h], h))
    wanted = TOTAL - sum(PUBLISHED.values())
    free = {h: weights[h] for h in kept}
    for _ in range(50):  # none above the largest published ones, the rest shared out in proportion
        scale = wanted / sum(free.values())
        free = {h: min(w * scale, LARGEST_IN_TAIL) for h, w in free.items()}
    tail = {h: max(round(w, 7), 1e-6) for h, w in free.items()}
    both = PUBLISHED | tail
    return dict(sorted(both.items(), key=lambda item: (-item[1], item[0])))


def nomenclature(alleles: set[str]) -> str:
    """The starter nomenclature as the CSV that `hlaengine.nomenclature` reads."""
    rows = ["# starter,1", "allele,p_group,longer"]
    for allele in sorted(alleles | set(FURTHER.split())):
        if allele.endswith("N"):
            rows.append(f"{allele},,{LONGER_NULLS.get(allele, '')}")
            continue
        group = P_GROUP_OF.get(allele, f"{allele}P")
        rows.append(f"{allele},{group},{' '.join(_longer(allele))}")
    return "\n".join(rows) + "\n"


def _longer(allele: str) -> tuple[str, ...]:
    if allele in TWO_FIELDS.split():
        return ()
    if allele in THREE_FIELDS.split():
        return (f"{allele}:01",)
    third = "02" if allele in SECOND.split() else "01"
    return (f"{allele}:{third}", f"{allele}:{third}:01")


def _pairs(locus: str, text: str) -> list[tuple[str, float]]:
    words = text.split()
    total = sum(float(w) for w in words[1::2])
    return [(f"{locus}*{n}", float(p) / total) for n, p in zip(words[::2], words[1::2], strict=True)]


def _linked(first: str, second: str, text: str) -> list[tuple[tuple[str, str], float]]:
    result = []
    for group in text.replace("\n", ";").split(";"):
        name, weight, rest = group.split(maxsplit=2)
        result += [((f"{first}*{name}", partner), float(weight) * share) for partner, share in _pairs(second, rest)]
    total = sum(w for _, w in result)
    return [(pair, w / total) for pair, w in result]


def main() -> None:
    """Write both files beside this one."""
    here = Path(__file__).parent
    table = haplotypes()
    rows = [f"{POPULATION},{h},{f!r}" for h, f in table.items()]
    text = "population,haplotype,frequency\n" + "\n".join(rows) + "\n"
    (here / "starter_haplotypes.csv").write_text(text, encoding="utf-8", newline="\n")
    alleles = {allele for h in table for allele in h.split("~")}
    (here / "starter_nomenclature.csv").write_text(nomenclature(alleles), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
