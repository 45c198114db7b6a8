"""Made-up shop talk for the denoising benchmark: many repeats as in real shops, or no text twice."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TAIL = "这款还有货吗"
"""Stands right behind every link, so that it can be seen whether a cleaner eats it."""

_GOODS = [
    "收纳箱",
    "保温杯",
    "台灯",
    "花瓶",
    "晾衣架",
    "置物架",
    "电饭煲",
    "吹风机",
    "行李箱",
    "床垫",
    "枕头",
    "窗帘",
    "地毯",
    "鞋柜",
    "拖把",
    "垃圾桶",
    "空气炸锅",
    "数据线",
    "充电宝",
    "牙刷",
]
_ASKS = [
    "{p}什么时候发货呀",
    "请问{p}会不会生锈漏水",
    "{p}材质是不锈钢的吗？？",
    "这款{p}和那款有什么区别",
    "{p}尺寸是多少厘米 能放下吗",
    "帮我查一下物流为什么还没更新，谢谢",
    "{p}坏了可以换货吗",
    "你好{p}好用吗 质量怎么样",
    "收到的{p}有破损😂😂 怎么处理",
    "看看https://item.example.com/item.htm?id={d}&spm=a1z" + TAIL,
    "订单号{d}{d}麻烦改一下地址",
    "发到 kefu{n}@example.com 可以吗",
    "好的",
    "转人工",
    "在吗",
]
_REPLIES = [
    "亲亲您好，{p}一般48小时内发货的哦",
    "您好 这款{p}是304不锈钢材质的呢 不会生锈的~~",
    "亲 这边给您登记一下 稍等哦",
    "亲爱的，尺寸是{n}cm左右，手工测量有1-2cm误差哦",
    "麻烦您提供一下订单号 这边帮您查询呢",
    "支持七天无理由退换货的，运费险由店铺赠送❤",
    "不好意思让您久等了■ 已经帮您催促仓库了",
    "退款一般1-3个工作日原路返回的呢",
    "暂时无法识别您的图片信息，麻烦您用文字描述一下问题哦。",
    "感谢您的光临，祝您生活愉快！",
    "",
    "收货后晒图评价返现5元哦",
]
_TURNS = (3, 10)
"""Fewest and most turns of a dialogue; 6.5 on average, as in MIRE."""


_OWN = 0.2
"""Share of utterances that nobody else says, where texts repeat."""


def _utterance(draw: random.Random, number: int, repeats: bool) -> str:
    text = draw.choice(_ASKS if number % 2 == 0 else _REPLIES)
    place = draw.randint(10, 99) if repeats else number
    text = text.format(p=draw.choice(_GOODS), n=place, d=10**9 + place)
    own = text and (not repeats or draw.random() < _OWN)
    return f"{text}编号{number}" if own else text


def dialogues(utterances: int, repeats: bool) -> Iterator[list[str]]:
    """Dialogues that have so many utterances together; user and agent take turns."""
    draw = random.Random(7)
    number = 0
    while number < utterances:
        size = min(draw.randint(*_TURNS), utterances - number)
        yield [_utterance(draw, 2 * (number + place) + place % 2, repeats) for place in range(size)]
        number += size


def write(folder: Path, utterances: int, repeats: bool) -> None:
    """Write the same utterances as `chats.jsonl` (a dialogue a line) and as `texts.parquet` (an utterance a row)."""
    texts: list[str] = []
    with open(folder / "chats.jsonl", "w", encoding="utf-8") as stream:
        for number, said in enumerate(dialogues(utterances, repeats)):
            messages = [
                {"role": "assistant" if place % 2 else "user", "content": text} for place, text in enumerate(said)
            ]
            stream.write(json.dumps({"id": str(number), "messages": messages}, ensure_ascii=False) + "\n")
            texts += said
    table = pa.table({"id": [str(number) for number in range(len(texts))], "text": texts})
    pq.write_table(table, folder / "texts.parquet", row_group_size=16384)
