from wanjia.kernel.errors import Refusal, Sentence


class UnknownTask(Refusal):
    """No slice declares a task of this name."""

    code = "jobs.unknown_task"
    status = 500
    facts = ("name",)
    what = Sentence("系统没有名为 {name} 的后台任务。", "There is no background task named {name}.")
    cure = Sentence(
        "请把出现的时间告诉系统管理员；升级后请重新启动后台程序。",
        "Tell the system administrator; after an upgrade, restart the worker.",
    )


class UnfitArguments(Refusal):
    """A job's arguments are kept in clear: they hold ids and codes, nothing about people."""

    code = "jobs.unfit_arguments"
    status = 500
    facts = ("name", "where")
    what = Sentence(
        "任务 {name} 的参数 {where} 不是编号或代码，任务没有创建。",
        "The argument {where} of the task {name} is no id or code; the job was not created.",
    )
    cure = Sentence(
        "请把出现的时间和页面告诉系统管理员。", "Tell the system administrator when and where this happened."
    )


class JobOver(Refusal):
    """The job has ended; there is nothing left to cancel."""

    code = "jobs.over"
    status = 409
    facts = ("job", "state")
    what = Sentence(
        "任务 {job} 已经结束（{state}），没有改动。", "Job {job} has already ended ({state}); nothing was changed."
    )
    cure = Sentence("请刷新页面查看结果。", "Reload the page to see the result.")


class WorkerLost(Refusal):
    """Every try of the job ended with its worker gone: killed, out of memory, or the machine stopped."""

    code = "jobs.worker_lost"
    status = 500
    facts = ("job", "attempts")
    what = Sentence(
        "任务 {job} 尝试了 {attempts} 次，后台程序每次都中断，没有任何结果被保存。",
        "Job {job} was tried {attempts} times and its worker stopped each time; nothing of it was saved.",
    )
    cure = Sentence(
        "请联系系统管理员检查服务器内存和磁盘，然后重新提交。",
        "Ask the system administrator to check memory and disk, then submit again.",
    )


class InternalError(Refusal):
    """A fault of the program ended the job; the log holds it under the reference."""

    code = "jobs.internal_error"
    status = 500
    facts = ("reference",)
    what = Sentence(
        "任务因程序错误未完成（参考号 {reference}），没有任何结果被保存。",
        "The job ended with an error of the program (reference {reference}); nothing of it was saved.",
    )
    cure = Sentence("请把参考号告诉系统管理员。", "Give the reference to the system administrator.")


class ViewerGone(Refusal):
    """The person a job works for has been locked since."""

    code = "jobs.viewer_gone"
    status = 403
    facts = ("job",)
    what = Sentence(
        "提交任务 {job} 的账号已停用，任务没有执行。",
        "The account that submitted job {job} is locked; the job was not run.",
    )
    cure = Sentence("请由接任的同事重新提交。", "Let the colleague who took over submit it again.")


class Interruption(BaseException):
    """The job must stop where it is. No `except Exception` of a task swallows it."""


class Cancelled(Interruption):
    """Somebody cancelled the job."""


class LostLease(Interruption):
    """Another worker has taken the job over; whatever this one does must have no effect."""


class Draining(Interruption):
    """The worker is being stopped; the job goes back to the queue."""
