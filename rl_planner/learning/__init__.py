"""Actor and critic, replay, exploration, DDPG, checkpoints and the training loop."""
