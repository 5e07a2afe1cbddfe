"""Messages in, streamed text out: chat models of any vendor behind one protocol."""

from ragsvc.generation.chat_models import open_chat_model
from ragsvc.generation.opened_models import ChatModels
from ragsvc.generation.options import ChatOptions
from ragsvc.generation.streaming import StreamLimits

__all__ = ["ChatModels", "ChatOptions", "StreamLimits", "open_chat_model"]
