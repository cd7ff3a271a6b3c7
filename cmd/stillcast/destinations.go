package main

import (
	"context"
	"fmt"
	"time"

	"github.com/stillcast/stillcast/internal/ledger"
)

type deliveriesDestinationsCommand struct {
	ledgerFlags
}

// Help is the end of the command's help.
func (deliveriesDestinationsCommand) Help() string {
	return "A destination is one URL of one callback template. OWED is what is still to be sent, PARKED what is not sent until it is replayed; " +
		"OLDEST is the age of the oldest event that is owed; SUCCESS, P50 and P95 are those of the last attempts since the server's start."
}

// Run prints a table of destinations.
func (c deliveriesDestinationsCommand) Run(ctx context.Context, o output) error {
	server, err := c.ledger()
	if err != nil {
		return err
	}
	var all ledger.DestinationList
	if err := server.Get(ctx, "destinations", nil, &all); err != nil {
		return explained(err)
	}
	if c.JSON {
		return printJSON(o.out, all)
	}
	now := time.Now()
	t := newTable(o.out, "ID", "TEMPLATE", "STATE", "OWED", "PARKED", "DELIVERED", "OLDEST", "SUCCESS", "P50", "P95", "URL")
	for _, d := range all.Destinations {
		success, p50, p95 := "", "", ""
		if h := d.Health; h != nil && h.Attempts > 0 {
			success = fmt.Sprintf("%.0f%%", 100*h.SuccessRate)
			p50, p95 = fmt.Sprintf("%.0fms", h.P50MS), fmt.Sprintf("%.0fms", h.P95MS)
		}
		t.row(d.ID, oneLine(d.TemplateName), stateOf(d), d.Owed.Waiting+d.Owed.Pending+d.Owed.Claimed, d.Owed.Parked, d.Delivered,
			since(d.Oldest, now), success, p50, p95, printable(d.URL))
	}
	return t.Flush()
}

// stateOf is one word for whether a destination is sent to.
func stateOf(d ledger.Destination) string {
	switch {
	case d.Paused != nil:
		return "paused"
	case d.Health != nil && d.Health.Breaker == "open":
		return "failing"
	}
	return "active"
}

type deliveriesPauseCommand struct {
	Destination string `arg:"" help:"Id of the destination, such as 3-shot."`
	Reason      string `placeholder:"TEXT" help:"Why, for others who look."`

	ledgerFlags
}

// Run pauses a destination.
func (c deliveriesPauseCommand) Run(ctx context.Context, o output) error {
	params := map[string]string{}
	if c.Reason != "" {
		params["reason"] = c.Reason
	}
	return c.change(ctx, o, c.Destination, "pause", params)
}

type deliveriesResumeCommand struct {
	Destination string `arg:"" help:"Id of the destination, such as 3-shot."`

	ledgerFlags
}

// Run resumes a destination.
func (c deliveriesResumeCommand) Run(ctx context.Context, o output) error {
	return c.change(ctx, o, c.Destination, "resume", nil)
}

// change pauses or resumes a destination, and tells what it is owed.
func (f ledgerFlags) change(ctx context.Context, o output, destination, what string, params map[string]string) error {
	server, err := f.ledger()
	if err != nil {
		return err
	}
	var d ledger.Destination
	if err := server.Post(ctx, "destinations/"+segment(destination)+"/"+what, params, &d); err != nil {
		return explained(err)
	}
	if f.JSON {
		return printJSON(o.out, d)
	}
	fmt.Fprintf(o.out, "destination %s is %s; %d owed, %d parked\n", d.ID, stateOf(d), d.Owed.Waiting+d.Owed.Pending+d.Owed.Claimed, d.Owed.Parked)
	return nil
}

type deliveriesTestCommand struct {
	Destination string `arg:"" help:"Id of the destination, such as 3-shot."`

	ledgerFlags
}

// Help is the end of the command's help.
func (deliveriesTestCommand) Help() string {
	return "The event is made up, has the header Stillcast-Test, and is sent once, also to a paused destination. The exit code is 1 when it is not taken."
}

// Run sends a sample event.
func (c deliveriesTestCommand) Run(ctx context.Context, o output) error {
	server, err := c.ledger()
	if err != nil {
		return err
	}
	var r ledger.TestResult
	if err := server.Post(ctx, "destinations/"+segment(c.Destination)+"/test", nil, &r); err != nil {
		return explained(err)
	}
	if c.JSON {
		if err := printJSON(o.out, r); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(o.out, "test of %s at %s, %.1f ms\n", c.Destination, r.Started, r.TookMS)
		showRequest(o.out, r.Request, "")
		showAnswer(o.out, r.Status, r.Reply)
	}
	if !r.Delivered {
		return fmt.Errorf("the test event was not taken: %s", oneLine(r.Error))
	}
	return nil
}
