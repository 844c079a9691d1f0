"""The settings that ship with pipeforecast, one folder a group."""
