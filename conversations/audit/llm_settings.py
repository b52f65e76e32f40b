"""The language model as the server's settings have it: key, model, prices, budgets."""

from django.conf import settings
from django.utils import timezone

from conversations.audit.llm import LlmSettings, Price
from conversations.errors import BadInput
from conversations.spending.prices import PriceTable
from conversations.spending.published import PUBLISHED

#: Of one call, which is tried twice: a question that ends without an answer is asked again later, by the timetable.
TIMEOUT_SECONDS = 60.0


def llm_settings() -> LlmSettings:
    """Raises BadInput for prices that are no four numbers, or a model without prices."""
    model = settings.LLM_MODEL
    made = LlmSettings(
        api_key=settings.LLM_API_KEY,
        model=model,
        prices=_prices(model),
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


def _prices(model: str) -> dict[str, Price]:
    """The server's own, else as published: it pays, not the workspace, whose prices are for its agents' calls. Without
    a price no budget could be kept."""
    if not settings.LLM_PRICES:
        found = PriceTable([], PUBLISHED).price(model, timezone.now().date())
        return {model: Price(found.input, found.output, found.cache_write, found.cache_read)} if found else {}
    try:
        return {model: Price(*(float(number) for number in settings.LLM_PRICES))}
    except (ValueError, TypeError):
        raise BadInput(
            "OBSERVATORY_LLM_PRICES is no list of four numbers.",
            mend="Set it to input,output,cache write,cache read in US dollars per million tokens, e.g. 1,5,1.25,0.1.",
        ) from None
