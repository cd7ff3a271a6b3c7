package main

import (
	"context"
	"fmt"
	"time"

	"github.com/stillcast/stillcast/internal/ledger"
)

// deliveriesCommand is what became of events. Kong reads the tags.
type deliveriesCommand struct {
	List         deliveriesListCommand         `cmd:"" help:"List deliveries: which event went where, and what became of it."`
	Show         deliveriesShowCommand         `cmd:"" help:"Show one delivery with its attempts: what was sent, what was answered."`
	Replay       deliveriesReplayCommand       `cmd:"" help:"Send deliveries again, under the same event ids."`
	Destinations deliveriesDestinationsCommand `cmd:"" help:"List destinations: what they are owed, and how they answer."`
	Pause        deliveriesPauseCommand        `cmd:"" help:"Send nothing to a destination until it is resumed; what it is owed is kept."`
	Resume       deliveriesResumeCommand       `cmd:"" help:"Send to a paused destination again."`
	Test         deliveriesTestCommand         `cmd:"" help:"Send a sample event to a destination now, and show the answer."`
}

// deliveryFlags select deliveries.
type deliveryFlags struct {
	Destination string `placeholder:"ID" help:"Only to this destination, such as 3-shot."`
	EventType   string `name:"event-type" placeholder:"TYPE" enum:",shot,push_begin,push_end,push_exception" default:"" help:"Only of shot, push_begin, push_end or push_exception."`

	listFlags
}

func (f deliveryFlags) params(now time.Time) (map[string]string, error) {
	params, err := f.listFlags.params(now)
	if err != nil {
		return nil, err
	}
	for name, text := range map[string]string{"destination": f.Destination, "event_type": f.EventType} {
		if text != "" {
			params[name] = text
		}
	}
	return params, nil
}

type deliveriesListCommand struct {
	State string `placeholder:"STATE" enum:",waiting,pending,claimed,delivered,parked" default:"" help:"Only waiting, pending, claimed, delivered or parked."`

	deliveryFlags
	pageFlags
	ledgerFlags
}

// Help is the end of the command's help.
func (deliveriesListCommand) Help() string {
	return "States: waiting for the picture to be stored; pending until it is due; claimed, being sent; delivered; parked, no longer tried by itself."
}

// Run prints a table of deliveries, the newest first.
func (c deliveriesListCommand) Run(ctx context.Context, o output) error {
	params, err := c.params(time.Now())
	if err != nil {
		return err
	}
	params["state"] = c.State
	server, err := c.ledger()
	if err != nil {
		return err
	}
	all := ledger.DeliveryPage{Deliveries: []ledger.Delivery{}}
	for cursor := ""; ; {
		var page ledger.DeliveryPage
		if err := server.Get(ctx, "deliveries", c.query(params, len(all.Deliveries), cursor), &page); err != nil {
			return explained(err)
		}
		all.Deliveries, all.Next = append(all.Deliveries, page.Deliveries...), page.Next
		if page.Next.IsZero() || len(all.Deliveries) >= c.Limit {
			break
		}
		cursor = textOf(page.Next)
	}
	if c.JSON {
		return printJSON(o.out, all)
	}
	t := newTable(o.out, "ID", "EVENT TIME", "STREAM", "DESTINATION", "STATE", "ATTEMPTS", "STATUS", "DUE", "ERROR")
	for _, d := range all.Deliveries {
		t.row(textOf(d.ID), d.EventTime, d.Stream, d.Destination, d.State, d.Attempts, shownCount(d.LastStatus), shownTime(d.Due), oneLine(why(d)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if !all.Next.IsZero() {
		fmt.Fprintf(o.err, "there are more; see them with a larger --limit\n")
	}
	return nil
}

// why is why a delivery is not delivered, "" where there is no reason.
func why(d ledger.Delivery) string {
	switch {
	case d.State == "delivered":
		return ""
	case d.Reason != "":
		return d.Reason
	}
	return d.LastError
}

type deliveriesShowCommand struct {
	ID string `arg:"" help:"Id of the delivery, as list prints it."`

	ledgerFlags
}

// Run prints one delivery.
func (c deliveriesShowCommand) Run(ctx context.Context, o output) error {
	server, err := c.ledger()
	if err != nil {
		return err
	}
	var d ledger.DeliveryDetail
	if err := server.Get(ctx, "deliveries/"+segment(c.ID), nil, &d); err != nil {
		return explained(err)
	}
	if c.JSON {
		return printJSON(o.out, d)
	}
	if err := showDelivery(o.out, d.Delivery); err != nil {
		return err
	}
	for _, a := range d.Log {
		showAttempt(o.out, a)
	}
	return nil
}
