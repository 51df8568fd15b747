from wanjia.kernel.errors import Refusal, Sentence


class MetricsClosed(Refusal):
    """Figures are for the machine itself and for who holds the token."""

    code = "config.metrics_closed"
    status = 403
    facts = ()
    what = Sentence(
        "运行指标只对本机或持有令牌的监控系统开放。",
        "Metrics are open to this machine and to monitoring that holds the token.",
    )
    cure = Sentence(
        "请在本机直接访问，或设置 WANJIA_METRICS_TOKEN 并在请求头 Authorization 中携带该令牌。",
        "Ask on the machine itself, not through the proxy, or set WANJIA_METRICS_TOKEN and send it as a bearer token.",
    )


class AlreadyRunning(Refusal):
    """A second server or worker on one SQLite installation."""

    code = "config.already_running"
    status = 409
    facts = ("command", "process", "home")
    what = Sentence(
        "{home} 上已有 wanjia {command} 在运行（进程 {process}），没有再启动一个；数据完好。",
        "wanjia {command} is already running on {home} (process {process}); no second one was started. "
        "The data is intact.",
    )
    cure = Sentence(
        "请使用正在运行的那个，或先停止它。需要多个进程时，请改用 PostgreSQL(WANJIA_DATABASE_URL)。",
        "Use the one that runs, or stop it first. For several processes use PostgreSQL (WANJIA_DATABASE_URL).",
    )


class RoutesUnsound(Refusal):
    """A route does not say who may call it, or the URL table is otherwise wrong."""

    code = "config.routes_unsound"
    status = 503
    facts = ("problems",)
    what = Sentence(
        "网址表自检未通过，网站没有启动；数据完好。{problems}",
        "The table of addresses fails its own checks and the site did not start; the data is intact. {problems}",
    )
    cure = Sentence(
        "请恢复原来的程序，或请修改者为每个网址声明访问权限。",
        "Go back to the program of before, or have each address say who may call it.",
    )
