"""The services that the emulator answers for, one module each."""
