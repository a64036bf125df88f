"""What the engine found, as text, JSON, CSV, Markdown, SARIF and pictures."""
