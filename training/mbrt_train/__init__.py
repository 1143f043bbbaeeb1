"""Training for mobilebert_rt: the model family in plain PyTorch (`mbrt_train.models`)."""
