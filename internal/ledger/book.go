package ledger

import (
	"context"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// Book is what is kept of shots and deliveries; package state describes it.
type Book interface {
	Shots(ctx context.Context, f state.ShotFilter) ([]state.ShotStatus, error)
	Shot(ctx context.Context, id int64) (state.ShotStatus, error)
	Deliveries(ctx context.Context, f state.DeliveryFilter) ([]state.DeliveryStatus, error)
	Delivery(ctx context.Context, id int64) (state.DeliveryStatus, error)
	Attempts(ctx context.Context, deliveryID int64) ([]state.Result, error)
	Destinations(ctx context.Context) ([]state.DestinationStatus, error)
	Replay(ctx context.Context, deliveryID int64) error
	ReplayMany(ctx context.Context, f state.DeliveryFilter, most int) (replayed int, next int64, err error)
}

// Courier is who sends to the destinations.
type Courier interface {
	// Wake tells that something is due for the destinations.
	Wake(to ...stillcast.Destination)
	// Pause and Resume return when the change is durable and acts.
	Pause(ctx context.Context, to stillcast.Destination, reason string) error
	Resume(ctx context.Context, to stillcast.Destination) error
	// Health says how the destinations answer; those that were not used since the
	// start are missing.
	Health() map[stillcast.Destination]Health
	// Test sends a sample event now. An error is one of the request, not of the answer.
	Test(ctx context.Context, to stillcast.Destination) (TestResult, error)
	// Request makes what an attempt sent. It is nil where nothing was kept of it.
	Request(d state.DeliveryStatus, attempt state.Result) (*Request, error)
}

// Pictures gives the URL at which a shot's picture can be downloaded.
type Pictures interface {
	URL(shot stillcast.Shot, now time.Time) (string, error)
}
