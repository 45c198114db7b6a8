"""The kinds of pages, by name."""

from typing import Any

from tests.demo_data import pages_goods, pages_help, pages_orders
from tests.demo_data.content import Builder, Facts

KINDS: dict[str, Builder] = {
    "sku_options": pages_goods.sku_options,
    "product_head": pages_goods.product_head,
    "product_detail": pages_goods.product_detail,
    "spec_table": pages_goods.spec_table,
    "order_failed_popup": pages_orders.order_failed_popup,
    "order_detail": pages_orders.order_detail,
    "payment": pages_orders.payment,
    "reviews": pages_goods.reviews,
    "logistics_list": pages_orders.logistics_list,
    "logistics_track": pages_orders.logistics_track,
    "logistics_problem": pages_orders.logistics_problem,
    "refund": pages_help.refund,
    "return_goods": pages_help.return_goods,
    "exchange": pages_help.exchange,
    "cart": pages_goods.cart,
    "shop": pages_goods.shop,
    "activity": pages_goods.activity,
    "coupons": pages_goods.coupons,
    "bill": pages_orders.bill,
    "complaint": pages_help.complaint,
    "intervention": pages_help.intervention,
    "sms": pages_help.sms,
    "photo": pages_help.photo,
    "manual": pages_help.manual,
}


def build(kind: str, facts: dict[str, Any]) -> str:
    """HTML of a page of this kind that says these facts."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of page {kind!r}: choose one of {', '.join(KINDS)}")
    return KINDS[kind](Facts(facts))
