"""What to do about each kind of exception: one sentence per code, said wherever the exception is shown."""

from typing import Final

ADVICE: Final = {
    "COLUMN_ADDED": "Ask the owner what the column means; add it to the contract (a minor version), and to the mapping "
    "if golden records should have it.",
    "COLUMN_MISSING": "Ask the owner whether the column was dropped. If so, release a contract version without it; "
    "what it last said stays as it was until then.",
    "COLUMN_RENAMED": "Ask the owner to confirm the new name; release a contract version with it (a major one), map "
    "it, and replay the events since the first one seen.",
    "COLUMN_RETYPED": "Ask the owner for the new type; release a contract version with it, then replay.",
    "COLUMN_WIDENED": "Values are longer than the contract says: release a contract version with the new length, and "
    "look whether ERP's fields still hold them.",
    "COLUMN_NULL": "A required column is empty: ask the owner to fill it, or make it optional in the contract.",
    "ENUM_VALUE_NEW": "Ask the owner what the value means; add it to the contract, and to the mapping where it "
    "decides.",
    "CONTRACT_DEPRECATED": "The platform still sends the old version: agree a date with its owner before it is "
    "retired.",
    "OFFSETS_JUMP": "Messages were lost between broker and hub: let the connector snapshot the table again, then "
    "compare with `mdm reconcile source`.",
    "TOPIC_MADE_ANEW": "The topic was deleted and made again, and what was in it is gone: let the connector snapshot "
    "the table again, compare with `mdm reconcile source`, then resolve this.",
    "PLACE_TAKEN": "Captures of two clusters, or of a topic before and after it was made anew, came into one hub, "
    "which knows messages by topic, partition and offset. Add 10000000000000 to the offsets of the later capture and "
    "ingest it again, or let the connector snapshot the table; compare with `mdm reconcile source`, then resolve this.",
    "LOG_BACKWARDS": "The connector reads another log than before (a source restored, another server). Until it has "
    "passed where the old one stood, its changes and snapshots count as old: set it ahead (PostgreSQL: pg_resetwal "
    "--next-wal-file; MySQL: RESET MASTER TO n), take a new snapshot, then compare with `mdm reconcile source`.",
    "SNAPSHOT_AGAIN": "Find out why the connector started over; compare with `mdm reconcile source`, then resolve "
    "this.",
    "SOURCE_DIFFERS": "Compare once more when the feed has come to rest; then take an incremental snapshot of the "
    "table, and take rows that only the mirror has out with `mdm reconcile source --take-out`. It closes when "
    "`mdm reconcile source` finds no difference.",
    "SOURCE_SILENT": "Look at the connector's state and at the replication slot; it closes when the platform is heard.",
    "BLOCK_OVERSIZED": "More records share this key than can be compared: look at one or two, and correct the value "
    "at its source if it is no evidence (a placeholder, a shared mailbox).",
    "EVIDENCE_OVERSIZED": "Too many records state this evidence: correct it at its source if it is a placeholder.",
    "PAIRS_UNCOMPARED": "Records that may be one share only keys that too many have, so nothing compares them. Look at "
    "the pairs named (`mdm explain A B`) and judge them (`mdm steward judge same --record A --record B`); where there "
    "are many, give the model a rule that refines this one. It closes when a look finds none (`mdm match blocks "
    "--look`, and the calendar once a day).",
    "IDENTIFIER_RECYCLED": "Ask the owner whether the source gave the number to another company. If so, take back the "
    "decisions that `mdm identifiers recycled` and the page Identifiers propose, and have the source use new numbers; "
    "if it is one company that was renamed and moved, say so there (`mdm identifiers keep`).",
    "SENSITIVE_CHANGE_REJECTED": "Correct the value in the source, or bring what shows that it is right to whoever "
    "turned it down (the page Readiness leads to the proposal). It closes when the value is as ERP is served it, or "
    "another.",
    "RECORD_WITHOUT_USABLE_KEY": "Complete the rows at their source, or search for their partners and decide by hand; "
    "`mdm exceptions records` lists all of them. It closes when none is left.",
}
