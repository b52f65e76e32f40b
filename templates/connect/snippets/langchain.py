from langchain_anthropic import ChatAnthropic
from observatory_recorder.langchain_handler import ObservatoryHandler

model = ChatAnthropic(model="claude-sonnet-5-5")
model.invoke(
    "Please refund order 8812.",
    config={"callbacks": [ObservatoryHandler(agent="support-bot", conversation="ticket-17")]},
)
