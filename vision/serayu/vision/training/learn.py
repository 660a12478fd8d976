"""Run one training: from a configuration, a data folder and start weights to the best weights and a record."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serayu.models.command import write_atomically
from serayu.models.errors import BadInputError
from serayu.vision.training.config import Config, read_config
from serayu.vision.training.drawing import Changes
from serayu.vision.training.graft import scions
from serayu.vision.training.libraries import Foreign, Libraries, load_libraries
from serayu.vision.training.paste import read_bank
from serayu.vision.training.prepare import Prepared, prepare
from serayu.vision.training.record import Record, Round, commit_of, read_record, write_record
from serayu.vision.training.trainer import faster_on_cpu, trainer_class

__all__ = ["Places", "learn"]


@dataclass(frozen=True, slots=True)
class Places:
    """Where a training reads and writes.

    Parameters
    ----------
    data
        The data folder.
    start
        Start weights (``.pt``); None: random ones.
    run
        Folder of this training: pictures, checkpoints, record.
    """

    data: Path
    start: Path | None
    run: Path

    @property
    def record(self) -> Path:
        """Return the file of the record."""
        return self.run / "record.json"

    @property
    def best(self) -> Path:
        """Return the file of the best weights."""
        return self.run / "weights" / "best.pt"

    @property
    def checkpoint(self) -> Path:
        """Return the file that a killed training is resumed from."""
        return self.run / "weights" / "resume.pt"


def learn(file: Path, places: Places, *, resume: bool, threads: int | None = None) -> Record:
    """Train, and return the record.

    Parameters
    ----------
    file
        The configuration, or the name of one that Serayu ships.
    places
        Where to read and write.
    resume
        Go on from the last finished epoch of the run, if there is one; what is finished is not trained again.
    threads
        Of torch; None: all cores.

    Raises
    ------
    BadInputError
        The configuration, data or weights are absent or wrong, the run exists and is not to be resumed, or is of
        another configuration.
    """
    config, fingerprint = read_config(file)
    old = read_record(places.record) if resume and places.record.exists() else None
    if old is not None and old.config_sha256 != fingerprint:
        raise BadInputError("is a training of another configuration; name another run", file=places.run)
    if old is not None and old.done >= old.epochs:
        return _ended(old, places)
    if not resume and places.record.exists():
        raise BadInputError("holds a training already; resume it or name another run", file=places.run)
    if places.start is not None and not places.start.is_file():
        raise BadInputError("is not a file of start weights", file=places.start)
    places.run.mkdir(parents=True, exist_ok=True)
    prepared = prepare(config, fingerprint=fingerprint, data=places.data, folder=places.run / "pictures")
    libraries = load_libraries(settings=places.run / "settings", threads=threads)
    record = old or _begun(config, fingerprint, prepared, places, libraries)
    if old is not None:
        record.begun += 1
    write_record(record, places.record)
    _train(config, prepared, places, libraries, record, resume=old is not None and places.checkpoint.exists())
    return _ended(record, places)


def _ended(record: Record, places: Places) -> Record:
    """Write down which weights came of a training, and return its record."""
    record.weights_sha256 = _sha256(places.best)
    write_record(record, places.record)
    return record


def _train(
    config: Config,
    prepared: Prepared,
    places: Places,
    libraries: Libraries,
    record: Record,
    *,
    resume: bool,
) -> None:
    """Build the trainer and run it."""
    trainer = trainer_class(
        config,
        prepared,
        _changes(config, prepared, places),
        folder=places.run / "pictures",
        report=_reporter(record, places.record),
    )(overrides=_overrides(config, places, libraries, resume=resume))
    trainer.add_callback("on_train_start", faster_on_cpu(libraries))
    trainer.add_callback("on_train_epoch_start", _reseeded(config, libraries))
    trainer.train()


def _changes(config: Config, prepared: Prepared, places: Places) -> Changes:
    """Read what is laid on pictures."""
    classes = len(config.classes)
    pastes = tuple(
        (paste, config.classes.index(paste.label), read_bank(places.data / paste.folder))
        for paste in config.paste
    )
    grafts = []
    for graft in config.graft:
        number = config.classes.index(graft.label)
        folder = places.run / "pictures"
        things = scions(folder, prepared.train, label=number, classes=classes, most_px=graft.most_px)
        if things:
            grafts.append((graft, number, things))
    return Changes(config.augment, pastes, classes, tuple(grafts))


def _overrides(config: Config, places: Places, libraries: Libraries, *, resume: bool) -> dict[str, Any]:
    """Return the settings of ultralytics' trainer."""
    start = str(places.start) if places.start else None
    structure = start if config.model == "start" else f"{config.model}.yaml"
    if structure is None:
        raise BadInputError("model = 'start' needs start weights", field="--start")
    gpu = libraries.device != "cpu"
    settings: dict[str, Any] = {
        # ultralytics warms biases up from a rate of 0.1, meant for SGD. Adam's steps are as long as its rate: within
        # an epoch the start weights are lost (of road: val mAP50 0.59 before, 0.33 three epochs later).
        **({"warmup_bias_lr": 0.0} if "adam" in str(config.hyper.get("optimizer", "")).lower() else {}),
        **config.hyper,
        "model": structure,
        "data": str(places.run / "pictures" / f"{config.judge[0].name}.yaml"),
        "epochs": config.epochs,
        "imgsz": config.size_px,
        "batch": config.batch,
        "seed": config.seed,
        "device": libraries.device,
        "workers": 8 if gpu else 0,
        "amp": "bf16" if gpu else False,
        "save_dir": str(places.run),
        "project": str(places.run.parent),
        "name": places.run.name,
        "exist_ok": True,
        "plots": False,
        "verbose": False,
        "patience": config.epochs,
        "task": config.task,
    }
    if config.model != "start":
        settings["pretrained"] = start or False
    if resume:
        settings["resume"] = str(places.checkpoint)
    return settings


def _reseeded(config: Config, libraries: Libraries) -> Foreign:
    """Return a callback that seeds every epoch by its number, so that a resumed one draws what it would have drawn."""
    seed: Foreign = libraries.ultralytics.utils.torch_utils.init_seeds

    def callback(trainer: Foreign) -> None:
        seed(config.seed * 1000 + trainer.epoch, deterministic=False)

    return callback


def _reporter(record: Record, file: Path) -> Foreign:
    """Return what notes each finished epoch in the record."""

    def report(epoch: int, judged: Round | None, seconds: float) -> None:
        record.done = epoch
        record.seconds = round(record.seconds + seconds, 1)
        record.rounds = [one for one in record.rounds if one.epoch < epoch]
        if judged is not None:
            record.rounds.append(judged)
            record.best_epoch = max(record.rounds, key=lambda one: one.fitness).epoch
        write_record(record, file)

    return report


def _begun(
    config: Config, fingerprint: str, prepared: Prepared, places: Places, libraries: Libraries
) -> Record:
    """Return the record of a training that begins, and keep its configuration beside it."""
    write_atomically(places.run / "classes.txt", "".join(f"{name}\n" for name in config.classes))
    return Record(
        name=config.name,
        task=config.task,
        classes=config.classes,
        config_sha256=fingerprint,
        start_sha256=_sha256(places.start) if places.start else None,
        commit=commit_of(Path(__file__).parent),
        versions=libraries.versions,
        device=libraries.device,
        pictures={
            "train": len(prepared.train),
            "holdout": len(prepared.holdout),
            **{name: len(files) for name, files in prepared.judges.items()},
            "left_out": prepared.left_out,
        },
        labels=prepared.counts,
        epochs=config.epochs,
    )


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
