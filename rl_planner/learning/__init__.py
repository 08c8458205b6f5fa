"""Actor and critic, replay, exploration, DDPG, TD3 and SAC, checkpoints and the training loop."""
