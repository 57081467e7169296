"""Chat: LangChain's messages, tools and schemas to the core's and back."""
