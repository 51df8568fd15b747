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
