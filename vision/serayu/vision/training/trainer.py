"""ultralytics' trainers with Serayu's data, loss, judges and record."""

import importlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serayu.vision.training.config import Config
from serayu.vision.training.dataset import dataset_class
from serayu.vision.training.drawing import Changes
from serayu.vision.training.libraries import Foreign, Libraries
from serayu.vision.training.loss import loss_class
from serayu.vision.training.prepare import Prepared
from serayu.vision.training.record import Judged, Round

__all__ = ["NOT_JUDGED", "faster_on_cpu", "mean_decay", "trainer_class"]

NOT_JUDGED = -1.0
"""Fitness of an epoch that nobody judged: never the best."""
_MEAN_STEPS = 300  # that the running mean of the weights reaches back [project proposal]: some two epochs


def trainer_class(
    config: Config,
    prepared: Prepared,
    changes: Changes,
    *,
    folder: Path,
    report: Callable[[int, Round | None, float], None],
) -> Foreign:
    """Return a subclass of the trainer that ultralytics has for the configuration's task.

    Parameters
    ----------
    config
        The training.
    prepared, folder
        Its pictures and where they lie.
    changes
        What is done to them.
    report
        Called after each epoch with its number from 1, its judgement (None when it was not its turn) and its seconds.
    """
    yolo: Foreign = importlib.import_module("ultralytics.models.yolo")
    base: Any = yolo.detect.DetectionTrainer if config.task == "detect" else yolo.segment.SegmentationTrainer
    pictures = dataset_class(config, prepared, changes)

    class Trainer(base):  # type: ignore[misc] # ultralytics has no types
        """The trainer."""

        def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Foreign:
            """Return the training pictures with Serayu's draws, or plain pictures to judge by."""
            if mode != "train":
                return super().build_dataset(img_path, mode, batch)
            return pictures(
                img_path=img_path,
                imgsz=self.args.imgsz,
                batch_size=batch,
                augment=True,
                hyp=self.args,
                cache=None,
                stride=32,
                prefix="train: ",
                task=self.args.task,
                data=self.data,
            )

        def _setup_train(self) -> None:
            """Set up, then add the running mean, the judges and the loss that is silent where nothing is labelled."""
            super()._setup_train()
            self.ema.decay = mean_decay
            self.judges = [_validator(self, folder / "images" / judge.name) for judge in config.judge]
            if config.task == "detect":
                self.model.criterion = loss_class()(self.model)

        def validate(self) -> tuple[dict[str, Any], float]:
            """Ask the judges when it is their turn; the fitness is the weighted mean of their mAP50."""
            self.round, results, fitness = _judgement(self, config)
            return results, fitness

        def save_model(self) -> bool:
            """Write the checkpoints, then one to resume from that a kill cannot leave half written."""
            written = bool(super().save_model())
            part = self.wdir / "resume.part"
            part.write_bytes(self.last.read_bytes())
            part.replace(self.wdir / "resume.pt")
            report(self.epoch + 1, getattr(self, "round", None), time.time() - self.epoch_time_start)
            return written

        def final_eval(self) -> None:
            """Leave the checkpoints as they are: the record has every judgement, and the run can go on."""

    return Trainer


def mean_decay(step: int) -> float:
    """Return what the running mean of the weights keeps of itself at a step, counted from 1.

    The mean is what is judged and kept. ultralytics' own ramps up over 2,000 steps: in trainings as short as ours it
    ends with a reach of three, and its judges see the noise of single steps.

    Examples
    --------
    >>> [round(mean_decay(step), 4) for step in (1, 90, 10_000)]
    [0.1818, 0.91, 0.9967]
    """
    return min((1 + step) / (10 + step), 1 - 1 / _MEAN_STEPS)


def _validator(trainer: Foreign, pictures: Path) -> Foreign:
    """Return a validator for the pictures of one judge."""
    first = trainer.test_loader
    trainer.test_loader = trainer.get_dataloader(
        str(pictures), batch_size=trainer.batch_size * 2, rank=-1, mode="val"
    )
    validator = trainer.get_validator()
    trainer.test_loader = first
    return validator


def _judgement(trainer: Foreign, config: Config) -> tuple[Round | None, dict[str, Any], float]:
    """Return the judgement of an epoch (None when it is not its turn), the first judge's figures and the fitness."""
    epoch = trainer.epoch + 1
    if epoch < trainer.epochs and epoch % config.judge_every:
        return None, dict(trainer.metrics), NOT_JUDGED
    results: dict[str, Any] = {}
    told: dict[str, Judged] = {}
    for judge, validator in zip(config.judge, trainer.judges, strict=True):
        figures = validator(trainer)
        told[judge.name] = _judged(validator, config)
        results = results or {name: value for name, value in figures.items() if name != "fitness"}
    total = sum(judge.weight for judge in config.judge)
    fitness = sum(judge.weight * told[judge.name].map50 for judge in config.judge) / total
    if trainer.best_fitness is None or fitness > trainer.best_fitness:
        trainer.best_fitness = fitness
    return Round(epoch=epoch, fitness=round(fitness, 5), judges=told), results, fitness


def _judged(validator: Foreign, config: Config) -> Judged:
    """Return the scores of one judgement: of masks where the task is masks."""
    metric = validator.metrics.seg if config.task == "segment" else validator.metrics.box
    return Judged(
        map50=round(float(metric.map50), 5),
        map50_95=round(float(metric.map), 5),
        classes={
            config.classes[int(number)]: round(float(score), 5)
            for number, score in zip(metric.ap_class_index, metric.ap50, strict=True)
        },
    )


def faster_on_cpu(libraries: Libraries) -> Callable[[Foreign], None]:
    """Return a callback for the start of a training on the CPU: channels last, and bfloat16 where that is faster.

    Both together train 2.8 to 5.4 times as fast there with no loss of score seen (measured on AVX-512 with BF16). Other
    machines name the same instructions and take twice as long over them as over float32: so a product is timed.
    On a GPU ultralytics does its own.
    """
    torch = libraries.torch

    def start(trainer: Foreign) -> None:
        if trainer.device.type != "cpu":
            return
        model = trainer.model.to(memory_format=torch.channels_last)
        plain = model.forward
        short = _seconds_of_product(torch, torch.bfloat16) < _seconds_of_product(torch, torch.float32)

        def forward(batch: Foreign, *words: Foreign, **settings: Foreign) -> Foreign:
            if isinstance(batch, dict):
                picture = batch["img"].contiguous(memory_format=torch.channels_last)
                batch = {**batch, "img": picture}
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=short):
                return plain(batch, *words, **settings)

        model.forward = forward
        trainer.model = model

    return start


def _seconds_of_product(torch: Foreign, dtype: Foreign, *, side: int = 1024) -> float:
    """Return the least time that a product of two square matrices took in five tries."""
    one = torch.ones((side, side), dtype=dtype)
    times = []
    for _ in range(5):
        begun = time.perf_counter()
        one @ one
        times.append(time.perf_counter() - begun)
    return min(times)
