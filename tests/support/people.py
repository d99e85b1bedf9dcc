"""Invented people whose numbers look right: unallocated region codes, check digits made here, reserved phones.

No region begins with 00, and no operator has been given 1990000xxxx to this day: nobody real is ever met.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator

from xiangsui.foundation.orgs.models import Organisation
from xiangsui.foundation.people.identity import Identity, identity_read
from xiangsui.foundation.people.models import Person
from xiangsui.foundation.people.services import PersonDraft, persons_record

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘蒋蔡余杜叶程魏苏吕丁沈卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建文志国海燕晓东春梅松柏青云山川岭枫溪"


def check_character(seventeen: str) -> str:
    """The eighteenth character of a resident number, computed apart from the code under test (GB 11643-1999)."""
    return "10X98765432"[sum(w * int(c) for w, c in zip(_WEIGHTS, seventeen, strict=True)) % 11]


def id_number(sequence: int = 1, born: dt.date = dt.date(1990, 5, 8), region: str = "009999") -> str:
    """A resident number with a right check character and a region that exists nowhere."""
    seventeen = f"{region}{born:%Y%m%d}{sequence % 1000:03d}"
    return seventeen + check_character(seventeen)


def phone(number: int) -> str:
    """An eleven-digit mobile number, another for each of ten million numbers."""
    return f"1990{number % 10_000_000:07d}"


def identities(count: int, *, seed: int = 1) -> Iterator[Identity]:
    """So many different people: the same in every run."""
    rng = random.Random(seed)
    for number in range(count):
        # Region × sequence is a counter, so that no document number comes twice.
        region, sequence = divmod(number, 99)
        born = dt.date(1975, 1, 1) + dt.timedelta(days=rng.randrange(11_000))
        yield identity_read(
            name=rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2)))),
            id_kind="resident",
            id_number=id_number(sequence + 1, born, f"00{region % 10_000:04d}"),
            phones=phone(number + seed * 1_000_000),
            ethnicity="汉族",
        )


def identity(name: str = "张青松", *, number: int = 1, **fields: str) -> Identity:
    """One identity with a document and a telephone of its own, by its number."""
    return identity_read(
        **{"name": name, "id_kind": "resident", "id_number": id_number(number), "phones": phone(number), **fields}
    )


def person(place: Organisation, of: Identity | None = None) -> Person:
    """One recorded person."""
    return persons_record(drafts=[PersonDraft(organisation=place, identity=of or identity())])[0]
