"""Fine-tuning of Whisper's lower layers on labelled speech, before they are frozen and heads are trained on them."""
