"""Names: compared, read aloud in pinyin, masked."""

from __future__ import annotations

import re
import unicodedata

from pypinyin import Style, lazy_pinyin

from .text import visible

# Surnames that pypinyin reads as the everyday word. Facts of the language, not a list of people.
_SURNAMES = {
    "曾": "zeng", "单": "shan", "解": "xie", "查": "zha", "仇": "qiu", "朴": "piao", "任": "ren", "区": "ou",
    "华": "hua", "盖": "ge", "燕": "yan", "尉": "yu", "乐": "yue", "覃": "qin", "翟": "zhai", "缪": "miao",
    "宓": "fu", "幺": "yao", "折": "she", "黑": "he", "洗": "xian", "晟": "cheng", "员": "yun", "车": "che",
    "卜": "bu", "阚": "kan", "么": "yao", "种": "chong", "祭": "zhai", "秘": "bi", "能": "nai", "召": "shao",
    "繁": "po", "尉迟": "yu chi", "万俟": "mo qi", "长孙": "zhang sun", "单于": "chan yu",
}  # fmt: skip
_HAN = re.compile("[〇\u3400-\u9fff\U00020000-\U0003ffff]+")
# Blanks, the middle dots of names from other languages, hyphens and apostrophes: everybody types them otherwise.
_BETWEEN = re.compile(r"[\s.·•・‧∙⋅'’‘ʼ`´\-‐‑–—]")


def name_key(name: str) -> str:
    """A name for exact comparison: half-width, case folded, without what stands between its parts."""
    return _BETWEEN.sub("", visible(name)).casefold()


def pinyin_of(name: str) -> list[str]:
    """The syllables of a Chinese name without tones (ü as v), surname as surname; empty for a name in another script."""
    key = name_key(name)
    if not _HAN.fullmatch(key):
        return []
    syllables = lazy_pinyin(key, style=Style.NORMAL)
    if len(syllables) == len(key):
        # 单于 alone is Mr. 单: a surname of two characters needs a third.
        surname = key[:2] if len(key) > 2 and key[:2] in _SURNAMES else key[0]
        if surname in _SURNAMES:
            syllables[: len(surname)] = _SURNAMES[surname].split()
    return syllables


def pinyin_meant(text: str) -> list[str]:
    """The spellings, as `pinyin_of` joins them, that typed pinyin may mean: lǚ, lü, lv and the lyu of passports.

    Empty where it holds anything but letters that pinyin is written with.
    """
    marked = unicodedata.normalize("NFD", name_key(text))
    plain = "".join(c for c in re.sub("u([\u0300-\u0304\u030c]*)\u0308", "v", marked) if not unicodedata.combining(c))
    if not re.fullmatch("[a-z]+", plain):
        return []
    plain = plain.replace("lyu", "lv")
    # nyu is the passport's nü, or the end of one syllable and the beginning of the next: lin yu.
    return list(dict.fromkeys([plain, plain.replace("nyu", "nv")]))


def mask_name(name: str) -> str:
    """张三丰 → 张*丰, 张三 → 张*; a name in another script keeps its first letter."""
    if len(name) <= 1:
        return "*"
    if not pinyin_of(name):
        return f"{name[0]}***"
    return name[0] + "*" * (1 if len(name) == 2 else len(name) - 2) + (name[-1] if len(name) > 2 else "")
