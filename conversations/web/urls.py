"""Every page and where it is. Pages of a workspace lie under /w/<slug>/; a figure's data is its page + figure.json."""

from django.urls import include, path

from conversations.web import (
    accounts,
    api_keys,
    batches,
    budgets,
    compactions,
    connect,
    conversations,
    finding,
    life_lines,
    messages,
    overview,
    prices,
    savings,
)

workspace = [
    path("", overview.overview, name="overview"),
    path("conversations/", conversations.conversation_list, name="conversations"),
    path("conversations/<int:pk>/", conversations.conversation_page, name="conversation"),
    path("conversations/<int:pk>/figure.json", conversations.conversation_figure, name="conversation_figure"),
    path("conversations/<int:pk>/facts/", life_lines.life_lines_page, name="life_lines"),
    path("conversations/<int:pk>/savings/", savings.conversation_savings, name="conversation_savings"),
    path("messages/<int:pk>/", messages.message_page, name="message"),
    path("compactions/", compactions.compaction_list, name="compactions"),
    path("compactions/<int:pk>/", compactions.compaction_page, name="compaction"),
    path("compactions/<int:pk>/facts/<int:number>/", finding.finding_page, name="finding"),
    path("import/", batches.import_page, name="import"),
    path("import/upload/", batches.upload, name="upload"),
    path("batches/<int:pk>/", batches.batch_page, name="batch"),
    path("batches/<int:pk>/redigest/", batches.redigest, name="redigest"),
    path("savings/", savings.savings_page, name="savings"),
    path("budgets/", budgets.budget_list, name="budgets"),
    path("budgets/new/", budgets.new_budget, name="new_budget"),
    path("budgets/<int:pk>/", budgets.budget, name="budget"),
    path("budgets/<int:pk>/delete/", budgets.delete_budget, name="delete_budget"),
    path("connect/", connect.connect, name="connect"),
    path("connect/key/", connect.make_key, name="connect_key"),
    path("connect/waiting/", connect.waiting, name="connect_waiting"),
    path("settings/", connect.settings_home, name="settings"),
    path("settings/prices/", prices.prices, name="prices"),
    path("settings/prices/<int:pk>/delete/", prices.delete_price, name="delete_price"),
    path("settings/api-keys/", api_keys.api_keys, name="api_keys"),
    path("settings/api-keys/<int:pk>/revoke/", api_keys.revoke, name="revoke_api_key"),
]

urlpatterns = [
    path("", accounts.home, name="home"),
    path("sign-in/", accounts.sign_in, name="sign_in"),
    path("sign-in/<str:token>/", accounts.sign_in_link, name="sign_in_link"),
    path("sign-up/", accounts.sign_up, name="sign_up"),
    path("sign-out/", accounts.sign_out, name="sign_out"),
    path("password/", accounts.password, name="password"),
    path("theme/", accounts.theme, name="theme"),
    path("w/<slug:slug>/", include(workspace)),
]
