"""Two thousand strings that break programs, made by class from a seed; nobody's list is copied.

Each one that could do harm when repeated carries a word of its own (`token`), so that its echo is told from the
page's own text. Lone surrogates are in it: percent-encoded they travel, though no text file may hold them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from urllib.parse import quote_from_bytes

COUNT = 2_000
SEED = 20_201_116


@dataclass(frozen=True, slots=True)
class Strange:
    """One string, the class it was made by, and the word only it holds ("" where it cannot hold one)."""

    text: str
    kind: str
    token: str

    @property
    def encoded(self) -> str:
        """As it travels in an address or a form."""
        return quote_from_bytes(self.text.encode("utf-8", "surrogatepass"), safe="")


Maker = Callable[[Random, str], str]


def _quotes(random: Random, token: str) -> str:
    marks = "'\"`´‘’“”«»‹›＇＂\\"
    return "".join(random.choices(marks, k=random.randint(1, 6))) + token + random.choice(marks)


def _markup(random: Random, token: str) -> str:
    tag = random.choice(["script", "img", "svg", "iframe", "a", "b", "style", "math", "object", "textarea", "title"])
    event = random.choice(["onerror", "onload", "onmouseover", "onfocus", "hx-on:click", "hx-get", "style"])
    return random.choice([
        f"<{tag} {event}={token}>", f'"><{tag} src=x {event}="{token}()">', f"</{tag}><{tag}>{token}</{tag}>",
        f"<!--{token}--><{tag}/>", f"'{event}='{token}", f"<{tag.upper()}\t{event}\n=\n{token}//", f"&lt;{tag}&gt;<{token}>",
        f"<{tag}\x0c{event}={token}>", f"]]><{tag}>{token}", f"{token}<{tag}",
    ])  # fmt: skip


def _script(random: Random, token: str) -> str:
    return random.choice([
        f"javascript:{token}()", f"java\tscript:{token}", f"data:text/html,<script>{token}</script>", f"';{token}();//",
        f"\\';{token}//", f"</script><script>{token}()", f"\u2028{token}()", f"${{{token}}}", f"`${{{token}()}}`",
        f"{token}.__proto__.x", f"constructor[{token}]", f"\\u003cscript\\u003e{token}", f"vbscript:{token}<",
    ])  # fmt: skip


def _template(random: Random, token: str) -> str:
    sum_ = f"{random.randint(100, 999)}*{random.randint(100, 999)}"
    return random.choice([
        f"{{{{{sum_}}}}}{token}", f"{{% debug %}}{token}", f"{{{{ {token}|safe }}}}", f"${{{sum_}}}{token}",
        f"<%= {token} %>", f"#{{{sum_}}}{token}", f"{{{{request.user.{token}}}}}", f"{{# {token}", f"{{% {token}",
        f"@({sum_}){token}", f"*{{{token}}}", f"{{{{''.__class__.__mro__}}}}{token}", f"{{{token}.__init__}}",
    ])  # fmt: skip


def _path(random: Random, token: str) -> str:
    up = random.choice(["../", "..\\", "..%2f", "%2e%2e/", "....//", "..;/", ".//", "/"]) * random.randint(1, 12)
    end = random.choice(["etc/passwd", "keys/person.key", "wanjia.sqlite3", "con", "NUL", "a/b", "~root/.ssh/id", ""])
    return f"{random.choice(['', 'file://', 'C:', '//evil.example', 'photo'])}{up}{end}{random.choice(['', chr(0), '%00', '.csv'])}{token}"


def _confusable(random: Random, token: str) -> str:
    wide = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
    plain = random.choice(["admin", "45122810", "<script>", "1 or 1=1", "韦英", "select", "../", "null"])
    letters = {"a": "а", "e": "е", "o": "о", "i": "і", "c": "с", "l": "ӏ", "s": "ѕ"}
    return token + random.choice([
        plain.translate(wide), "".join(letters.get(letter, letter) for letter in plain),
        plain + chr(random.randint(0x300, 0x36F)) * random.randint(1, 40), "\u3000".join(plain), "ſ" + plain + "K",
        "".join(chr(0x1D7CE + int(c)) if c.isdigit() else c for c in plain), plain + "\ufe0f", "ﬁﬂﬀ" + plain, "ⅷ㊀㈠" + plain,
    ])  # fmt: skip


def _directions(random: Random, token: str) -> str:
    marks = ["\u202e", "\u202d", "\u2066", "\u2067", "\u2069", "\u200f", "\u061c", "\u202a"]
    return (
        random.choice(marks)
        + random.choice(["ABC", "סבא", "مرحبا", "１２３", "gpj.exe"])
        + random.choice(marks)
        + token
    )


def _invisible(random: Random, token: str) -> str:
    marks = [
        "\u200b",
        "\u200c",
        "\u200d",
        "\ufeff",
        "\u00ad",
        "\u2060",
        "\u00a0",
        "\u180e",
        "\u3164",
        "\u115f",
        "\ue000",
        "\U000e0041",
    ]
    return "".join(random.choices(marks, k=random.randint(1, 9))) + token + random.choice(marks)


def _control(random: Random, token: str) -> str:
    codes = [*range(32), 127, *range(128, 160)]
    return chr(random.choice(codes)) * random.randint(1, 3) + token + chr(random.choice([0, random.choice(codes)]))


def _surrogates(random: Random, token: str) -> str:
    lone = chr(random.randint(0xD800, 0xDFFF))
    return random.choice([lone + token, token + lone, lone * 3 + token, f"{token}{lone}{lone}", f"<{lone}{token}>"])


def _beyond(random: Random, token: str) -> str:
    code = random.choice(
        [random.randint(0x1F300, 0x1FAFF), random.randint(0x20000, 0x2A6DF), random.randint(0xF0000, 0x10FFFD)]
    )
    return chr(code) * random.randint(1, 60) + random.choice(["", "\ufffd", "\uffff", "\ufdd0"]) + token


def _long(random: Random, token: str) -> str:
    piece = random.choice(
        ["9", "a", "万", "<", "'", "%", " ", "(", "[", "{", ",", "\n", "é", "𠀀", "&", "../", "0.", "-"]
    )
    return token + piece * random.choice([61, 200, 256, 1_000, 4_096, 5_000, 8_000])


def _sql(random: Random, token: str) -> str:
    tail = random.choice(["--", "#", "/*", ";", "\0", "-- -", ""])
    return random.choice([
        f"{token}' OR '{token}'='{token}{tail}", f"1 UNION SELECT '{token}'{tail}", f"'; DROP TABLE {token};{tail}",
        f'" OR ""="{token}', f"') OR ('{token}'='{token}", f"1; SELECT pg_sleep(0);{token}{tail}", f"{token}%' AND 1=1{tail}",
        f"_{token}%", f"%{token}_%%", f"\\{token}'", f"$${token}$$", f"E'{token}\\''", f"x' ESCAPE '{token}", f"'||'{token}'||'",
        f"' GLOB '*{token}", f"{token}' COLLATE \"C\"{tail}", f"0x{token}'", f"CAST('{token}' AS int)",
    ])  # fmt: skip


def _directory(random: Random, token: str) -> str:
    return random.choice([
        f"*)(uid={token}", f"{token})(|(cn=*", f"\\2a{token}\\28", f"cn={token},dc=*", f"(&(objectClass=*)({token}=*))",
        f"' or '{token}'='", f"//{token}[@*]", f"count(/*)='{token}", f'{{"$gt":"{token}"}}', f"{token}[$ne]=1",
    ])  # fmt: skip


def _shell(random: Random, token: str) -> str:
    command = random.choice(["id", "cat /etc/passwd", "sleep 0", "ping -c 1 127.0.0.1", "dir"])
    return (
        random.choice([";", "|", "||", "&&", "\n", "$(", "`", ">", "<("])
        + f"{command} {token}"
        + random.choice(["", ")", "`", "#"])
    )


def _formats(random: Random, token: str) -> str:
    return random.choice([
        "%s" * random.randint(1, 20), "%n%x", "%(name)s", "{0}{1}", "{}" * 5, "{name!r}", "%99999999d", "{0.__class__}",
        "%1$s", "%%", "%", "{", "}", "{:>9999999}", "%*d", "{{}", "%(", "%c",
    ]) + token  # fmt: skip


def _lines(random: Random, token: str) -> str:
    end = random.choice(["\r\n", "\n", "\r", "\u2028", "\u2029", "\x85", "%0d%0a", "\r\n\r\n", "\n\n"])
    head = random.choice(["Set-Cookie", "Location", "X-Accel-Redirect", "Content-Length", "HX-Redirect"])
    return random.choice(
        [f"{token}{end}{head}: {token}", f"{end}{token}", f"/{token}{end}{head}: 0{end}{end}<b>{token}"]
    )


def _whither(random: Random, token: str) -> str:
    return random.choice([
        f"//{token}.evil.example", f"/\\{token}.evil.example", f"https:{token}.evil.example", f"///{token}", f"\t//{token}",
        f"http://testserver@{token}.example/", f"https://{token}.example", f"/%09/{token}.example", f"\\\\{token}.example",
        f"//{token}%E3%80%82example", f"http:///{token}.example", f"?next=//{token}", f"#{token}", f"/..//{token}", f";//{token}",
    ])  # fmt: skip


def _structures(random: Random, token: str) -> str:
    depth = random.randint(1, 2_000)
    return random.choice([
        json.dumps({token: [None, True, 1e300]}), f'{{"{token}":', "[" * depth + token, f'{{"__proto__":{{"{token}":1}}}}', f"{token}: [1, 2",
        f"!!python/object/apply:os.system ['{token}']", f"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY {token} SYSTEM 'file:///etc/passwd'>]>",
        f"- &a [{token}]\n- *a", f'a,b\n"{token}', f'"{token}"\x00"', f"{token}=1&{token}=2;a[]=3", f"--{token}\r\nContent-Disposition: form-data",
    ])  # fmt: skip


def _cells(random: Random, token: str) -> str:
    return random.choice(["=", "+", "-", "@", "\t=", "\r=", "＝", "＋", "'="]) + random.choice(
        [f"cmd|'/c calc'!{token}", f'HYPERLINK("//{token}")', f'1+1&"{token}"', f"SUM({token})"]
    )


def _patterns(random: Random, token: str) -> str:
    return token + random.choice(
        [
            "(a+)+$",
            "^(([a-z])+.)+",
            "[",
            "(?P<x",
            "*",
            "\\",
            "a{9999999}",
            "(?i",
            "[[:alpha:]]",
            ".*" * 40,
            "\\x{110000}",
        ]
    )


def _names(random: Random, token: str) -> str:
    return (
        random.choice(
            [
                "null",
                "None",
                "undefined",
                "true",
                "NaN",
                "self",
                "__class__",
                "__dict__",
                "all",
                "mine",
                "csrfmiddlewaretoken",
                "nil",
                "[object Object]",
            ]
        )
        + random.choice(["", " ", ".", "\0"])
        + random.choice(["", token])
    )


def _numbers(random: Random, _token: str) -> str:
    digits = str(random.getrandbits(random.choice([1, 8, 31, 32, 63, 64, 65, 128, 400, 14_000])))
    return random.choice(["", "-", "+", "--", " ", "０"]) + random.choice([
        digits, f"{digits}.{digits}", f"{digits}e{random.randint(1, 99_999)}", f"0x{random.getrandbits(64):x}", f"{digits}_{digits}",
        f"{digits},000", "1e400", "Infinity", "-0", "0" * random.randint(1, 60) + "1", f"1/{digits[:3]}", f"{digits}L", f"0b{digits[:9]}",
        digits.translate({48 + n: 0x660 + n for n in range(10)}), digits.translate({48 + n: 0xFF10 + n for n in range(10)}), "²³", "½", "一二三",
        "1" * 4_301, "sNaN", "1E-400", f"{digits}%", "٣٫١٤",
    ])  # fmt: skip


def _days(random: Random, _token: str) -> str:
    year, month, day = (
        random.choice([0, 1, 1582, 1899, 1970, 2020, 2038, 9999, 10_000]),
        random.randint(0, 13),
        random.randint(0, 32),
    )
    return random.choice([
        f"{year:04}-{month:02}-{day:02}", f"{year}-{month}-{day}", f"{day}/{month}/{year}", f"{year}年{month}月{day}日", f"{year}{month:02}{day:02}",
        f"{year:04}-{month:02}-{day:02}T25:61:61+99:99", f"{year:04}-02-30", f"-{year}-01-01", f"{year:04}-W{month:02}-{day % 8}", "2020-11-16T09:00:00Z",
        f"{year:04}-{month:02}", "0000-00-00", f"２０２０-{month:02}-{day:02}", f"{year:04}-{month:02}-{day:02} 24:00", "today", f"@{random.getrandbits(40)}",
    ])  # fmt: skip


def _keys(random: Random, _token: str) -> str:
    """What looks like our own numbers: areas, identity numbers of nobody, cursors, UUIDs."""
    area = random.choice(
        [
            "45",
            "4512",
            "451228",
            "451229",
            "451228101",
            "451228101201",
            "520102",
            "000000",
            "99",
            "4",
            "45122",
            "110000",
        ]
    )
    return random.choice([
        area + random.choice(["", " ", "0", "x", "%", "\0", "\n"]), f"459999{random.randint(1900, 2030)}{random.randint(0, 9999):04}{random.randint(0, 9999):04}",
        f"00000000-0000-4000-8000-{random.getrandbits(48):012x}", f"{random.getrandbits(200):x}", "eyJ" + f"{random.getrandbits(160):x}",
        f"{random.randint(0, 99)}~{random.randint(0, 99)}", f"{area}:{area}", f"RA-{random.randint(0, 99):02}", "MQ==" + area, "=" * random.randint(1, 9),
    ])  # fmt: skip


MAKERS: dict[str, Maker] = {
    "quotes": _quotes, "markup": _markup, "script": _script, "template": _template, "path": _path, "confusable": _confusable,
    "directions": _directions, "invisible": _invisible, "control": _control, "surrogates": _surrogates, "beyond": _beyond,
    "long": _long, "sql": _sql, "directory": _directory, "shell": _shell, "formats": _formats, "lines": _lines,
    "whither": _whither, "structures": _structures, "cells": _cells, "patterns": _patterns, "names": _names,
    "numbers": _numbers, "days": _days, "keys": _keys,
}  # fmt: skip


def strings(count: int = COUNT, seed: int = SEED) -> list[Strange]:
    """So many different ones, each class as often as the others; the same seed gives the same."""
    random = Random(seed)
    made: dict[str, Strange] = {}
    kinds = list(MAKERS)
    while len(made) < count:
        kind = kinds[len(made) % len(kinds)]
        token = f"zq{len(made):04}x"
        text = MAKERS[kind](random, token)
        made.setdefault(text, Strange(text, kind, token if token in text else ""))
    return list(made.values())
