module gramtap/tests/clients

go 1.21

require (
	github.com/go-telegram-bot-api/telegram-bot-api/v5 v5.5.1
	gopkg.in/telebot.v4 v4.0.0-beta.10
)
