"""What conda, mamba and taipan do to the same environments, step by step."""
