"""Pages about what went wrong: refund, return, exchange, complaint; and what does not come from the app at all."""

from tests.demo_data.content import Facts
from tests.demo_data.drawings import SHAPES, drawing, shade, shape_of
from tests.demo_data.parts import (
    action_bar,
    button,
    card,
    choices,
    document,
    heading,
    hero,
    item,
    nav,
    notes,
    p,
    pairs,
    screen,
    status_bar,
    steps,
    total,
)


def refund(f: Facts) -> str:
    """A refund. status, note; lines: the talk about it; rows: its table; reason."""
    status = f.text("status", f.pick("退款成功", "等待商家处理", "商家拒绝退款"))
    where = "退款成功" in status
    sums = total("退款金额", f.price) + p("已原路退回，预计1-3个工作日到账" if where else "商家同意后原路退回", "s dim")
    talk = f.lines(["买家发起了退款申请，货物状态：已收到货"])
    rows = f.rows(
        [
            ("退款原因", f.text("reason", f.pick("商品破损", "质量问题", "不喜欢/不想要", "少件漏发"))),
            ("退款金额", f.price),
            ("申请时间", f.moment()),
            ("退款编号", f.order()),
        ]
    )
    body = hero(status, f.text("note", f.moment())) + card(sums) + card(heading("协商历史"), notes(talk, "s gap"))
    bar = action_bar("联系商家", "撤销申请", "平台介入")
    return screen(f, "退款详情", body + card(heading("退款信息"), item(f), pairs(rows)), bar)


def return_goods(f: Facts) -> str:
    """Sending goods back. status, note; address; lines: what to heed; rows: the form."""
    head = hero(
        f.text("status", "请寄回商品并填写物流单号"), f.text("note", f"还剩{f.count(2, 6)}天{f.count(1, 23)}小时")
    )
    to = card(heading("退货地址"), p(f"收件人：售后部　{f.phone()}", "s gap"), p(f.place(), "s"))
    lines = f.lines(["请保持商品及吊牌完好，附件齐全。", "请勿使用到付，拒收到付件。", "运费险将在签收后自动赔付。"])
    rows = f.rows([("物流公司", "请选择"), ("物流单号", "请填写或扫码"), ("联系电话", f.phone()), ("退货说明", "选填")])
    form = card(heading("填写退货物流"), pairs(rows))
    goods = card(heading(f.shop), item(f))
    return screen(f, "退货退款", head + to + card(notes(lines, "s")) + form + goods + button("提交", "full wide"))


def exchange(f: Facts) -> str:
    """Asking for another one. rows: the form; lines: notices; options: what it may be swapped for; reason."""
    options = [str(option) for option in f.given.get("options", ["同款同规格", "更换颜色", "更换尺码"])]
    rows = f.rows(
        [
            ("换货原因", f.text("reason", f.pick("尺码不合适", "颜色发错", "商品破损"))),
            ("换货数量", "1件"),
            ("收货人", f"{f.person()} {f.phone()}"),
            ("收货地址", f.place()),
        ]
    )
    lines = f.lines(["商家同意后请在7天内寄回原商品。", "换货商品将在商家收货后48小时内寄出。"])
    body = card(heading(f.shop), item(f)) + card(heading("换货类型"), choices(options)) + card(pairs(rows))
    return screen(f, "申请换货", body + card(notes(lines)) + button("提交申请", "full wide"))


def complaint(f: Facts) -> str:
    """A complaint about a shop. status; reason; lines: what the buyer wrote; rows: its table."""
    reason = f.text("reason", "虚假宣传")
    lines = f.lines(["页面写的是加厚款，收到的明显是薄款，客服一直不处理，要求退一赔三。"])
    rows = f.rows(
        [
            ("投诉对象", f.shop),
            ("投诉类型", reason),
            ("关联订单", f.order()),
            ("提交时间", f.moment()),
            ("联系电话", f.phone()),
        ]
    )
    head = hero(f.text("status", "投诉已受理"), f.text("note", "平台将在3个工作日内回复"))
    text = card(heading("投诉内容"), "".join(f'<div class="bubble">{line}</div>' for line in lines))
    return screen(
        f, "投诉详情", head + text + card(pairs(rows)) + card(item(f)), action_bar("", "补充凭证", "撤销投诉")
    )


