package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/stillcast/stillcast/internal/ledger"
)

// shotsCommand is what was taken. Kong reads the tags.
type shotsCommand struct {
	List shotsListCommand `cmd:"" help:"List shots: what was taken of which stream, and where its pictures are."`
	Show shotsShowCommand `cmd:"" help:"Show one shot with its facts, its pictures and what is owed of it."`
}

type shotsListCommand struct {
	State string `placeholder:"STATE" enum:",spooled,stored,dropped,removed" default:"" help:"Only spooled, stored, dropped or removed."`

	listFlags
	pageFlags
	ledgerFlags
}

// Help is the end of the command's help.
func (shotsListCommand) Help() string {
	return "States: spooled, not stored yet; stored; dropped, given up before it was stored; removed, stored once and removed for its age."
}

// Run prints a table of shots, the newest first.
func (c shotsListCommand) Run(ctx context.Context, o output) error {
	params, err := c.params(time.Now())
	if err != nil {
		return err
	}
	params["state"] = c.State
	server, err := c.ledger()
	if err != nil {
		return err
	}
	all := ledger.ShotPage{Shots: []ledger.Shot{}}
	for cursor := ""; ; {
		var page ledger.ShotPage
		if err := server.Get(ctx, "shots", c.query(params, len(all.Shots), cursor), &page); err != nil {
			return explained(err)
		}
		all.Shots, all.Next = append(all.Shots, page.Shots...), page.Next
		if page.Next.IsZero() || len(all.Shots) >= c.Limit {
			break
		}
		cursor = textOf(page.Next)
	}
	if c.JSON {
		return printJSON(o.out, all)
	}
	t := newTable(o.out, "ID", "CAPTURED", "STREAM", "STATE", "SIZE", "BYTES", "KEY")
	for _, s := range all.Shots {
		t.row(textOf(s.ID), s.Captured, printable(s.Stream.String()), s.State, sizeOf(s.Picture), s.Picture.Bytes, printable(s.Picture.Key))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if !all.Next.IsZero() {
		fmt.Fprintf(o.err, "there are more; see them with a larger --limit\n")
	}
	return nil
}

func sizeOf(p ledger.Picture) string { return fmt.Sprintf("%dx%d", p.Width, p.Height) }

type shotsShowCommand struct {
	ID string `arg:"" help:"Id of the shot, as list prints it."`

	ledgerFlags
}

// Run prints one shot.
func (c shotsShowCommand) Run(ctx context.Context, o output) error {
	server, err := c.ledger()
	if err != nil {
		return err
	}
	var s ledger.ShotDetail
	if err := server.Get(ctx, "shots/"+segment(c.ID), nil, &s); err != nil {
		return explained(err)
	}
	if c.JSON {
		return printJSON(o.out, s)
	}
	if err := showShot(o.out, s.Shot); err != nil {
		return err
	}
	fmt.Fprintln(o.out)
	t := newTable(o.out, "DELIVERY", "DESTINATION", "STATE", "ATTEMPTS", "STATUS", "ERROR")
	for _, d := range s.Deliveries {
		t.row(textOf(d.ID), d.Destination, d.State, d.Attempts, shownCount(d.LastStatus), oneLine(why(d)))
	}
	return t.Flush()
}

// showShot prints a shot as a list of names and values.
func showShot(w io.Writer, s ledger.Shot) error {
	t := newTable(w, "shot", textOf(s.ID))
	state := s.State
	if s.Reason != "" {
		state += ": " + oneLine(s.Reason)
	}
	t.row("state", state)
	t.row("stream", printable(s.Stream.String()))
	t.row("captured", s.Captured)
	if !s.Stored.IsZero() {
		t.row("stored", s.Stored)
	}
	t.row("due", s.Due)
	t.row("event", s.EventID)
	t.row("push", s.PushID)
	t.row("bucket", s.Bucket)
	for _, p := range append([]ledger.Picture{s.Picture}, s.Renditions...) {
		t.row("picture", fmt.Sprintf("%s, %s, %d bytes", printable(p.Key), sizeOf(p), p.Bytes))
		if p.URL != "" {
			t.row("url", printable(p.URL))
		}
	}
	f := s.Facts
	t.row("frame", fmt.Sprintf("%s, %.1f ms old at its due time", f.Accuracy, f.AgeMS))
	t.row("work", fmt.Sprintf("decode %.1f ms, scale %.1f ms, encode %.1f ms", f.DecodeMS, f.ScaleMS, f.EncodeMS))
	t.row("look", fmt.Sprintf("luma %.0f, variance %.0f, black %t, solid %t, duplicate %t, hash %s", f.Luma, f.Variance, f.Black, f.Solid, f.Duplicate, f.Hash))
	return t.Flush()
}
