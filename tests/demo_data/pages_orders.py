"""Pages about an order: failed, placed, paid, under way."""

from tests.demo_data.content import HUBS, Facts
from tests.demo_data.drawings import thumbnail
from tests.demo_data.parts import (
    action_bar,
    button,
    buttons,
    card,
    heading,
    hero,
    item,
    notes,
    p,
    pairs,
    screen,
    steps,
    tabs,
    total,
)


def order_failed_popup(f: Facts) -> str:
    """Confirming an order, with the refusal on top. headline; lines: the reason; left and right: its buttons."""
    behind = card(p(f.person() + "　" + f.phone(), "b"), p(f.place(), "s")) + card(heading(f.shop), item(f))
    behind += card(pairs(f.rows([("配送方式", "快递 免邮"), ("运费险", "已赠送"), ("店铺优惠", "无可用")])))
    headline = p(f.text("headline", "提交订单失败"), "b big")
    reason = notes(f.lines(["您选择的商品库存不足，请减少数量或更换规格后重试"]), "s")
    pair = f"<span>{f.text('left', '取消')}</span><span>{f.text('right', '返回修改')}</span>"
    popup = f'<div class="popup"><div class="say">{headline}{reason}</div><div class="pair">{pair}</div></div>'
    bar = action_bar(f'合计：<b class="accent">{f.price}</b>', "提交订单")
    return screen(f, "确认订单", behind, bar + '<div class="mask"></div>' + popup)


def order_detail(f: Facts) -> str:
    """An order. status and note: its head; rows: the lower table; order, address; lines: a remark."""
    status = f.text("status", f.pick("卖家已发货", "等待卖家发货", "交易成功"))
    note = f.text("note", f"还剩{f.count(1, 9)}天{f.count(1, 23)}小时自动确认收货")
    who = card(p(f.person() + "　" + f.phone(), "b"), p(f.place(), "s dim"))
    paid = f.moment()
    rows = f.rows([("订单编号", f.order()), ("创建时间", paid), ("付款时间", paid), ("配送方式", f.carrier())])
    remark = notes(f.lines([]), "s gap")
    goods = card(heading(f.shop), item(f), total("实付款", f.price), buttons("申请售后", "加入购物车"))
    bar = action_bar("更多", "查看物流", "确认收货")
    return screen(f, "订单详情", hero(status, note) + who + goods + card(heading("订单信息"), pairs(rows), remark), bar)


def payment(f: Facts) -> str:
    """The result of paying. status; rows: how and when; lines: advice."""
    status = f.text("status", "支付成功")
    failed = "失败" in status
    mark = f'<p class="huge {"dim" if failed else "accent"}">{"×" if failed else "✓"}</p>'
    head = f'<div class="center">{mark}{p(status, "big b")}{p(f.price, "huge b")}{p(f.shop, "s dim")}</div>'
    rows = f.rows(
        [
            ("付款方式", f.pick("储蓄卡(尾号0000)", "账户余额", "先用后付")),
            ("商品说明", f.title),
            ("交易单号", f.order()),
            ("付款时间", f.moment()),
        ]
    )
    lines = f.lines(["如遇陌生来电要求转账或提供验证码，请勿相信。"])
    again = "重新支付" if failed else "查看订单"
    return screen(f, "支付结果", card(head) + card(pairs(rows)) + card(notes(lines)) + button(again, "full wide"))


def bill(f: Facts) -> str:
    """One entry of the account's bill. status; rows: the entry; lines: what can be done."""
    sign = f.text("sign", "-")
    head = f'<div class="center">{p(f.shop)}{p(sign + f"{f.amount:.2f}", "huge b")}'
    head += p(f.text("status", "交易成功"), "s dim") + "</div>"
    rows = f.rows(
        [
            ("支付时间", f.moment()),
            ("付款方式", "账户余额"),
            ("商品", f.title),
            ("订单金额", f.price),
            ("红包抵扣", "-¥0.00"),
            ("交易单号", f.order()),
            ("账单分类", "日用百货"),
        ]
    )
    service = card(heading("账单服务"), notes(f.lines(["查看往来记录", "申请电子回单", "对此订单有疑问"]), "s gap"))
    return screen(f, "账单详情", card(head) + card(pairs(rows)) + service)


