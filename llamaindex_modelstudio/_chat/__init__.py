"""Chat: LlamaIndex's messages, tools and schemas to the core's and back."""
