package ledger

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Who asks from within the program gets what a request would, by the same checks
// and with the same audit log.
func TestDesk(t *testing.T) {
	r := newRig(t)
	r.fill(2)
	r.book.attempts[2] = []state.Result{{DeliveryID: 2, Attempt: 1, Outcome: state.OutcomeParked}}
	desk := r.ledger.Desk(Caller{Name: "alice", Account: true}, "192.0.2.7")
	page, err := desk.Deliveries(t.Context(), Parameters{"state": "parked", "limit": "1"})
	if err != nil || len(page.Deliveries) != 1 {
		t.Fatalf("%+v, %v", page, err)
	}
	id := strconv.FormatInt(int64(page.Deliveries[0].ID), 10)
	detail, err := desk.Delivery(t.Context(), id)
	if err != nil || detail.Event.ID != detail.EventID || len(detail.Log) == 0 || detail.Log[0].Request.URL != "http://a.example.com/shot" {
		t.Errorf("%+v, %v", detail, err)
	}
	for what, f := range map[string]func() error{
		"state: is":    func() error { _, err := desk.Deliveries(t.Context(), Parameters{"state": "lost"}); return err },
		"is not known": func() error { _, err := desk.Deliveries(t.Context(), Parameters{"color": "red"}); return err },
		"destination":  func() error { _, err := desk.StartReplay(t.Context(), Parameters{"state": "delivered"}); return err },
		"id: is":       func() error { _, err := desk.Replay(t.Context(), "x"); return err },
	} {
		if err := f(); stillcast.CodeOf(err) != stillcast.CodeInvalid || !strings.Contains(err.Error(), what) {
			t.Errorf("want %q: %v", what, err)
		}
	}
	if _, err := desk.Replay(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Pause(t.Context(), "3-shot", ""); err != nil {
		t.Fatal(err)
	}
	if got := r.book.paused[shotsTo]; got != "paused by alice" {
		t.Errorf("paused for %q", got)
	}
	for _, want := range []string{`"account":"alice"`, `"remote":"192.0.2.7"`, `"action":"replayDelivery"`, `"input":{"id":"` + id + `"}`, `"done":true`} {
		if !strings.Contains(r.logged(), want) {
			t.Errorf("the log lacks %s:\n%s", want, r.logged())
		}
	}
	if strings.Contains(r.logged(), "secret_id") {
		t.Errorf("an account is logged as a credential:\n%s", r.logged())
	}
}

// Who may only read changes nothing from within, either.
func TestDeskOfReader(t *testing.T) {
	r := newRig(t)
	desk := r.ledger.Desk(Caller{Name: "bob", Account: true, ReadOnly: true}, "")
	ctx := t.Context()
	for what, f := range map[string]func(context.Context) error{
		"replay": func(ctx context.Context) error { _, err := desk.Replay(ctx, "1"); return err },
		"start":  func(ctx context.Context) error { _, err := desk.StartReplay(ctx, nil); return err },
		"cancel": func(ctx context.Context) error { _, err := desk.CancelReplay(ctx, "x"); return err },
		"pause":  func(ctx context.Context) error { _, err := desk.Pause(ctx, "3-shot", "x"); return err },
		"resume": func(ctx context.Context) error { _, err := desk.Resume(ctx, "3-shot"); return err },
		"test":   func(ctx context.Context) error { _, err := desk.Test(ctx, "3-shot"); return err },
	} {
		if err := f(ctx); stillcast.CodeOf(err) != stillcast.CodeDenied {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := desk.Destinations(ctx); err != nil {
		t.Error(err)
	}
	if _, err := desk.Replays(ctx); err != nil {
		t.Error(err)
	}
	if strings.Contains(r.logged(), "audit") {
		t.Errorf("something was changed:\n%s", r.logged())
	}
}
