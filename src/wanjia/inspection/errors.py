from wanjia.kernel.errors import Refusal, Sentence


class AreaNotYours(Refusal):
    """The area lies outside every area the viewer may draw samples in, or is no area at all."""

    code = "inspection.area_not_yours"
    status = 404
    what = Sentence(
        "没有找到这个区域，或它不在您的审计范围内；没有抽样。",
        "There is no such area, or you may not draw samples in it; nothing was drawn.",
    )
    cure = Sentence("请从上方的区域列表中选择。", "Choose one from the list at the top of the page.")


class PopulationChanged(Refusal):
    """Between the look at the population and the draw cases came into it or left it."""

    code = "inspection.population_changed"
    status = 409
    facts = ("expected", "found")
    what = Sentence(
        "总体在您确认之后有变动：您看到的是 {expected} 件，现在是 {found} 件（或件数相同而编号不同）；没有抽样。",
        "The population has changed since you looked: {expected} cases then, {found} now (or as many others); "
        "nothing was drawn.",
    )
    cure = Sentence(
        "请核对下面的新总体，换一个种子再抽。",
        "Look at the new population below and draw again, with another seed.",
    )


class SeedUnusable(Refusal):
    """A seed must be one line that anybody can type again."""

    code = "inspection.seed_unusable"
    status = 422
    facts = ("longest",)
    what = Sentence(
        "随机种子为空、超过 {longest} 个字，或含有换行等看不见的字符；没有抽样。",
        "The seed is empty, longer than {longest} characters, or holds characters nobody can see; nothing was drawn.",
    )
    cure = Sentence(
        "请输入一行任何人都能照样重新输入的文字，例如当天公布的开奖号码。",
        "Type one line that anybody can type again, such as numbers drawn in public that day.",
    )


class SizeUnusable(Refusal):
    """A sample has at least one case, no more than its population, and no more than the parameter allows."""

    code = "inspection.size_unusable"
    status = 422
    facts = ("size", "most")
    what = Sentence(
        "不能抽取 {size} 件：本次最少 1 件，最多 {most} 件；没有抽样。",
        "A sample of {size} cannot be drawn here: at least 1, at most {most}; nothing was drawn.",
    )
    cure = Sentence("请更改件数，或放宽总体的条件。", "Change the size, or widen the population.")


class NothingToDraw(Refusal):
    """No case lies in the population."""

    code = "inspection.nothing_to_draw"
    status = 409
    what = Sentence("这个总体里没有核查件，没有抽样。", "There is no case in this population; nothing was drawn.")
    cure = Sentence("请放宽条件或日期。", "Widen the conditions or the days.")


class YourOwnReading(Refusal):
    """Whoever read cannot be the one who says that it was in order, nor may his deputy or principal."""

    code = "inspection.your_own_reading"
    status = 403
    what = Sentence(
        "这是您本人（或您的代理人、被代理人）的查阅，不能由您核实；没有登记。",
        "You read this yourself, or whoever you stand in for did; you cannot be the one to look into it.",
    )
    cure = Sentence("请由另一名审计管理员核实。", "Ask another audit administrator.")


class AlreadyAnswered(Refusal):
    """Somebody else was first."""

    code = "inspection.already_answered"
    status = 409
    what = Sentence(
        "这条预警已有人核实，您的说明没有保存。", "Somebody has looked into this alert already; nothing was saved."
    )
    cure = Sentence("请刷新页面查看。", "Reload the page to read what was found.")
