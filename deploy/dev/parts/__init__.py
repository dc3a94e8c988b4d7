"""The parts of the dev services: what `deploy/dev/services` starts and ends."""
