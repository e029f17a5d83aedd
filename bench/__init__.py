"""What measures machines: speed, crowd, pace, fidelity, cold start. eval/ judges answers."""
