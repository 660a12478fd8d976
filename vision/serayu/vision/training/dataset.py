"""ultralytics' data set with Serayu's draws: pictures by weight, cut-outs, zoom, looks, and boxes without a verdict."""

import importlib
from typing import Any

import numpy as np

from serayu.vision.training.config import Config
from serayu.vision.training.drawing import Changes, Drawn, chances, changed, with_ignored
from serayu.vision.training.libraries import Foreign
from serayu.vision.training.looks import changed_look
from serayu.vision.training.prepare import Prepared

__all__ = ["dataset_class"]

_SEEDS = 2**32


def dataset_class(config: Config, prepared: Prepared, changes: Changes) -> Foreign:
    """Return a subclass of ultralytics' ``YOLODataset`` for the training pictures of a configuration.

    Which picture is drawn does not depend on the index asked for: a mosaic's four are then drawn by weight as well.
    All draws come from numpy's global generator, which ultralytics seeds in every worker of a data loader.
    """
    base: Foreign = importlib.import_module("ultralytics.data.dataset").YOLODataset
    instances: Foreign = importlib.import_module("ultralytics.utils.instance").Instances

    class Pictures(base):  # type: ignore[misc] # ultralytics has no types
        """The training pictures."""

        def get_image_and_label(self, index: int) -> dict[str, Any]:
            """Return a picture drawn by weight, and what is labelled in it."""
            if not self.augment:
                return dict(super().get_image_and_label(index))
            chance = getattr(self, "_chance", None)
            if chance is None:
                names = [str(file).replace("\\", "/").rsplit("/", 1)[1] for file in self.im_files]
                self._names, self._chance = names, chances(names, prepared.train).cumsum()
            rng = np.random.default_rng(np.random.randint(_SEEDS, dtype=np.int64))  # noqa: NPY002
            index = min(int(np.searchsorted(self._chance, rng.random())), len(self._chance) - 1)
            label: dict[str, Any] = super().get_image_and_label(index)
            if config.task == "detect":
                self._change(label, self._names[index], rng)
            return label

        def _change(self, label: dict[str, Any], name: str, rng: np.random.Generator) -> None:
            """Change a picture and its boxes."""
            height, width = label["img"].shape[:2]
            boxes = label["instances"]
            boxes.convert_bbox("xyxy")
            boxes.denormalize(width, height)
            drawn = Drawn(
                label["img"], label["cls"].ravel().astype(np.int64), boxes.bboxes.astype(np.float64).copy()
            )
            drawn = with_ignored(drawn, prepared.train[name], classes=changes.classes)
            drawn = changed(drawn, changes, most_px=self.imgsz, rng=rng)
            label["img"] = np.ascontiguousarray(drawn.image)
            label["resized_shape"] = drawn.image.shape[:2]
            label["cls"] = drawn.classes.astype(np.float32).reshape(-1, 1)
            label["instances"] = instances(
                drawn.boxes_px.astype(np.float32),
                segments=np.zeros((0, 1000, 2), np.float32),
                bbox_format="xyxy",
                normalized=False,
            )

        def build_transforms(self, hyp: Foreign = None) -> Foreign:
            """Put Serayu's looks between ultralytics' changes and the tensors."""
            transforms = super().build_transforms(hyp)
            if self.augment:
                transforms.insert(-1, _look(config))
            return transforms

    return Pictures


def _look(config: Config) -> Foreign:
    """Return a step of ultralytics' chain that changes the look alone."""

    def look(labels: dict[str, Any]) -> dict[str, Any]:
        rng = np.random.default_rng(np.random.randint(_SEEDS, dtype=np.int64))  # noqa: NPY002
        labels["img"] = np.ascontiguousarray(changed_look(labels["img"], config.augment, rng))
        return labels

    return look
