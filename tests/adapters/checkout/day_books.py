"""Daily bills as Alipay and WeChat Pay write them, from the documented columns and from the files that others have published."""

import gzip
import hashlib
import io
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

CHINA = timezone(timedelta(hours=8))
DAY = date(2026, 11, 27)
SELLER = "2088000000000001"
MERCHANT = "1900000001"


class Moved(NamedTuple):
    """A movement; `fen` is negative where money left."""

    ref: str
    word: str
    fen: int
    business: str = "4200001"
    own: str = "ours1"
    time: str = "12:00:00"
    text: str = "Credit"  #: what others wrote about it


class Back(NamedTuple):
    """A refund in the list of trades: `number` is ours at Alipay, theirs at WeChat Pay."""

    payment: str
    number: str
    fen: int
    own: str = "ours1"


def at_s(day: date = DAY, hour: int = 12) -> float:
    return datetime(day.year, day.month, day.day, hour, tzinfo=CHINA).timestamp()


def yuan(fen: int) -> str:
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02}"


def alipay_flows(moved: Sequence[Moved], day: date = DAY, *, seller: str = SELLER) -> str:
    came, left = [one.fen for one in moved if one.fen > 0], [one.fen for one in moved if one.fen <= 0]
    rows = [
        f"{one.ref}\t,{one.business}\t,{one.own}\t,{one.text}\t,{day} {one.time},buyer (b***@example.com)\t,"
        f"{yuan(max(one.fen, 0))},{yuan(min(one.fen, 0))},100.00,支付宝,{one.word},\t"
        for one in moved
    ]
    columns = "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注"  # noqa: RUF001  # as they write it
    return _alipay("账务明细", day, seller, [columns, *rows], (came, left))


def alipay_trades(back: Sequence[Back], day: date = DAY, *, seller: str = SELLER) -> str:
    columns = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,对方账户,订单金额（元）,商家实收（元）,退款批次号/请求号,服务费（元）,备注"  # noqa: RUF001  # likewise
    paid = f"2026112722001\t,{back[0].own if back else 'x'}\t,交易,Credit,{day} 11:00:00,{day} 11:00:00,b***,119.00,119.00,,-0.72,"
    rows = [
        f"{one.payment}\t,{one.own}\t,退款,Credit,{day} 11:00:00,{day} 12:00:00,b***,{yuan(-one.fen)},{yuan(-one.fen)},{one.number}\t,0.00,"
        for one in back
    ]
    return _alipay("业务明细", day, seller, [columns, paid, *rows], ([], []))


def _alipay(
    name: str, day: date, seller: str, table: Sequence[str], sides: tuple[Sequence[int], Sequence[int]]
) -> str:
    came, left = sides
    lines = [
        f"#支付宝{name}查询",
        f"#账号：[{seller}0156]",  # noqa: RUF001  # likewise
        f"#起始日期：[{day} 00:00:00]   终止日期：[{day + timedelta(days=1)} 00:00:00]",  # noqa: RUF001  # likewise
        f"#-----------------------------------------{name}列表----------------------------------------",
        *table,
        f"#-----------------------------------------{name}列表结束------------------------------------",
        f"#支出合计：{len(left)}笔，共{yuan(sum(left))}元",  # noqa: RUF001  # likewise
        f"#收入合计：{len(came)}笔，共{yuan(sum(came))}元",  # noqa: RUF001  # likewise
        "#导出时间：[2026年11月28日 09:29:56]",  # noqa: RUF001  # likewise
    ]
    return "\r\n".join(lines) + "\r\n"


def zipped(text: str, *more: tuple[str, bytes]) -> bytes:
    """With the file of sums before it, as it comes."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as archive:
        sums = "#支付宝账务汇总查询\r\n类型,收入笔数,收入金额（+元）,支出笔数,支出金额（-元）\r\n合计,1,1.00,0,0.00\r\n"  # noqa: RUF001  # likewise
        archive.writestr("sums.csv", sums.encode("gbk"))
        archive.writestr("rows.csv", text.encode("gb18030"))
        for name, content in more:
            archive.writestr(name, content)
    return raw.getvalue()


def wechat_flows(moved: Sequence[Moved], day: date = DAY) -> str:
    came, left = [one.fen for one in moved if one.fen > 0], [one.fen for one in moved if one.fen <= 0]
    rows = [
        f"`{day} {one.time},`{one.business},`{one.ref},`{one.word},`{one.word},`{'收入' if one.fen > 0 else '支出'},"
        f"`{yuan(abs(one.fen))},`100.00,`system,`{one.text},`{one.own}"
        for one in moved
    ]
    foot = (len(moved), len(came), sum(came) / 100, len(left), -sum(left) / 100)
    lines = [
        "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,业务凭证号",  # noqa: RUF001  # likewise
        *rows,
        "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额",
        ",".join(f"`{float(one)}" for one in foot),
    ]
    return "\r\n".join(lines) + "\r\n"


def wechat_trades(back: Sequence[Back], day: date = DAY, *, merchant: str = MERCHANT) -> str:
    def row(payment: str, own: str, state: str, refund: str, refunded: str) -> str:
        return (
            f"`{day} 12:00:00,`wx0000000000000001,`{merchant},`0,`,`{payment},`{own},`openid,`NATIVE,`{state},`OTHERS,`CNY,"
            f"`119.00,`0.00,`{refund},`{own}r,`{refunded},`0.00,`ORIGINAL,`SUCCESS,`Credit, order,`attach,`0.72000,`0.60%"
        )

    lines = [
        (
            "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,"
            "微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率"
        ),
        row("4200001", "ours1", "SUCCESS", "0", "0.00"),
        *(row(one.payment, one.own, "REFUND", one.number, yuan(one.fen)) for one in back),
        "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额",
        f"`{len(back) + 1}.0,`119.00,`0.00,`0.00,`0.72000,`119.00,`0.00",
    ]
    return "\r\n".join(lines) + "\r\n"


def gzipped(text: str) -> bytes:
    return gzip.compress(text.encode(), mtime=0)


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
