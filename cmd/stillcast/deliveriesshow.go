package main

import (
	"encoding"
	"fmt"
	"io"
	"net/url"
	"strings"
	"unicode"

	"github.com/stillcast/stillcast/internal/ledger"
)

// textOf is how a value stands in the API. Values of the ledger are always writable.
func textOf(v encoding.TextMarshaler) string {
	text, err := v.MarshalText()
	if err != nil {
		return ""
	}
	return string(text)
}

// segment is what a user typed as one part of a path.
func segment(text string) string { return url.PathEscape(text) }

// oneLine shortens a text to what a row of a table can hold.
func oneLine(text string) string {
	const most = 80
	text = strings.Join(strings.Fields(printable(text)), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// printable takes out what a terminal would obey: others wrote it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, text)
}

// showDelivery prints a delivery as a list of names and values.
func showDelivery(w io.Writer, d ledger.Delivery) error {
	t := newTable(w, "delivery", textOf(d.ID))
	t.row("state", d.State)
	t.row("destination", d.Destination)
	t.row("event", d.EventID)
	t.row("event type", d.EventType)
	t.row("event time", d.EventTime)
	t.row("stream", printable(d.Stream.String()))
	t.row("sequence", d.Sequence)
	t.row("push", d.PushID)
	if d.ShotID != 0 {
		t.row("shot", textOf(d.ShotID))
	}
	t.row("attempts", d.Attempts)
	if !d.Due.IsZero() {
		t.row("due", d.Due)
	}
	if !d.Finished.IsZero() {
		t.row("finished", d.Finished)
	}
	if text := why(d); text != "" {
		t.row("reason", oneLine(text))
	}
	return t.Flush()
}

// showAttempt prints what was sent and what was answered.
func showAttempt(w io.Writer, a ledger.Attempt) {
	fmt.Fprintf(w, "\nattempt %d at %s, %s after %.1f ms\n", a.Number, a.Started, a.Outcome, a.TookMS)
	if a.Error != "" {
		fmt.Fprintln(w, "  error   ", oneLine(a.Error))
	}
	if !a.RetryAt.IsZero() {
		fmt.Fprintln(w, "  again at", a.RetryAt)
	}
	showRequest(w, a.Request, a.Unknown)
	showAnswer(w, a.Status, a.Reply)
}

func showRequest(w io.Writer, r *ledger.Request, unknown string) {
	switch {
	case unknown != "":
		fmt.Fprintln(w, "  request: not known:", oneLine(unknown))
	case r == nil:
		fmt.Fprintln(w, "  request: not known")
	default:
		fmt.Fprintln(w, strings.TrimRight("  request: POST "+r.URL, " "))
		for _, h := range r.Header {
			fmt.Fprintf(w, "    %s: %s\n", h.Name, printable(h.Value))
		}
		fmt.Fprintln(w, "    "+printable(r.Body))
	}
}

func showAnswer(w io.Writer, status int, reply string) {
	if status == 0 {
		fmt.Fprintln(w, "  answer: none")
		return
	}
	fmt.Fprintln(w, "  answer: status", status)
	for line := range strings.Lines(printable(reply)) {
		fmt.Fprintln(w, "    "+strings.TrimRight(line, "\n"))
	}
}
