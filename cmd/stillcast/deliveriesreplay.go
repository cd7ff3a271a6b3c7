package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stillcast/stillcast/internal/ledger"
	"github.com/stillcast/stillcast/internal/ledger/client"
)

type deliveriesReplayCommand struct {
	IDs   []string `arg:"" optional:"" name:"id" help:"Ids of deliveries, as list prints them. Without one: all that the flags select."`
	All   bool     `help:"Replay whatever is parked, where no other flag selects."`
	State string   `placeholder:"STATE" enum:"parked,delivered" default:"parked" help:"With flags: parked (the default) or delivered, which needs --destination and --from."`

	deliveryFlags
	ledgerFlags
}

// Help is the end of the command's help.
func (deliveriesReplayCommand) Help() string {
	return "What is parked or delivered can be sent again, unless its picture is gone. Many are replayed in the background of the server, in small steps; " +
		"this command waits for the end, and cancels it when it is interrupted. What a destination is owed is sent at its own pace."
}

// Run replays those that are named, or those that the flags select.
func (c deliveriesReplayCommand) Run(ctx context.Context, o output) error {
	params, err := c.params(time.Now())
	if err != nil {
		return err
	}
	selects := len(params) > 0 || c.State != "parked"
	switch {
	case len(c.IDs) > 0 && (selects || c.All):
		return errors.New("give either ids or flags that select, not both")
	case len(c.IDs) == 0 && !selects && !c.All:
		return errors.New("nothing is selected; give ids, --destination, --stream, --event-type, --from or --until, or --all for whatever is parked")
	}
	server, err := c.ledger()
	if err != nil {
		return err
	}
	if len(c.IDs) > 0 {
		return c.some(ctx, o, server)
	}
	params["state"] = c.State
	return c.many(ctx, o, server, params)
}

// some replays one after the other, and goes on behind one that cannot be.
func (c deliveriesReplayCommand) some(ctx context.Context, o output, server *client.Client) error {
	var failed []error
	replayed := []ledger.Delivery{}
	for _, id := range c.IDs {
		var d ledger.Delivery
		err := server.Post(ctx, "deliveries/"+segment(id)+"/replay", nil, &d)
		if _, refused := errors.AsType[*client.Error](err); err != nil && !refused {
			return err
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("delivery %s: %w", id, explained(err)))
			continue
		}
		replayed = append(replayed, d)
		if !c.JSON {
			fmt.Fprintf(o.out, "delivery %s is %s again\n", textOf(d.ID), d.State)
		}
	}
	if c.JSON {
		failed = append(failed, printJSON(o.out, replayed))
	}
	return errors.Join(failed...)
}

// askEvery is how often the progress of a replay is asked for.
const askEvery = 200 * time.Millisecond

func (c deliveriesReplayCommand) many(ctx context.Context, o output, server *client.Client, params map[string]string) error {
	var job ledger.ReplayJob
	if err := server.Post(ctx, "replays", params, &job); err != nil {
		return explained(err)
	}
	for tick := time.NewTicker(askEvery); job.State == "running"; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return c.cancel(context.WithoutCancel(ctx), o, server, job)
		}
		if err := server.Get(ctx, "replays/"+job.ID, nil, &job); err != nil && ctx.Err() == nil {
			tick.Stop()
			return explained(err)
		}
	}
	return c.tell(o, job)
}

func (c deliveriesReplayCommand) cancel(ctx context.Context, o output, server *client.Client, job ledger.ReplayJob) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := server.Delete(ctx, "replays/"+job.ID, &job); err != nil {
		return fmt.Errorf("the replay %s goes on: %w", job.ID, explained(err))
	}
	return c.tell(o, job)
}

func (c deliveriesReplayCommand) tell(o output, job ledger.ReplayJob) error {
	if c.JSON {
		if err := printJSON(o.out, job); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(o.out, "%d deliveries are sent again\n", job.Replayed)
	}
	if job.State != "done" {
		return fmt.Errorf("the replay %s is %s after %.0f %% of the ledger%s", job.ID, job.State, 100*job.Progress, reasonOf(job))
	}
	return nil
}

func reasonOf(job ledger.ReplayJob) string {
	if job.Error == "" {
		return ""
	}
	return ": " + job.Error
}
