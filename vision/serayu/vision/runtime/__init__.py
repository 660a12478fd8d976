"""Detection at run time: exported weights on OpenVINO or ONNX Runtime, tile by tile, without torch."""
