package app

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ledger"
	"github.com/stillcast/stillcast/internal/notify"
	"github.com/stillcast/stillcast/internal/state"
)

// makeLedger makes what is served under [ledger.Path].
func (a *App) makeLedger(context.Context) error {
	server, err := ledger.New(ledger.Options{
		Identify: a.identify, Book: a.state, Courier: courier{a}, Pictures: a.pictures,
		Resources: a.Resources, Live: a.gate.Live, Status: a.status,
		Logger: a.logger("ledger"), Registerer: a.registry,
	})
	if err != nil {
		return fmt.Errorf("make the ledger: %w", err)
	}
	a.ledger = server
	a.onStop("replays", func(context.Context) error {
		server.Stop()
		return nil
	})
	return nil
}

// serveLedger is called once everything was made.
func (a *App) serveLedger(w http.ResponseWriter, r *http.Request) { a.ledger.ServeHTTP(w, r) }

// identify knows the credentials of the control API.
func (a *App) identify(r *http.Request) (ledger.Caller, error) {
	c, wait, err := a.api.Identify(r)
	switch stillcast.CodeOf(err) {
	case "":
		return ledger.Caller{Name: c.SecretID, ReadOnly: c.ReadOnly}, err
	case stillcast.CodeLimit:
		return ledger.Caller{}, ledger.TooOften(err, wait)
	default:
		return ledger.Caller{}, ledger.Unauthorized(err)
	}
}

// status says how the server is.
func (a *App) status(ctx context.Context) (ledger.Status, error) {
	shots, size, err := a.state.SpoolStats(ctx)
	if err != nil {
		return ledger.Status{}, err
	}
	counts, err := a.state.CountDeliveries(ctx)
	if err != nil {
		return ledger.Status{}, err
	}
	return ledger.Status{
		Version: a.opts.Version, Started: ledger.Time(a.began), UptimeS: time.Since(a.began).Seconds(), Ready: a.ready.Load(),
		LiveStreams: len(a.gate.Live()),
		Spool:       ledger.SpoolStatus{Shots: shots, Bytes: size},
		Stores:      a.stores(),
		Deliveries: ledger.DeliveryCounts{
			Waiting: counts[string(state.StateWaiting)], Pending: counts[string(state.StatePending)], Claimed: counts[string(state.StateClaimed)],
			Delivered: counts[string(state.StateDelivered)], Parked: counts[string(state.StateParked)],
		},
	}, nil
}

func (a *App) stores() []ledger.StoreStatus {
	broken := a.uploader.Broken()
	var all []ledger.StoreStatus
	for _, p := range a.pictures.each() {
		all = append(all, ledger.StoreStatus{Name: p.name, Type: p.typ, Working: !slices.Contains(broken, p.name)})
	}
	return all
}

// courier is what the ledger has the notifier do.
type courier struct{ app *App }

var _ ledger.Courier = courier{}

// Wake implements [ledger.Courier].
func (c courier) Wake(to ...stillcast.Destination) { c.app.notifier.Wake(to...) }

// Pause implements [ledger.Courier].
func (c courier) Pause(ctx context.Context, to stillcast.Destination, reason string) error {
	if err := c.app.state.PauseDestination(ctx, to, reason); err != nil {
		return err
	}
	c.app.notifier.Pause(to)
	return nil
}

// Resume implements [ledger.Courier].
func (c courier) Resume(ctx context.Context, to stillcast.Destination) error {
	if err := c.app.state.ResumeDestination(ctx, to); err != nil {
		return err
	}
	c.app.notifier.Resume(to)
	return nil
}

// Health implements [ledger.Courier].
func (c courier) Health() map[stillcast.Destination]ledger.Health {
	all := map[stillcast.Destination]ledger.Health{}
	for _, h := range c.app.notifier.Health() {
		all[h.Destination] = ledger.Health{
			Breaker: h.Breaker, OpenSince: ledger.Time(h.Since), NextProbe: ledger.Time(h.NextProbe), HeldUntil: ledger.Time(h.HeldUntil),
			Busy: h.Busy, Unanswered: h.Unanswered, Failed: h.Failed,
			Attempts: h.Attempts, SuccessRate: h.SuccessRate, P50MS: ledger.Milliseconds(h.P50), P95MS: ledger.Milliseconds(h.P95),
			Last: ledger.Time(h.Last), LastSuccess: ledger.Time(h.LastSuccess), LastStatus: h.LastStatus, LastError: h.LastError,
		}
	}
	return all
}

// Test implements [ledger.Courier].
func (c courier) Test(ctx context.Context, to stillcast.Destination) (ledger.TestResult, error) {
	r, err := c.app.notifier.Test(ctx, to)
	if err != nil {
		return ledger.TestResult{}, err
	}
	return ledger.TestResult{
		Delivered: r.Received, Request: ledger.NewRequest(r.URL, r.Header, r.Body),
		Started: ledger.Time(r.Started), TookMS: ledger.Milliseconds(r.Took), Status: r.Status, Reply: r.Reply, Error: r.Error,
	}, nil
}

// Request implements [ledger.Courier].
func (courier) Request(d state.DeliveryStatus, attempt state.Result) (*ledger.Request, error) {
	if len(attempt.Request) == 0 {
		return nil, nil //nolint:nilnil // nothing was kept, which is no error
	}
	sent, err := notify.Rebuild(d.Event, d.Shot, d.Sequence, attempt.Attempt, attempt.Request)
	if err != nil {
		return nil, err
	}
	return ledger.NewRequest(sent.URL, sent.Header, sent.Body), nil
}
