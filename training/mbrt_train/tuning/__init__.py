"""Fine-tuning and evaluation: GLUE's tasks, SQuAD, sentence similarity."""
