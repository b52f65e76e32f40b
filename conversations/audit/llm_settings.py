"""The language model as the server's settings have it: key, model, prices, budgets."""

from django.conf import settings

from conversations.audit.llm import LlmSettings, Price
from conversations.errors import BadInput

#: US dollars per million tokens as published: input, output, cache write (5 minutes), cache read. Others are set by
#: OBSERVATORY_LLM_PRICES: without a price no budget could be kept.
PRICES = {
    "claude-haiku-4-5": Price(1.0, 5.0, 1.25, 0.1),
    "claude-sonnet-4-5": Price(3.0, 15.0, 3.75, 0.3),
    "claude-opus-4-5": Price(5.0, 25.0, 6.25, 0.5),
}
#: Of one call, which is tried twice: a question that ends without an answer is asked again later, by the timetable.
TIMEOUT_SECONDS = 60.0


def llm_settings() -> LlmSettings:
    """Raises BadInput for prices that are no four numbers, or a model without prices."""
    model = settings.LLM_MODEL
    made = LlmSettings(
        api_key=settings.LLM_API_KEY,
        model=model,
        prices=PRICES | _own_prices(model),
        usd_per_compaction=settings.LLM_COMPACTION_BUDGET_USD,
        usd_per_day=settings.LLM_DAY_BUDGET_USD,
        timeout_seconds=TIMEOUT_SECONDS,
        attempts=1,
        sdk_retries=1,
        base_url=settings.LLM_BASE_URL or None,
    )
    if made.api_key and model not in made.prices:
        raise BadInput(f"There is no price for {model}.", mend="Set OBSERVATORY_LLM_PRICES, or choose another model.")
    return made


def _own_prices(model: str) -> dict[str, Price]:
    if not settings.LLM_PRICES:
        return {}
    try:
        return {model: Price(*(float(number) for number in settings.LLM_PRICES))}
    except (ValueError, TypeError):
        raise BadInput(
            "OBSERVATORY_LLM_PRICES is no list of four numbers.",
            mend="Set it to input,output,cache write,cache read in US dollars per million tokens, e.g. 1,5,1.25,0.1.",
        ) from None
