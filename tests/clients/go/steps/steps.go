// Package steps is the contract of the Go programs: settings, the loop over steps, one line per step.
//
// In: BASE, TOKEN, WRONG_TOKEN, CHAT and UPLOAD from the environment; names of steps on stdin,
// one a line (tests/it/clients/program.rs writes them). Out: one JSON line per step on stdout,
// what the library returned or the error it gave; a library's own log goes to stderr.
// Invariant: a step begins only after its name was read, so whoever writes the names knows
// which request belongs to which step. End of stdin ends the program; so does a bug in it.
package steps

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// What each program is given.
var (
	Base       = os.Getenv("BASE")
	Token      = os.Getenv("TOKEN")
	WrongToken = os.Getenv("WRONG_TOKEN")
	Upload     = os.Getenv("UPLOAD")
	Chat       = number(os.Getenv("CHAT"))
)

// What each program sends, and how long its polls wait, in seconds.
const (
	Text      = "Привет, <b>мир</b> & 🦀"
	Edited    = "edited & done"
	Caption   = "два мегабайта"
	Hook      = "https://example.org/hook"
	Secret    = "s3cret"
	EmptyPoll = 1
	LoopPoll  = 3
)

// LongText has 4,096 characters.
var LongText = strings.Repeat("Съешь же ещё этих мягких булок. ", 128)

// ErrUnsupported is of a step that the library has no public way to take.
var ErrUnsupported = errors.New("no public call for this")

// Step is one thing to do with the library.
type Step func() (any, error)

// Digest is what a download is shown as.
func Digest(content io.Reader) (any, error) {
	hash := sha256.New()
	size, err := io.Copy(hash, content)
	if err != nil {
		return nil, err
	}
	return map[string]any{"bytes": size, "sha256": hex.EncodeToString(hash.Sum(nil))}, nil
}

// Run takes the steps that stdin names, until it ends.
func Run(known map[string]Step) {
	names := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for names.Scan() {
		line := map[string]any{"step": names.Text()}
		returned, err := known[names.Text()]()
		switch {
		case errors.Is(err, ErrUnsupported):
			line["unsupported"] = err.Error()
		case err != nil:
			line["raised"] = map[string]any{"class": fmt.Sprintf("%T", err), "text": err.Error(), "fields": err}
		default:
			line["returned"] = returned
		}
		if err := out.Encode(line); err != nil {
			panic(err)
		}
	}
}

func number(text string) int64 {
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic("CHAT: " + err.Error())
	}
	return value
}
