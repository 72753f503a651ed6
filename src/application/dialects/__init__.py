"""What clients and providers speak. One folder per dialect; they meet in chat completions of the OpenAI dialect."""
