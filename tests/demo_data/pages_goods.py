"""Pages about what is for sale: options, product, shop, activity, reviews, cart, coupons."""

from tests.demo_data.content import ITEMS, Facts
from tests.demo_data.drawings import thumbnail
from tests.demo_data.parts import (
    action_bar,
    app_bar,
    button,
    card,
    choices,
    heading,
    item,
    notes,
    p,
    pairs,
    screen,
    tabs,
    tags,
)


def sku_options(f: Facts) -> str:
    """Choosing colour and size. rows: [name, "option/option/option"], or sku: a list of options; the first is chosen."""
    given = f.given.get("sku")
    options = [("规格", "/".join(given))] if isinstance(given, list) else []
    rows = f.rows(
        [
            *(options or [("颜色分类", "雾霾蓝/燕麦色/炭黑色/墨绿色"), ("规格", "标准款/加大款/两件装")]),
            ("套餐", "单品/礼盒装"),
        ]
    )
    stock = f.text("stock", f"库存{f.count(3, 400)}件")
    first = "；".join(values.split("/")[0] for _, values in rows)
    chosen = first if options else f.text("sku", first)
    picture = thumbnail(f.rng, f.title, 110, 110)
    head = f'<div class="item">{picture}<div class="grow">{p(f.price, "accent b huge")}{p(stock, "s dim")}'
    head += f"{p(f'已选：{chosen}', 's')}</div></div>"
    gone = int(f.given.get("gone", -1))
    groups = "".join(heading(name) + choices(values.split("/"), 0, gone) for name, values in rows)
    count = '<div class="row"><span>购买数量</span><span>－　1　＋</span></div>'
    lines = notes(f.lines(["限购2件，下单后48小时内发货"]))
    return screen(f, "选择规格", card(head, p(f.title, "s")) + card(groups, count, lines), button("确定", "full wide"))


def product_head(f: Facts) -> str:
    """Top of a product's page. rows: services; lines: promises under the title; was: the struck price."""
    was = f.text("was", f"¥{f.amount * 1.5:.2f}")
    sold = f'<span class="right dim s">{f.text("sold", f"已售{f.count(2, 90)}00+")}</span>'
    price = f'<p>{sold}<span class="accent b huge">{f.price}</span> <span class="strike">{was}</span></p>'
    labels = p(tags(*f.lines(["包邮", "退货包运费", "7天无理由退货"])), "gap")
    rows = f.rows(
        [
            ("发货", "48小时内发货，快递免运费"),
            ("保障", "运费险 · 破损包赔 · 极速退款"),
            ("已选", f.given.get("sku", f.sku)),
        ]
    )
    stars = card(p("宝贝评价(1286)　好评率97%", "b"), p("质量不错，做工细致，和图片一致，会回购。", "gap"))
    body = thumbnail(f.rng, f.title, 360, 300) + card(price, p(f.title, "b big"), labels) + card(pairs(rows, True))
    return screen(f, "", body + stars, action_bar("店铺　客服　收藏", "加入购物车", "立即购买"))


def product_detail(f: Facts) -> str:
    """The long description. lines: its sentences, each beside a picture; rows: a closing table."""
    lines = f.lines(["优选材质，触感柔和", "细密走线，久用不变形", "多种颜色，搭配随心"])
    blocks = "".join(card(thumbnail(f.rng, f.title, 320, 190), p(line, "center b gap")) for line in lines)
    rows = f.rows([("适用场景", "居家、办公、出行"), ("温馨提示", "手工测量存在1～3cm误差")])
    return screen(f, "图文详情", card(p(f.title, "b big center")) + blocks + card(pairs(rows)))


def spec_table(f: Facts) -> str:
    """The table of what a product is made of. rows: its rows; lines: the small print."""
    rows = f.rows(
        [
            ("品名", f.title),
            ("型号", f"MX-{f.digits(4)}"),
            ("材质", "聚酯纤维70%　棉30%"),
            ("净重", f"约{f.count(200, 1800)}g"),
            ("尺寸", "38×26×14cm"),
            ("颜色", "雾霾蓝、燕麦色、炭黑色"),
            ("执行标准", "QB/T 0000-2020"),
            ("产地", "云溪市"),
            ("保修期", "12个月"),
            ("注意事项", "请勿长时间暴晒，避免接触尖锐物"),
        ]
    )
    table = "<table>" + "".join(f"<tr><td>{key}</td><td>{value}</td></tr>" for key, value in rows) + "</table>"
    lines = f.lines(["价格说明：划线价为参考价，成交价以订单结算页为准。", "实物颜色因屏幕显示可能略有差异。"])
    return screen(f, "产品参数", card(heading("参数信息"), table) + card(notes(lines)))


def reviews(f: Facts) -> str:
    """What buyers say. lines: one review each; rows: [buyer, review] instead; reply: the shop's answer."""
    said = f.lines(
        [
            "包装严实没有破损，颜色很正，大小刚刚好，值得购买。",
            "物流很快，第二天就到了，就是客服回复有点慢。",
            "说实话有点失望，比想象的薄，洗了两次还掉毛。",
            "给爸妈买的，操作简单，字也大，他们很喜欢。",
        ]
    )
    rows = f.rows([(f.pick("云***9", "t***6", "小***鱼", "阿***木"), line) for line in said])
    reply = f.text("reply", "感谢您的支持，我们会继续努力。")
    cards = "".join(_review(f, name, line, reply if i == 0 else "") for i, (name, line) in enumerate(rows))
    return screen(f, "全部评价", tabs("全部", "好评", "中评", "差评", "有图") + cards)


