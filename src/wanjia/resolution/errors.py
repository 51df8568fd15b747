from wanjia.kernel.errors import Refusal, Sentence


class BatchNotAccepted(Refusal):
    """Only accepted batches are resolved."""

    code = "resolution.batch_not_accepted"
    status = 409
    facts = ("batch",)
    what = Sentence("第 {batch} 批尚未采纳，不能归户。", "Batch {batch} is not accepted, so it cannot be resolved.")
    cure = Sentence("请先在数据来源中采纳该批次。", "Accept the batch first, under data sources.")


class SnapshotMissing(Refusal):
    """There is no registry snapshot to resolve against."""

    code = "resolution.snapshot_missing"
    status = 409
    facts = ("snapshot",)
    what = Sentence(
        "没有建档立卡快照 {snapshot}，没有进行归户。", "There is no registry snapshot {snapshot}; nothing was resolved."
    )
    cure = Sentence("请先发布建档立卡快照。", "Publish a snapshot of the registry first.")
