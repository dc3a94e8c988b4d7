// Command tgbotapi drives go-telegram-bot-api, pointed at BASE by NewBotAPIWithAPIEndpoint. It has no
// download helper for another host than Telegram's, so the file's URL is built from BASE.
//
// In: package steps. Out: calls to BASE, lines to stdout. Invariant: the library as it is, every
// call through its public names. A call that fails is told as the error the library gave.
package main

import (
	"net/http"

	tgbotapi "github.com/go-telegram-bot-api/telegram-bot-api/v5"

	"gramtap/tests/clients/steps"
)

var (
	bot     *tgbotapi.BotAPI
	updates tgbotapi.UpdatesChannel
	offset  int
	message int
	file    string
)

func connect(token string) (*tgbotapi.BotAPI, error) {
	return tgbotapi.NewBotAPIWithAPIEndpoint(token, steps.Base+"/bot%s/%s")
}

func main() {
	steps.Run(map[string]steps.Step{
		"get_me":             getMe,
		"get_me_wrong_token": func() (any, error) { _, err := connect(steps.WrongToken); return nil, err },
		"poll":               poll,
		"poll_empty":         pollEmpty,
		"send":               send,
		"send_long":          func() (any, error) { return bot.Send(tgbotapi.NewMessage(steps.Chat, steps.LongText)) },
		"send_nowhere":       func() (any, error) { return bot.Send(tgbotapi.NewMessage(404, steps.Edited)) },
		"edit":               func() (any, error) { return bot.Send(tgbotapi.NewEditMessageText(steps.Chat, message, steps.Edited)) },
		"upload":             upload,
		"download":           download,
		"unknown_method":     func() (any, error) { return bot.MakeRequest("noSuchMethod", nil) },
		"set_webhook":        setWebhook,
		"delete_webhook":     func() (any, error) { return bot.Request(tgbotapi.DeleteWebhookConfig{}) },
		"start_loop":         startLoop,
		"stop_loop":          stopLoop,
	})
}

func getMe() (any, error) {
	// The library asks getMe when it is set up.
	var err error
	bot, err = connect(steps.Token)
	if err != nil {
		return nil, err
	}
	return bot.Self, nil
}

func poll() (any, error) {
	received, err := bot.GetUpdates(tgbotapi.UpdateConfig{Timeout: 10})
	if err != nil {
		return nil, err
	}
	offset = received[len(received)-1].UpdateID + 1
	return received, nil
}

func pollEmpty() (any, error) {
	return bot.GetUpdates(tgbotapi.UpdateConfig{Offset: offset, Timeout: steps.EmptyPoll})
}

func send() (any, error) {
	request := tgbotapi.NewMessage(steps.Chat, steps.Text)
	request.ParseMode = tgbotapi.ModeHTML
	button := tgbotapi.NewInlineKeyboardButtonData("Да", "yes")
	request.ReplyMarkup = tgbotapi.NewInlineKeyboardMarkup(tgbotapi.NewInlineKeyboardRow(button))
	sent, err := bot.Send(request)
	if err != nil {
		return nil, err
	}
	message = sent.MessageID
	return sent, nil
}

func upload() (any, error) {
	request := tgbotapi.NewDocument(steps.Chat, tgbotapi.FilePath(steps.Upload))
	request.Caption = steps.Caption
	sent, err := bot.Send(request)
	if err != nil {
		return nil, err
	}
	file = sent.Document.FileID
	return sent, nil
}

func download() (any, error) {
	found, err := bot.GetFile(tgbotapi.FileConfig{FileID: file})
	if err != nil {
		return nil, err
	}
	answer, err := http.Get(steps.Base + "/file/bot" + steps.Token + "/" + found.FilePath)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return steps.Digest(answer.Body)
}

func setWebhook() (any, error) {
	hook, err := tgbotapi.NewWebhook(steps.Hook)
	if err != nil {
		return nil, err
	}
	return bot.Request(hook)
}

func startLoop() (any, error) {
	updates = bot.GetUpdatesChan(tgbotapi.UpdateConfig{Timeout: steps.LoopPoll})
	return []tgbotapi.Update{<-updates, <-updates, <-updates}, nil
}

func stopLoop() (any, error) {
	bot.StopReceivingUpdates()
	// The poll in flight ends by itself, then the channel is closed.
	for range updates {
	}
	return nil, nil
}
