"""What a page says: given facts first, invented ones for the rest.

Everything invented is drawn from the seed, so the same facts give the same page, and every shop, person, number and
product here is made up.
"""

import json
from collections.abc import Callable
from html import escape
from random import Random
from typing import Any

SHOPS = [
    "晴朗家居旗舰店",
    "小鹿慢跑运动专营店",
    "木兮日用优选店",
    "星河数码配件店",
    "远山户外装备店",
    "豆豆龙母婴生活馆",
    "禾田厨具旗舰店",
    "青柚美妆小铺",
]
ITEMS = [
    ("加厚法兰绒毛毯四季通用午睡盖毯", "深灰色；150×200cm", "89.90"),
    ("入耳式无线蓝牙耳机超长续航", "象牙白；标准版", "199.00"),
    ("316不锈钢保温杯大容量便携水杯", "墨绿色；500ml", "59.80"),
    ("大颗粒拼装积木儿童益智玩具桶装", "128颗；桶装", "68.00"),
    ("夏季速干短袖T恤男宽松透气", "黑色；XL", "49.90"),
    ("轻薄羽绒服女中长款白鸭绒", "雾霾蓝；M", "329.00"),
    ("学生护眼台灯三档调光LED阅读灯", "冷白光；插电款", "129.00"),
    ("家用不粘炒锅电磁炉燃气灶通用", "32cm；带盖", "139.00"),
    ("控油蓬松洗发水清爽持久留香", "500ml", "45.50"),
    ("可折叠露营椅便携靠背钓鱼凳", "卡其色；大号", "75.00"),
    ("缓震跑步鞋男女同款轻便透气", "白蓝色；42码", "219.00"),
    ("大容量双肩包防泼水通勤电脑包", "炭黑色；15.6英寸", "118.00"),
]
PEOPLE = ["王女士", "李先生", "陈女士", "赵先生", "周女士", "刘先生"]
BUYERS = ["云***9", "t***6", "小***鱼", "l***a", "阿***木", "匿***户"]
PLACES = ["云溪市南湖区杨柳路16号2幢301室", "江宁省平川市桥东街道学府路88号", "海棠市新港区滨河大道205号5单元"]
CARRIERS = ["飞燕快递", "迅驰速运", "千里达物流"]
HUBS = ["云溪转运中心", "平川分拨中心", "海棠南部集散点", "桥东营业部", "新港区网点"]
ACCENTS = ["#f0541e", "#d9363e", "#0d8a6f", "#c2410c", "#2f6fd6", "#b0307a"]


def text_of(value: Any) -> str:
    """A fact as page text; markup in it is shown, never obeyed."""
    return escape(str(value), quote=False)


class Facts:
    """A page's facts: what the spec gives, else what the seed draws."""

    def __init__(self, facts: dict[str, Any]) -> None:
        self.given = facts
        self.rng = Random(json.dumps(facts.get("seed", 0)))
        title, sku, price = self.rng.choice(ITEMS)
        self.title = self.text("title", title)
        self.sku = self.text("sku", sku)
        self.shop = self.text("shop", self.rng.choice(SHOPS))
        self.accent = self.rng.choice(ACCENTS)
        self.dark = bool(facts.get("dark", False))
        self.amount = amount_of(facts.get("price", price))
        self.price = f"¥{self.amount:.2f}"

    def text(self, name: str, default: str) -> str:
        """One fact as text."""
        return text_of(self.given.get(name, default))

    def lines(self, default: list[str]) -> list[str]:
        """The page's sentences."""
        return [text_of(line) for line in self.given.get("lines", default)]

    def rows(self, default: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The page's pairs of name and value."""
        return [(text_of(key), text_of(value)) for key, value in self.given.get("rows", default)]

    def pick(self, *choices: str) -> str:
        """One of these, by the seed."""
        return self.rng.choice(choices)

    def count(self, low: int, high: int) -> int:
        """A number between the two, by the seed."""
        return self.rng.randint(low, high)

    def digits(self, size: int) -> str:
        """A number of so many digits, such as an order's."""
        return "".join(self.rng.choice("0123456789") for _ in range(size))

    def order(self) -> str:
        """An order's number."""
        return self.text("order", "26" + self.digits(15))

    def phone(self) -> str:
        """A masked phone number."""
        return f"1{self.pick('3', '5', '8')}{self.digits(1)}****{self.digits(4)}"

    def person(self) -> str:
        """Somebody invented."""
        return self.pick(*PEOPLE)

    def place(self) -> str:
        """An invented address."""
        return self.text("address", self.pick(*PLACES))

    def carrier(self) -> str:
        """An invented parcel service."""
        return self.text("carrier", self.pick(*CARRIERS))

    def date(self) -> str:
        """A day, such as 2025-03-08."""
        return f"2025-{self.count(1, 12):02d}-{self.count(1, 28):02d}"

    def clock(self) -> str:
        """A time of day."""
        return f"{self.count(8, 22):02d}:{self.count(0, 59):02d}"

    def moment(self) -> str:
        """A day and a time."""
        return f"{self.date()} {self.clock()}:{self.count(0, 59):02d}"


Builder = Callable[[Facts], str]


def amount_of(price: Any) -> float:
    """A price as a number, however the spec writes it: 89.9, "89.90" or "¥89.90"."""
    return float(str(price).lstrip("¥￥").rstrip("元").replace(",", ""))
