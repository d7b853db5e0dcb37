"""Commands of ERP onboarding: validate, registries and lists, confirmations, waivers, the catalogue of codes."""

import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import typer

from mdm.access import read_role
from mdm.cli.context import JSON_OPTION, hub, many, notes, pipeline, platforms_of, print_json, print_table
from mdm.errors import ConfigurationInvalid, OperatorError
from mdm.hub import checkpoints, registries
from mdm.hub.onboarding import Aim, Candidate, verdict_on_candidate, verdict_on_golden
from mdm.hub.recheck import recheck as recheck_hub
from mdm.hub.steward import Actor
from mdm.onboarding.checkpoint import CheckpointName, Waiver
from mdm.onboarding.ruleset import shipped_ruleset
from mdm.onboarding.subject import Account
from mdm.onboarding.verdict import Decision, Outcome, Verdict, document
from mdm.providers.vies import Vies
from mdm.store.read_verdicts import Narrowed, count_verdicts, kept_verdicts

onboarding = typer.Typer(no_args_is_help=True)

_ACTOR = typer.Option("operator", "--by", help="Who does this; kept in the audit.")
_REASON = typer.Option(..., "--reason", help="On what grounds; kept in the audit.")
_UNTIL = typer.Option(None, "--until", help="Day on which it ends, YYYY-MM-DD.", formats=["%Y-%m-%d"])
_VIES = "https://ec.europa.eu/taxation_customs/vies/rest-api/check-vat-number"


@onboarding.callback()
def _root() -> None:
    """May this legal entity be created in ERP, and what has been confirmed about it."""


@onboarding.command("validate")
def validate(
    entity_id: str | None = typer.Argument(None, metavar="[ENTITY_ID]", help="A customer's golden id."),
    candidate: Path | None = typer.Option(None, "--candidate", help="JSON file with a candidate's values."),
    erp: str | None = typer.Option(None, "--erp", help="sap, odoo, erpnext or netsuite; default as in the rules."),
    company_code: str | None = typer.Option(None, "--company-code", help="Own company for which it is created."),
    reconciliation_account: str | None = typer.Option(None, "--reconciliation-account", help="Account of receivables."),
    payment_terms: str | None = typer.Option(None, "--payment-terms", help="Terms of payment in ERP."),
    require_ready: bool = typer.Option(False, "--require-ready", help="Exit with 1 unless it may be created."),
    as_json: bool = JSON_OPTION,
) -> None:
    """The verdict on a golden customer or on a candidate: every check, what is missing or wrong, and who acts."""
    if (entity_id is None) == (candidate is None):
        raise OperatorError("Name either a golden id or --candidate FILE.")
    account = Account(company_code, None, reconciliation_account, payment_terms)
    with hub() as opened:
        if entity_id is not None:
            verdict = verdict_on_golden(
                opened.engine, platforms_of(opened), entity_id, opened.clock(), Aim(erp, account)
            )
        else:
            assert candidate is not None
            stated = _candidate(candidate)
            rules = pipeline(opened).rules
            verdict = verdict_on_candidate(opened.engine, rules, stated, opened.clock(), Aim(erp, account))
    if as_json:
        print_json(document(verdict))
    else:
        _print_verdict(verdict)
    if require_ready and verdict.decision not in (Decision.READY, Decision.READY_WITH_WARNINGS):
        raise typer.Exit(1)


def readiness(
    entity_id: str = typer.Argument(..., metavar="ENTITY_ID", help="A customer's golden id."),
    as_json: bool = JSON_OPTION,
) -> None:
    """May this customer be created in ERP? What is missing, wrong or could not be checked, and who acts."""
    with hub() as opened:
        verdict = verdict_on_golden(opened.engine, platforms_of(opened), entity_id, opened.clock())
    if as_json:
        print_json(document(verdict))
    else:
        _print_verdict(verdict)


def _candidate(file: Path) -> Candidate:
    try:
        stated = orjson.loads(file.read_bytes())
        if not isinstance(stated, dict):
            raise ValueError("it is no JSON object")
    except (OSError, ValueError) as fault:
        raise OperatorError(
            f"{file} cannot be read: {fault}.", action='Write {"values": {"name": ..., "country": ...}} or the values.'
        ) from fault
    values = stated.get("values", stated)
    return Candidate(values, stated.get("bank_accounts") or (), stated.get("parent"))


