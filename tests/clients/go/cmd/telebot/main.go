// Command telebot drives tucnak's telebot, pointed at BASE by Settings.URL (no slash at its end). Files follow.
//
// In: package steps. Out: calls to BASE, lines to stdout. Invariant: the library as it is, every
// call through its public names. A call that fails is told as the error the library gave.
package main

import (
	"encoding/json"
	"strconv"
	"time"

	"gopkg.in/telebot.v4"

	"gramtap/tests/clients/steps"
)

var (
	bot      *telebot.Bot
	received = make(chan telebot.Update, 3)
	stopped  = make(chan struct{})
	offset   int
	message  *telebot.Message
	file     *telebot.File
	chat     = &telebot.Chat{ID: steps.Chat}
)

func connect(token string) (*telebot.Bot, error) {
	return telebot.NewBot(telebot.Settings{
		URL:    steps.Base,
		Token:  token,
		Poller: &telebot.LongPoller{Timeout: steps.LoopPoll * time.Second},
		OnError: func(err error, _ telebot.Context) {
			panic(err)
		},
	})
}

func main() {
	steps.Run(map[string]steps.Step{
		"get_me":             getMe,
		"get_me_wrong_token": func() (any, error) { _, err := connect(steps.WrongToken); return nil, err },
		"poll":               func() (any, error) { return poll(0, 10) },
		"poll_empty":         func() (any, error) { return poll(offset, steps.EmptyPoll) },
		"send":               send,
		"send_long":          func() (any, error) { return bot.Send(chat, steps.LongText) },
		"send_nowhere":       func() (any, error) { return bot.Send(&telebot.Chat{ID: 404}, steps.Edited) },
		"edit":               func() (any, error) { return bot.Edit(message, steps.Edited) },
		"upload":             upload,
		"download":           download,
		"unknown_method":     func() (any, error) { return raw("noSuchMethod", nil) },
		"set_webhook":        setWebhook,
		"delete_webhook":     func() (any, error) { return nil, bot.RemoveWebhook() },
		"start_loop":         startLoop,
		"stop_loop":          stopLoop,
	})
}

func raw(method string, arguments any) (any, error) {
	answer, err := bot.Raw(method, arguments)
	return json.RawMessage(answer), err
}

func getMe() (any, error) {
	// The library asks getMe when it is set up.
	var err error
	bot, err = connect(steps.Token)
	if err != nil {
		return nil, err
	}
	return bot.Me, nil
}

func poll(from, timeout int) (any, error) {
	arguments := map[string]string{"offset": strconv.Itoa(from), "timeout": strconv.Itoa(timeout)}
	answer, err := bot.Raw("getUpdates", arguments)
	if err != nil {
		return nil, err
	}
	var updates struct{ Result []telebot.Update }
	if err := json.Unmarshal(answer, &updates); err != nil {
		return nil, err
	}
	for _, update := range updates.Result {
		offset = update.ID + 1
	}
	return updates.Result, nil
}

func send() (any, error) {
	keyboard := &telebot.ReplyMarkup{}
	keyboard.InlineKeyboard = [][]telebot.InlineButton{{{Text: "Да", Data: "yes"}}}
	var err error
	message, err = bot.Send(chat, steps.Text, telebot.ModeHTML, keyboard)
	return message, err
}

func upload() (any, error) {
	document := &telebot.Document{File: telebot.FromDisk(steps.Upload), FileName: "two-megabytes.bin", Caption: steps.Caption}
	sent, err := bot.Send(chat, document)
	if err != nil {
		return nil, err
	}
	file = &sent.Document.File
	return sent, nil
}

func download() (any, error) {
	content, err := bot.File(file)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return steps.Digest(content)
}

func setWebhook() (any, error) {
	return nil, bot.SetWebhook(&telebot.Webhook{Endpoint: &telebot.WebhookEndpoint{PublicURL: steps.Hook}, SecretToken: steps.Secret})
}

func startLoop() (any, error) {
	keep := func(context telebot.Context) error {
		received <- context.Update()
		return nil
	}
	bot.Handle(telebot.OnText, keep)
	bot.Handle(telebot.OnCallback, keep)
	go func() {
		bot.Start()
		close(stopped)
	}()
	// Handlers run side by side: their order is not the updates'.
	updates := map[int]telebot.Update{}
	for len(updates) < 3 {
		update := <-received
		updates[update.ID] = update
	}
	return updates, nil
}

func stopLoop() (any, error) {
	bot.Stop()
	<-stopped
	return nil, nil
}
