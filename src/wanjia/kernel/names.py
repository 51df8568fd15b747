"""Names of people, compared (domain.md §6.3, §18 traps 10 and 11). The name as written is kept elsewhere."""

from __future__ import annotations

import re
import unicodedata

DOT = "·"

_ORDINARY = re.compile(r"[\u4e00-\u9fff]+")  # nearly every name
_INVISIBLE = re.compile(r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
# Interpuncts as people and machines type them; NFKC has already unified some.
_DOTS = re.compile(r"[·•・‧⋅∙●᛫.。・]+")
_NOTE = re.compile(r"\([^()]*\)$|\[[^\[\]]*\]$|【[^】]*】$")  # (户主), (已故), 【小名…】
_DAMAGE = re.compile(r"[?□■◻�\ue000-\uf8ff\U000f0000-\U0010fffd]")

# Orthographic variants of one and the same character: traditional forms that survive in the names
# of older people, and glyph variants. Characters that the 2013 table (通用规范汉字表) lists as
# separate name characters (喆, 堃, 昇, 淼 …) are not folded: they distinguish people.
_VARIANTS = str.maketrans(
    "韋黃陳張劉楊趙吳羅盧蘇農藍譚鄧馮蔣龍覃莫閉陸馬葉許鄭孫謝鍾鐘賴嚴潘顏賀湯溫滿銀歐陽龐萬兒鳳蘭榮華國軍強偉麗紅貴壽慶寶飛勝發興業東連進遠運達遷選鄉邊鎮錦銘鋒鋼鐵長門開關陰隊際階雲電靜韓順頌領顧風養駿鴻鶯麥齊齡愛寧寬實將專尋對導層島嶺帥師幫廣應懷戰戶據擁攔敏數斷時會條極樓樹橋機權歡歸漢潔潤燈爾獻環現瑤產畢當療監盤盡眾碩禮種積穩窮競筆節築範簡紀純細終組結給統經綠維綱網綿緣縣總績織繼續聖聞職聯聰聲肅腦臨與舉舊艷莊蓮薑蕓處號術衛見規視覺親觀計訓記訪設訴詩話誠語說調請論諾謀講證識議護讓豐貝財貞責賢賜質贊趕跡車軒載輕輝輪辦農邨峯羣勳勛鷄雞濤淨銳鑫鵬鷹鶴鳴滙匯緒綺紋紹縱繡兩嬌嬋嫻學賓憲恆恒鈴鑒鑑鎖鍵錢錫鋪釗鈞鐸鑾閃閩閣闊陝雙雖霧顯願類驕驗魚魯鮮黨",
    "韦黄陈张刘杨赵吴罗卢苏农蓝谭邓冯蒋龙覃莫闭陆马叶许郑孙谢钟钟赖严潘颜贺汤温满银欧阳庞万儿凤兰荣华国军强伟丽红贵寿庆宝飞胜发兴业东连进远运达迁选乡边镇锦铭锋钢铁长门开关阴队际阶云电静韩顺颂领顾风养骏鸿莺麦齐龄爱宁宽实将专寻对导层岛岭帅师帮广应怀战户据拥拦敏数断时会条极楼树桥机权欢归汉洁润灯尔献环现瑶产毕当疗监盘尽众硕礼种积稳穷竞笔节筑范简纪纯细终组结给统经绿维纲网绵缘县总绩织继续圣闻职联聪声肃脑临与举旧艳庄莲姜芸处号术卫见规视觉亲观计训记访设诉诗话诚语说调请论诺谋讲证识议护让丰贝财贞责贤赐质赞赶迹车轩载轻辉轮办农村峰群勋勋鸡鸡涛净锐鑫鹏鹰鹤鸣汇汇绪绮纹绍纵绣两娇婵娴学宾宪恒恒铃鉴鉴锁键钱锡铺钊钧铎銮闪闽阁阔陕双虽雾显愿类骄验鱼鲁鲜党",
)


def match_form(name: str) -> str:
    """The form in which names are compared: no spaces, one interpunct, no (户主), plain characters.

    >>> match_form("买买提 · 依"), match_form("李 四（户主）"), match_form("韋英")
    ('买买提·依', '李四', '韦英')
    """
    if _ORDINARY.fullmatch(name):
        return name.translate(_VARIANTS)
    # What one pass takes away may bring together what the next composes: ends when nothing changes.
    while (plainer := _plainer(name)) != name:
        name = plainer
    return name


def _plainer(name: str) -> str:
    text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).strip("'\"`‘’“”")
    text = _DOTS.sub(DOT, _NOTE.sub("", text) or text).strip(DOT)
    return text.translate(_VARIANTS).upper()


def is_damaged(name: str) -> bool:
    """Whether characters were lost on the way: ?, □, or a police system's private code points."""
    return _DAMAGE.search(unicodedata.normalize("NFKC", name)) is not None


def same(a: str, b: str) -> bool:
    """Whether two names may be the same name.

    A lost character agrees with any one character, as long as something known agrees too; an
    empty name agrees with nothing.
    """
    left, right = match_form(a), match_form(b)
    if not left or not right or len(left) != len(right):
        return False
    known = [(x, y) for x, y in zip(left, right, strict=True) if not (_DAMAGE.match(x) or _DAMAGE.match(y))]
    return bool(known) and all(x == y for x, y in known)
