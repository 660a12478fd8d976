"""The live rules run again over a period: from stored or given values to alerts and bulletins, without delivery."""
