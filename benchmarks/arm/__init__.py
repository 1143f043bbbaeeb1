"""What the engine costs on 64-bit ARM, without the hardware: instructions counted, cycles modelled. See README.md."""
