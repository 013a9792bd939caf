"""Fine-tuning at a provider: OpenAI, Azure OpenAI, Together. In: the dataset. Out: a tuned model there, on record in `training/hosted.json`."""