def _review(f: Facts, name: str, line: str, reply: str) -> str:
    stars = "★" * f.count(3, 5)
    face = f'<span class="face">{name[0]}</span>'
    day = f'<span class="right xs dim">{f.date()}</span>'
    head = f'<div class="item">{face}<div class="grow">{p(f"{day}{name}", "s")}{p(stars, "accent xs")}</div></div>'
    picture = thumbnail(f.rng, f.title, 84, 84) if f.rng.random() < 0.4 else ""
    answer = f'<div class="bubble s">商家回复：{reply}</div>' if reply else ""
    return card(head, p(line), p(f.sku, "xs dim"), picture, answer)


def cart(f: Facts) -> str:
    """The shopping cart: the product first. lines: labels under it; rows: [title, price] of other products."""
    others = f.rows([(title, price) for title, _, price in f.rng.sample(ITEMS, 2) if title != f.title])
    labels = p(tags(*f.lines(["满200减20", "7天无理由"])))
    first = card(p(f'<span class="circle on"></span>{f.shop}', "b"), item(f), labels)
    rest = "".join(_other(f, title, price) for title, price in others)
    bar = action_bar(f'<span class="circle"></span>全选　合计：<b class="accent">{f.price}</b>', "结算(1)")
    return screen(f, "购物车", tabs("全部", "降价", "常购", "失效") + first + rest, bar)


def _other(f: Facts, title: str, price: str) -> str:
    sum_ = price if price.startswith("¥") else f"¥{price}"
    picture = thumbnail(f.rng, title, 80, 80)
    return card(
        f'<div class="item"><span class="circle"></span>{picture}<div class="grow">{p(title)}{p(sum_, "accent b gap")}'
        "</div></div>"
    )


def shop(f: Facts) -> str:
    """A shop's front page. rows: [title, price] of its goods; lines: its notices."""
    goods = f.rows([(title, price) for title, _, price in f.rng.sample(ITEMS, 4)])
    fans = f"店铺评分{f.pick('4.7', '4.8', '4.9')}　粉丝{f.count(1, 90)}.{f.count(1, 9)}万"
    follow = f'<span class="right">{button("关注", "full")}</span>'
    face = f'<span class="face">{f.shop[0]}</span>'
    head = card(f'<div class="item">{face}<div class="grow">{follow}{p(f.shop, "b big")}{p(fans, "s dim")}</div></div>')
    news = card(heading("店铺公告"), notes(f.lines(["每日16点前付款当天发货", "收藏店铺领5元无门槛券"]), "s"))
    cells = "".join(
        f"<div>{thumbnail(f.rng, title, 168, 128)}{p(title, 's')}{p(_yen(price), 'accent b')}</div>"
        for title, price in goods
    )
    tab_bar = tabs("首页", "全部宝贝", "新品", "活动")
    return screen(f, "", head + news + tab_bar + f'<div class="grid">{cells}</div>', app_bar("首页"))


def _yen(price: str) -> str:
    return price if price.startswith("¥") else f"¥{price}"


def activity(f: Facts) -> str:
    """A sales event. headline and period above; lines: its rules; rows: [step, discount]."""
    headline, period = f.text("headline", "焕新购物节"), f.text("period", "6月1日00:00 — 6月18日23:59")
    top = f'<div class="banner">{p(headline, "huge b")}{p(period, "s")}</div>'
    rows = f.rows([("满200元", "减20元"), ("满400元", "减50元"), ("前100名下单", "赠运费券")])
    rules = f.lines(
        [
            "1. 活动商品以页面标识为准，数量有限，售完即止。",
            "2. 满减可与店铺券叠加，不与会员价同享。",
            "3. 拍下后30分钟内未付款，订单自动关闭。",
            "4. 退款后优惠按比例扣回，赠品需一并退回。",
        ]
    )
    offer = card(heading("优惠内容"), pairs(rows))
    return screen(f, "活动详情", top + offer + card(item(f)) + card(heading("活动规则"), notes(rules, "s gap")))


def coupons(f: Facts) -> str:
    """Coupons held. rows: [worth, condition]; lines: limits, used in turn; state: the word on the button."""
    rows = f.rows(
        [("5", "无门槛"), ("20", "满200元可用"), ("50", "满400元可用"), ("8折", "最高减30元"), ("10", "满99元可用")]
    )
    limits, state = f.lines(["仅限部分商品使用", "全店通用", "不可与其他优惠叠加"]), f.text("state", "去使用")
    cells = "".join(_coupon(f, worth, rule, limits[i % len(limits)], state) for i, (worth, rule) in enumerate(rows))
    return screen(f, "我的优惠券", tabs("可使用", "快过期", "已使用", "已失效") + cells)


def _coupon(f: Facts, worth: str, rule: str, limit: str, state: str) -> str:
    sign = f"¥{worth}" if worth.replace(".", "").isdigit() else worth
    until = f.text("until", f"有效期至{f.date()}")
    left = f'<div class="worth">{p(sign, "b huge")}{p(rule, "xs")}</div>'
    return (
        f'<div class="coupon">{left}<div class="grow">{p(f.shop, "b")}{p(limit, "s dim")}{p(until, "xs dim")}'
        f'<div class="buttons">{button(state)}</div></div></div>'
    )