def logistics_list(f: Facts) -> str:
    """Parcels under way. rows: [state, last news], one card each."""
    rows = f.rows(
        [
            ("运输中", f"快件离开【{HUBS[0]}】，发往【{HUBS[1]}】"),
            ("派送中", "快递员正在派送，请保持电话畅通"),
            ("待取件", "快件已到驿站，请凭取件码取件"),
            ("已签收", "快件已签收，签收人：本人"),
        ]
    )
    cards = "".join(_parcel(f, state, news, i) for i, (state, news) in enumerate(rows))
    return screen(f, "我的快递", tabs("全部", "运输中", "派送中", "待取件", "已签收") + cards)


def _parcel(f: Facts, state: str, news: str, index: int) -> str:
    number = f"{f.carrier()} {f.text('number', 'FY' + f.digits(12)) if index == 0 else 'QL' + f.digits(12)}"
    picture = thumbnail(f.rng, f.title if index == 0 else f.pick("杯", "鞋", "灯", "包", "箱"), 64, 64)
    words = p(state, "b accent") + p(news, "s") + p(number, "xs dim")
    return card(f'<div class="item">{picture}<div class="grow">{words}</div></div>', buttons("查看物流"))


def logistics_track(f: Facts) -> str:
    """A parcel's way. rows: [sentence, time], newest first; or lines: sentences only; number, carrier, status."""
    said = f.lines(
        [
            f"【{HUBS[4]}】快递员{f.person()[0]}师傅正在派送，电话{f.phone()}",
            f"快件到达【{HUBS[4]}】",
            f"快件离开【{HUBS[1]}】，发往【{HUBS[4]}】",
            f"快件到达【{HUBS[1]}】",
            f"【{HUBS[0]}】已揽收",
            "商家已发货，等待快递公司揽收",
        ]
    )
    month, day, rows = f.count(1, 12), f.count(10, 28), []
    for i, line in enumerate(said):
        rows.append((line, f"2025-{month:02d}-{day - i // 2:02d} {20 - i % 2 * 9:02d}:{f.count(10, 59)}"))
    number = f.text("number", "FY" + f.digits(12))
    picture = thumbnail(f.rng, f.title, 60, 60)
    words = p(f.text("status", "派送中"), "b accent big") + p(f"{f.carrier()} {number}　复制", "s")
    head = card(f'<div class="item">{picture}<div class="grow">{words}</div></div>')
    to = card(p(f"收货地址：{f.place()}", "s"))
    return screen(f, "物流详情", head + card(steps(f.rows(rows))) + to)


def logistics_problem(f: Facts) -> str:
    """A parcel in trouble. headline; lines: what happened; rows: facts; left and right: buttons."""
    headline = f.text("headline", "包裹异常：长时间未更新")
    lines = f.lines(["您的包裹已超过72小时没有新的物流信息，我们已通知快递公司核实。", "预计48小时内给出处理结果。"])
    rows = f.rows(
        [
            ("快递公司", f.carrier()),
            ("运单号", f.text("number", "FY" + f.digits(12))),
            ("最后位置", HUBS[1]),
            ("更新时间", f.moment()),
        ]
    )
    act = buttons(f.text("left", "催促快递"), f.text("right", "申请赔付"))
    body = hero(headline, f.text("note", "平台正在跟进")) + card(heading("处理进度"), notes(lines, "gap"), act)
    return screen(f, "异常件处理", body + card(heading("运单信息"), pairs(rows)) + card(heading(f.shop), item(f)))