def _print_verdict(verdict: Verdict) -> None:
    who = f"{verdict.entity_id} version {verdict.version}" if verdict.entity_id else "The candidate"
    typer.echo(f"{who}: {verdict.decision.value.replace('_', ' ')} for {verdict.erp}")
    typer.echo(f"  complete {verdict.completeness}, valid {verdict.validity}, rules {verdict.ruleset_version}")
    if verdict.valid_until is not None:
        typer.echo(f"  holds until {verdict.valid_until:%Y-%m-%d %H:%M} UTC unless something changes")
    rows: list[list[object]] = [[str(each.number), each.title, each.outcome.value] for each in verdict.checks]
    print_table("Checks", ("no.", "check", "outcome"), rows, right=(0,))
    todo = [each for each in verdict.findings if each.outcome in (Outcome.FAIL, Outcome.UNVERIFIABLE, Outcome.WAIVED)]
    if todo:
        rows = [[each.outcome, each.code, each.observation.message, each.hint, each.owner] for each in todo]
        print_table("Findings", ("outcome", "code", "what is wrong", "what to do", "owner"), rows)


@onboarding.command("load-gleif")
def load_gleif(
    entities: Path = typer.Argument(..., help="Level 1 golden copy (LEI-CDF), CSV or JSON, also .gz or .zip."),
    relationships: Path | None = typer.Option(None, "--relationships", help="Level 2 relationships (RR-CDF)."),
    exceptions: Path | None = typer.Option(None, "--exceptions", help="Level 2 reporting exceptions (REPEX)."),
    version: str | None = typer.Option(None, "--version", help="Name of this version; default the file's name."),
    actor: str = _ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Load GLEIF's file of legal entity identifiers in place of the one before."""
    with hub() as opened, notes.status("loading GLEIF ..."):
        found = registries.load_gleif(opened.engine, opened.clock, entities, relationships, exceptions, actor, version)
    _print_loaded(found, as_json)


@onboarding.command("load-sanctions")
def load_sanctions(
    name: str = typer.Argument(..., help="What the list is called here, e.g. OFAC."),
    file: Path = typer.Argument(..., help="OpenSanctions targets.simple.csv or OFAC sdn.csv."),
    version: str | None = typer.Option(None, "--version", help="Name of this version; default the file's name."),
    actor: str = _ACTOR,
    as_json: bool = JSON_OPTION,
) -> None:
    """Load a sanctions list in place of the version before. Every verdict screens against all loaded lists."""
    with hub() as opened, notes.status(f"loading {name} ..."):
        found = registries.load_sanctions(opened.engine, opened.clock, name, file, actor, version)
    _print_loaded(found, as_json)


def _print_loaded(found: registries.Loaded, as_json: bool) -> None:
    if as_json:
        print_json({"name": found.name, "version": found.version, "entries": found.entries})
    else:
        typer.echo(f"{found.name} {found.version}: {found.entries:,} entries.")


@onboarding.command("ask-vies")
def ask_vies(
    numbers: list[str] = typer.Option([], "--number", help="Only these VAT numbers; may be repeated."),
    timeout: float = typer.Option(10.0, help="Seconds to wait for one answer."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Ask the member states whether VAT numbers are registered: those of customers whose answer is missing or too old.

    MDM_VIES_URL names another service, MDM_VIES_REQUESTER our own VAT number, with which answers carry a consultation
    number.
    """
    url, requester = os.environ.get("MDM_VIES_URL") or _VIES, os.environ.get("MDM_VIES_REQUESTER") or None
    if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise ConfigurationInvalid("MDM_VIES_URL must begin with https://.", action="Correct or remove it.")
    with hub() as opened, httpx.Client(timeout=timeout) as client, notes.status("asking VIES ...") as status:
        asked = registries.ask_vies(
            opened.engine,
            opened.clock,
            Vies(client, url, requester),
            numbers or None,
            progress=lambda done, all_: status.update(f"asking VIES ... {done:,} of {all_:,}"),
        )
    if as_json:
        print_json({"confirmed": asked.confirmed, "refuted": asked.refuted, "unavailable": asked.unavailable})
    else:
        typer.echo(f"{asked.confirmed:,} registered, {asked.refuted:,} not, {asked.unavailable:,} could not be asked.")


@onboarding.command("confirm")
def confirm(
    entity_id: str = typer.Argument(..., help="A customer's golden id."),
    checkpoint: CheckpointName = typer.Argument(..., help="What is confirmed."),
    reason: str = _REASON,
    until: datetime | None = _UNTIL,
    actor: str = _ACTOR,
) -> None:
    """Record that a checkpoint is passed, for good or until a day."""
    with hub() as opened:
        checkpoints.confirm(opened.engine, opened.clock, entity_id, checkpoint, actor, reason, _end(until))
    typer.echo(f"{entity_id}: {checkpoint.value} confirmed{f' until {until:%Y-%m-%d}' if until else ''}.")


@onboarding.command("withdraw")
def withdraw(
    entity_id: str = typer.Argument(..., help="A customer's golden id."),
    checkpoint: CheckpointName = typer.Argument(..., help="Which confirmation."),
    reason: str = _REASON,
    actor: str = _ACTOR,
) -> None:
    """Take a confirmation back."""
    with hub() as opened:
        checkpoints.withdraw(opened.engine, opened.clock, entity_id, checkpoint, actor, reason)
    typer.echo(f"{entity_id}: {checkpoint.value} withdrawn.")


@onboarding.command("return")
def return_to_requester(
    entity_id: str = typer.Argument(..., help="A customer's golden id."),
    reason: str = _REASON,
    actor: str = _ACTOR,
) -> None:
    """Send a customer back to whoever asked for it: blocked until it is taken up again."""
    with hub() as opened:
        checkpoints.return_to_requester(opened.engine, opened.clock, entity_id, actor, reason)
    typer.echo(f"{entity_id}: returned to the requester.")


@onboarding.command("take-up")
def take_up(
    entity_id: str = typer.Argument(..., help="A customer's golden id."),
    reason: str = _REASON,
    actor: str = _ACTOR,
) -> None:
    """Look again at a customer that was sent back; the reason says what was mended."""
    with hub() as opened:
        checkpoints.take_up(opened.engine, opened.clock, entity_id, actor, reason)
    typer.echo(f"{entity_id}: taken up again.")


@onboarding.command("waive")
def waive(
    entity_id: str = typer.Argument(..., help="A customer's golden id."),
    code: str = typer.Argument(..., help="The code of the finding."),
    path: str = typer.Option("", "--path", help="Where; everywhere when absent."),
    reason: str = _REASON,
    until: datetime = typer.Option(..., "--until", help="Day on which it ends, YYYY-MM-DD.", formats=["%Y-%m-%d"]),
    role: str = typer.Option("admin", "--role", help="In which role."),
    actor: str = _ACTOR,
) -> None:
    """Excuse a finding until a day."""
    end = _end(until)
    assert end is not None
    with hub() as opened:
        checkpoints.waive(
            opened.engine, opened.clock, entity_id, Waiver(code, path, actor, reason, end), read_role(role)
        )
    typer.echo(f"{entity_id}: {code} waived until {until:%Y-%m-%d}.")


@onboarding.command("approve-waiver")
def approve_waiver(
    entity_id: str = typer.Argument(..., help="A customer's golden id."),
    code: str = typer.Argument(..., help="The code of the finding."),
    path: str = typer.Option("", "--path", help="Where, as it was waived."),
    role: str = typer.Option("admin", "--role", help="In which role."),
    actor: str = _ACTOR,
) -> None:
    """Agree to a waiver that somebody else wrote: what blocks is excused by two people."""
    with hub() as opened:
        checkpoints.approve_waiver(opened.engine, opened.clock, entity_id, code, path, Actor(actor, read_role(role)))
    typer.echo(f"{entity_id}: the waiver of {code} holds.")


@onboarding.command("unwaive")
def unwaive(
    entity_id: str = typer.Argument(..., help="A customer's golden id."),
    code: str = typer.Argument(..., help="The code of the finding."),
    path: str = typer.Option("", "--path", help="Where, as it was waived."),
    reason: str = _REASON,
    actor: str = _ACTOR,
) -> None:
    """Take a waiver back."""
    with hub() as opened:
        checkpoints.unwaive(opened.engine, opened.clock, entity_id, code, path, actor, reason)
    typer.echo(f"{entity_id}: {code} is no longer waived.")


@onboarding.command("recheck")
def recheck(
    erp: str | None = typer.Option(None, "--erp", help="sap, odoo, erpnext or netsuite; default as in the rules."),
    as_json: bool = JSON_OPTION,
) -> None:
    """Judge anew customers whose last verdict may not hold any more, and announce what changed."""
    with hub() as opened, notes.status("judging ...") as status:
        found = recheck_hub(
            opened.engine,
            opened.clock,
            platforms_of(opened),
            erp,
            progress=lambda done, all_: status.update(f"judging ... {done:,} of {all_:,}"),
        )
    if as_json:
        print_json({"judged": found.judged, "changed": found.changed})
    else:
        typer.echo(
            f"{many(found.judged, 'customer')} judged anew; {many(found.changed, 'verdict')} changed and announced."
        )


@onboarding.command("list")
def list_verdicts(
    erp: str | None = typer.Option(None, "--erp", help="sap, odoo, erpnext or netsuite; default as in the rules."),
    decision: Decision | None = typer.Option(None, "--decision", help="Only these."),
    code: str | None = typer.Option(None, "--code", help="Only where this failed or could not be verified."),
    country: str | None = typer.Option(None, "--country", help="Only customers of this country, e.g. DE."),
    in_erp: bool | None = typer.Option(None, "--in-erp/--not-in-erp", help="Only those that ERP has, or has not."),
    limit: int = typer.Option(50, "--limit", min=1, max=1_000_000, help="At most so many."),
    as_json: bool = JSON_OPTION,
) -> None:
    """The last verdicts that were drawn (`recheck`, the calendar worker): who may be created, and what is missing."""
    rules = shipped_ruleset() if erp is None else shipped_ruleset().aimed_at(erp)
    narrowed = Narrowed(decision.value if decision else None, code, country.upper() if country else None, in_erp)
    with hub() as opened, opened.engine.connect() as connection:
        target, erps, now = rules.target.erp, platforms_of(opened).erps, opened.clock()
        found = kept_verdicts(connection, erps, target, rules.digest, narrowed, now, None, limit + 1)
        counts, _, unjudged = count_verdicts(connection, rules.target.erp)
    if as_json:
        print_json([asdict(each) for each in found[:limit]])
        return
    rows = [
        [each.entity_id, each.name or "", each.country or "", each.decision, ", ".join(each.codes),
         f"{each.evaluated_at:%Y-%m-%d}{'' if each.stands else ' (old)'}"]
        for each in found[:limit]
    ]  # fmt: skip
    print_table(f"Verdicts for {rules.target.erp}", ("customer", "name", "country", "verdict", "codes", "drawn"), rows)
    if len(found) > limit:
        typer.echo(f"... and more; --limit shows up to {limit * 10:,}, --json all that it allows.")
    told = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in sorted(counts.items())) or "none"
    typer.echo(f"All customers: {told}; {unjudged:,} not judged yet{' (mdm onboarding recheck)' if unjudged else ''}.")


@onboarding.command("codes")
def codes(
    code: str | None = typer.Argument(None, help="Only this one, with what to do."),
    as_json: bool = JSON_OPTION,
) -> None:
    """The catalogue of codes: what each means, what it does to the decision, who acts, who may waive it."""
    rules = shipped_ruleset()
    chosen = [rule for rule in rules.rules.values() if code in (None, rule.code)]
    if not chosen:
        raise OperatorError(f"There is no code {code}.", action="`mdm onboarding codes` lists all codes.")
    rows: list[dict[str, Any]] = [
        {
            "code": rule.code,
            "check": rule.check,
            "title": rules.checks[rule.check],
            "severity": rule.severity.value,
            "effect": rule.effect.value,
            "unverified": rule.unverified.value,
            "owner": rule.owner,
            "waivable_by": list(rule.waivable_by),
            "hint": rule.hint,
        }
        for rule in chosen
    ]
    if as_json:
        print_json(rows)
        return
    columns = ("check", "code", "severity", "effect", "owner", "waivable by", "what to do")
    names = ("check", "code", "severity", "effect", "owner", "waivable_by", "hint")
    shown = [[", ".join(row[n]) if isinstance(row[n], list) else str(row[n]) for n in names] for row in rows]
    print_table("Codes", columns, shown, right=(0,))


def _end(until: datetime | None) -> datetime | None:
    return None if until is None else until.replace(tzinfo=UTC)
