"""Refusals of the office shell."""

from __future__ import annotations

from wanjia.kernel.errors import Refusal, Sentence


class AreaNotYours(Refusal):
    """The area asked for lies outside every grant of the viewer, or is no area at all."""

    code = "office.area_not_yours"
    status = 404
    what = Sentence("没有找到这个区域，或它不在您的管辖范围内。", "There is no such area, or it lies outside yours.")
    cure = Sentence("请从上方的区域列表中选择。", "Choose one from the list at the top of the page.")