def intervention(f: Facts) -> str:
    """The platform judging a quarrel. status, note; rows: [sentence, time], newest first; lines: the verdict."""
    verdict = f.lines(["经核实，商品存在质量问题，支持买家退货退款，运费由商家承担。"])
    day = f.date()
    rows = f.rows(
        [
            ("平台客服已作出判定", f"{day} 18:20"),
            ("商家提交凭证：发货前质检照片2张", f"{day} 15:04"),
            ("买家提交凭证：开箱视频1段、照片3张", f"{day} 11:37"),
            ("买家申请平台介入", f"{day} 10:52"),
        ]
    )
    head = hero(f.text("status", "平台已处理完成"), f.text("note", "判定结果：支持买家"))
    body = (
        head
        + card(heading("处理结果"), notes(verdict, "gap"))
        + card(heading("处理记录"), f'<div class="gap">{steps(rows)}</div>')
    )
    return screen(f, "平台介入", body + card(heading(f.shop), item(f), total("争议金额", f.price)))


def sms(f: Facts) -> str:
    """The phone's own messages. sender; lines: one message each; rows: [time, message] instead."""
    said = f.lines(
        [
            f"【飞燕快递】您的包裹已到云溪市杨柳路驿站，取件码{f.digits(1)}-{f.digits(1)}-{f.digits(4)}，请于20:00前领取。",
            "【飞燕快递】您的包裹已签收，如非本人签收请联系派送员。",
            f"【{f.shop}】亲，您的退款已处理，预计1-3个工作日到账，回T退订",
        ]
    )
    rows = f.rows([(f"{f.count(1, 12)}月{f.count(1, 28)}日 {f.clock()}", line) for line in said])
    talk = "".join(p(time, "center xs dim gap") + f'<div class="sms">{line}</div>' for time, line in rows)
    sender = f.text("sender", "1069" + f.digits(8))
    f.accent = "#2f6fd6"
    write = '<div class="bar" data-chrome><span class="grow dim">短信</span><span class="accent b">发送</span></div>'
    return document(f, status_bar(f) + nav(sender) + talk + write, "barred")


def photo(f: Facts) -> str:
    """A photo of a thing on a table. object: a shape's name; mark: crack or stain; text: a label, if any."""
    name = str(f.given.get("object", shape_of(f.title)))
    if name not in SHAPES:
        raise ValueError(f"photo of {name!r}: choose one of {', '.join(SHAPES)}")
    turn, wall, table = f.count(-14, 14), shade(f.rng, 78), shade(f.rng, 58)
    size = f.count(86, 108)
    thing = drawing(f.rng, name, str(f.given.get("mark", "")))
    svg = (
        '<svg viewBox="0 0 120 180" preserveAspectRatio="xMidYMid slice">'
        f'<path d="M0 0h120v180H0z" fill="{wall}"/><path d="M0 104 120 96v84H0z" fill="{table}"/>'
        '<ellipse cx="60" cy="130" rx="40" ry="9" opacity=".25"/>'
        f'<g transform="translate(60 90) rotate({turn}) scale({size / 100}) translate(-50 -50)">{thing}</g>'
        '<path d="M0 0h46L0 70z" fill="#fff" opacity=".16"/></svg>'
    )
    label = f.text("text", "")
    words = f'<div class="label"><span>{label}</span></div>' if label else ""
    return document(f, f'<div class="camera">{svg}{words}</div>')


def manual(f: Facts) -> str:
    """A page of a leaflet. headline; lines: numbered steps; rows: [heading, sentence]; page."""
    figure = f'<svg viewBox="0 0 100 100">{drawing(f.rng, shape_of(f.title))}</svg>'
    lines = f.lines(
        [
            "首次使用前请用清水洗净并晾干。",
            "按图示方向安装，听到咔哒声即可。",
            "请勿放入微波炉或接触明火。",
            "连续使用请勿超过8小时。",
            "请存放于阴凉干燥处，远离儿童。",
        ]
    )
    rows = f.rows(
        [("清洁保养", "用软布擦拭，请勿使用强酸强碱清洁剂。"), ("保修说明", "自购买之日起保修12个月，人为损坏除外。")]
    )
    items = "".join(f"<li>{line}</li>" for line in lines)
    parts = "".join(f"<h2>{key}</h2>{p(value, 's')}" for key, value in rows)
    foot = p("— " + f.text("page", str(f.count(2, 9))) + " —", "center s gap")
    body = f"<h1>{f.text('headline', '使用说明书')}</h1>" + p(f.title, "center s gap")
    body += (
        f'<div class="photo" style="width:150px;height:150px">{figure}</div><h2>使用方法</h2><ol>{items}</ol>{parts}'
    )
    return document(f, body + foot, "leaflet")
