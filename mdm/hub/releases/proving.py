"""That a matching release weighs pairs as Splink does: proven anew when it is simulated, and looked at ever after.

What training wrote into the weights is not trusted here. The proof is about the very documents, by fingerprint, and
about the code that scores; where either is another by the time of the activation, it is made again.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, TypeAlias

from sqlalchemy import Engine

from matching.batch import Candidates
from matching.model import MatchModel
from matching.proof import Proof, check_holds, read_proof
from mdm.errors import ParityUnproven, Stale
from mdm.hub.in_force import read
from mdm.model.ids import Domain
from mdm.model.releases import Release, RuleKind, Run
from mdm.store import neighbourhood, whole
from mdm.store import releases as store
from mdm.store.reading import snapshot
from mdm.store.sampling import sample_with_candidates

#: Scores pairs both ways by a model: those that ship, those made for it, and candidates among these records.
Prover: TypeAlias = Callable[[MatchModel, Sequence[Mapping[str, Any]], Candidates | None], Proof]

#: Records of the hub among which candidate pairs are taken. With `matching.training.proving.MOST_OWN` pairs this bounds
#: a proof to some seconds and some ten megabytes, however large the hub.
_OWN = 2_000


def need_prover(packages: Sequence[str] = ("splink", "duckdb")) -> None:
    """Raises ParityUnproven where Splink is not installed: the hub does without it but for this."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise ParityUnproven(
            f"A matching release is scored with Splink too, and {', '.join(missing)} cannot be found here.",
            action="Run `pip install 'mdm-hub[train]'` where releases are simulated, or simulate it from a machine "
            "that has it: `mdm releases simulate`.",
        )


def splink(model: MatchModel, own: Sequence[Mapping[str, Any]], candidates: Candidates | None) -> Proof:
    """The prover of every hub."""
    need_prover()
    from matching.training.proving import prove  # imported here: Splink takes a second, and most processes never prove

    return prove(model, own, candidates)


def prove_release(
    engine: Engine, held: MatchModel, model: MatchModel, prover: Prover = splink, most: int = _OWN
) -> Proof:
    """What comes of scoring pairs by a model both ways, candidates among the hub's own records included.

    Args:
        held: the model in force, by which the hub's blocks are.
        most: records among which candidates are taken: all, or about so many that the hub compares with one another.

    Raises:
        ParityUnproven: Splink is not installed, or cannot score by this model.
    """
    domain = Domain(model.domain)
    with snapshot(engine) as work:
        sample = sample_with_candidates(work, domain, held.block_cap, most)
        records = whole.live_records(work, domain) if sample is None else sample.records
        found = neighbourhood.load_comparisons(work, domain, set(records))
    if sample is None or len(found) < len(records):
        return prover(model, [found[rec] for rec in sorted(found)], None)
    return prover(model, [found[rec] for rec in records], sample.pairs)


def proof_of(release: Release, runs: Sequence[Run]) -> Proof | None:
    """The newest proof about the release as it is now; None where it was not simulated, or compares nothing."""
    proofs = (read_proof(each.report.get("parity")) for each in runs)
    return next((each for each in proofs if each is not None and each.fingerprint == release.fingerprint), None)


def check_proof(query: store.Query, release: Release, simulation: Run | None) -> Proof | None:
    """The proof that a release may rely on; None for one that matches nothing.

    Raises:
        ParityUnproven: the scorer and Splink differ by this model, or nothing proves that they do not.
        Stale: the documents are not those that were drafted.
    """
    if release.kind is not RuleKind.MATCHING:
        return None
    must_be_as_drafted(query, release)
    proof = relied_on(release, simulation)
    if proof is None:
        raise ParityUnproven(
            f"Nothing proves that release {release.release_id} is scored as Splink scores it: no simulation of it, as "
            "it is and by this version of the scorer, has ended.",
            action="Simulate it (again): it is then scored both ways.",
        )
    check_holds(proof)
    return proof


def refuse_differing(release: Release, simulation: Run | None) -> None:
    """Raises ParityUnproven when the last simulation has seen the scorer and Splink differ by this release."""
    proof = relied_on(release, simulation)
    if proof is not None:
        check_holds(proof)


def relied_on(release: Release, simulation: Run | None) -> Proof | None:
    """The proof of a simulation, if it is about the release as it is and the code as it is."""
    proof = read_proof(simulation.report.get("parity")) if simulation is not None else None
    return proof if proof is not None and proof.about(release.fingerprint) else None


def must_be_as_drafted(query: store.Query, release: Release) -> MatchModel:
    """The model of a release.

    Raises:
        Stale: its documents have another fingerprint than when they were drafted: somebody changed the row, or another
            version of the hub reads them otherwise.
    """
    model = read(release.kind, release.domain, *store.texts(query, release.release_id))
    assert isinstance(model, MatchModel)  # its kind says so
    if model.fingerprint != release.fingerprint:
        raise Stale(
            f"The documents of release {release.release_id} are not those that were drafted.",
            action="Withdraw it, draft it again and simulate it.",
        )
    return model
