"""ultralytics' detection loss that says nothing about classes where they are not labelled."""

import importlib
from typing import Any

from serayu.vision.training.libraries import Foreign

__all__ = ["loss_class"]


def loss_class() -> Foreign:
    """Return a subclass of ultralytics' ``v8DetectionLoss``.

    Labels of a class number from the number of classes on are boxes without a verdict: at anchors whose centre lies
    in such a box, the class that many lower costs nothing, unless a labelled thing of that class is matched there.
    """
    torch: Foreign = importlib.import_module("torch")
    base: Foreign = importlib.import_module("ultralytics.utils.loss").v8DetectionLoss
    make_anchors: Foreign = importlib.import_module("ultralytics.utils.tal").make_anchors

    class FairLoss(base):  # type: ignore[misc] # ultralytics has no types
        """The loss."""

        bce: Foreign

        def __init__(self, model: Foreign, **settings: Foreign) -> None:
            super().__init__(model, **settings)
            self._plain = self.bce
            self._counts: Foreign = None
            self.bce = self._fair_bce

        def loss(self, preds: dict[str, Any], batch: dict[str, Any]) -> Foreign:
            """Return the loss of a batch, and its parts."""
            numbers = batch["cls"].view(-1)
            mute = numbers >= self.nc
            if not bool(mute.any()):
                self._counts = None
                return super().loss(preds, batch)
            self._counts = self._verdicts(preds, batch, mute)
            told = {
                name: batch[name][~mute.to(batch[name].device)] for name in ("cls", "bboxes", "batch_idx")
            }
            return super().loss(preds, {**batch, **told})

        def _verdicts(self, preds: dict[str, Any], batch: dict[str, Any], mute: Foreign) -> Foreign:
            """Return 1 where a class at an anchor is judged and 0 where not, shape (pictures, anchors, classes)."""
            anchors, stride = make_anchors(preds["feats"], self.stride, 0.5)
            height, width = (side * float(self.stride[0]) for side in preds["feats"][0].shape[2:])
            centre = (anchors * stride).to(self.device)
            pictures = preds["boxes"].shape[0]
            counts = torch.ones(pictures, len(centre), self.nc, device=self.device)
            rows = zip(
                batch["batch_idx"][mute].tolist(), batch["cls"][mute].view(-1).tolist(),
                batch["bboxes"][mute].tolist(), strict=True,
            )  # fmt: skip
            for picture, number, (x, y, wide, high) in rows:
                inside = ((centre[:, 0] - x * width).abs() <= wide * width / 2) & (
                    (centre[:, 1] - y * height).abs() <= high * height / 2
                )
                counts[int(picture), inside, int(number) - self.nc] = 0
            return counts

        def _fair_bce(self, scores: Foreign, targets: Foreign) -> Foreign:
            """Return the cost of each class at each anchor."""
            cost = self._plain(scores, targets)
            if self._counts is None:
                return cost
            return cost * torch.maximum(self._counts.to(cost.dtype), (targets > 0).to(cost.dtype))

    return FairLoss
