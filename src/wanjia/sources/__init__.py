"""Department data: dataset contracts, intake, batches, rejects."""
