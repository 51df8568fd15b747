"""How a history tells what was done to the registry."""

from __future__ import annotations

from wanjia.audit.acts import Act
from wanjia.kernel.errors import Sentence

ACTS = [
    Act(
        "registry.load",
        Sentence(
            "装载了 {year} 年度登记数据：{households} 户 {persons} 人，{rejected} 行未通过校验",
            "loaded the register of {year}: {households} households, {persons} people, {rejected} rows refused",
        ),
    ),
    Act(
        "registry.load_villages",
        Sentence(
            "装载了 {year} 年度村情：{villages} 个村 {hamlets} 个屯",
            "loaded the village records of {year}: {villages} villages, {hamlets} hamlets",
        ),
    ),
    Act(
        "registry.correct",
        Sentence(
            "更正了 {households} 户的 {count} 项登记内容，理由：{reason}",
            "corrected {count} registered values in {households} households, because: {reason}",
        ),
    ),
    Act("registry.remove_household", Sentence("错评清退，理由：{reason}", "removed the household, because: {reason}")),
    Act(
        "registry.exit_household",
        Sentence("办理 {year} 年脱贫，理由：{reason}", "recorded the exit in {year}, because: {reason}"),
    ),
    Act(
        "registry.remove_members",
        Sentence("办理成员减少，理由：{reason}", "recorded members leaving, because: {reason}"),
    ),
    Act(
        "registry.join_members",
        Sentence("首次登记补录了 {households} 户的成员", "registered further members of {households} households"),
    ),
    Act(
        "registry.import_sheets",
        Sentence("第 {import} 次导入的表格：{done}", "the sheets of import {import}: {done_en}"),
    ),
    Act(
        "registry.end_sheets",
        Sentence(
            "第 {import} 次导入的原件已过保存期（{days} 天），删除 {files} 份文件",
            "removed {files} files of import {import}, kept for {days} days after it was finished",
        ),
    ),
    Act(
        "registry.reject_sheet",
        Sentence(
            "下载了第 {import} 次导入的问题表：{rows} 行", "fetched the reject sheet of import {import}: {rows} rows"
        ),
    ),
    Act(
        "registry.export_sheet",
        Sentence("导出了{sheet} {year} 年度 {rows} 行", "exported {rows} rows of the sheet of {year}: {sheet}"),
    ),
    Act("registry.add_member", Sentence("办理成员增加，理由：{reason}", "recorded a new member, because: {reason}")),
    Act(
        "registry.merge_person",
        Sentence(
            "重复登记的人员 {person} 并入 {now}，理由：{reason}",
            "merged person {person}, registered twice, into {now}, because: {reason}",
        ),
    ),
    Act("registry.change_head", Sentence("更换户主，理由：{reason}", "changed the head, because: {reason}")),
    Act(
        "registry.publish_snapshot",
        Sentence(
            "生成登记快照 {snapshot}:{households} 户 {persons} 人",
            "published the snapshot {snapshot}: {households} households, {persons} people",
        ),
    ),
    Act(
        "registry.seal_year",
        Sentence(
            "封存了 {year} 年度：{households} 户 {persons} 人，开放 {next} 年度",
            "sealed the year {year}: {households} households, {persons} people; {next} is open",
        ),
    ),
    Act(
        "registry.correct_sealed",
        Sentence(
            "封存后更正 {year} 年度 {households} 户的 {count} 项内容（公布数不变），理由：{reason}",
            "corrected {count} values of the sealed year {year} in {households} households"
            " (published figures stay), because: {reason}",
        ),
    ),
    Act(
        "registry.correct_sealed_village",
        Sentence(
            "封存后更正 {year} 年度村情 {values} 项（公布数不变），理由：{reason}",
            "corrected {values} facts of a village in the sealed year {year} (published figures stay),"
            " because: {reason}",
        ),
    ),
    Act("registry.export", Sentence("导出了 {rows} 户的名单", "exported a list of {rows} households")),
    Act(
        "registry.propose",
        Sentence("提出变更申请 {request}，理由：{reason}", "proposed change request {request}, because: {reason}"),
    ),
    Act("registry.review", Sentence("审核了变更申请 {request}", "reviewed change request {request}")),
    Act("registry.approve", Sentence("批准了变更申请 {request}", "approved change request {request}")),
    Act(
        "registry.decline",
        Sentence("退回变更申请 {request}，理由：{note}", "declined change request {request}, because: {note}"),
    ),
    Act(
        "registry.ask_erasure",
        Sentence("申请删除到期人员信息（申请 {erasure}）", "asked for the erasure of a person (erasure {erasure})"),
    ),
    Act(
        "registry.decline_erasure",
        Sentence("未批准删除申请 {erasure}", "declined erasure {erasure}"),
    ),
    Act("registry.withdraw_erasure", Sentence("撤回删除申请 {erasure}", "took erasure {erasure} back")),
    Act(
        "registry.erase_person",
        Sentence(
            "批准并删除了一名到期人员的信息（申请 {erasure}）",
            "decided erasure {erasure}: what was held of a person is gone",
        ),
    ),
    Act(
        "registry.rewrite_year",
        Sentence(
            "因人员信息删除重写了封存的 {year} 年度：删去 {persons} 人的个人内容，各项数字不变",
            "rewrote the sealed year {year} after an erasure: personal data of {persons} people, no figure",
        ),
    ),
    Act(
        "registry.finish_erasures",
        Sentence(
            "在历史文件中完成了 {persons} 人的信息删除",
            "finished the erasure of {persons} people in the files of earlier years",
        ),
    ),
    Act("registry.withdraw", Sentence("撤回变更申请 {request}", "took change request {request} back")),
]
