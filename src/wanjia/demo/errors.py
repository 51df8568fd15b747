from wanjia.kernel.errors import Refusal, Sentence


class HomeNotOurs(Refusal):
    """The demo would have to clear a folder it did not make."""

    code = "demo.home_not_ours"
    status = 409
    facts = ("home",)
    what = Sentence(
        "文件夹 {home} 里有不属于演示的内容，没有改动任何文件。",
        "The folder {home} holds something that is not a demo; nothing in it was touched.",
    )
    cure = Sentence(
        "请用 --home 指定一个空文件夹，或自行清空后再试。",
        "Name an empty folder with --home, or empty this one yourself.",
    )


class PortTaken(Refusal):
    """Another program listens on the port."""

    code = "demo.port_taken"
    status = 409
    facts = ("port",)
    what = Sentence(
        "端口 {port} 已被占用，网站没有启动；演示数据完好。",
        "Port {port} is taken; the site was not started. The demo's data is intact.",
    )
    cure = Sentence(
        "换一个端口再试：.venv/bin/wanjia demo --port 8001", "Try another: .venv/bin/wanjia demo --port 8001"
    )


class SiteDidNotStart(Refusal):
    """The server ended or did not answer in time."""

    code = "demo.site_did_not_start"
    status = 500
    facts = ("log",)
    what = Sentence(
        "网站没有在规定时间内启动；演示数据完好。", "The site did not start in time; the demo's data is intact."
    )
    cure = Sentence("原因写在 {log}。", "The reason stands in {log}.")


class CountyUnknown(Refusal):
    """The demo needs a county of the loaded divisions."""

    code = "demo.county_unknown"
    status = 404
    facts = ("county_code",)
    what = Sentence("行政区划中没有代码为 {county_code} 的县。", "There is no county with the code {county_code}.")
    cure = Sentence(
        "请使用广西的六位县级代码，例如 451228(都安瑶族自治县)。",
        "Use a six-digit county code of Guangxi, such as 451228.",
    )
