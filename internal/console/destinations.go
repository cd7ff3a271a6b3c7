package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ledger"
)

// destinationsData is what the page of all destinations shows.
type destinationsData struct {
	All    []destinationCard
	Tested *testedData // nil: nothing was
	Fault  fieldFault  // its field is the id of the destination
	Reason string      // that was typed in where there is a fault
}

// testedData is what a test event came to.
type testedData struct {
	ID, Name string
	Result   ledger.TestResult
}

// Took writes how long the answer took.
func (d testedData) Took() string { return milliseconds(d.Result.TookMS) }

// destinationCard is a destination with what it is owed and how it answers.
type destinationCard struct{ ledger.Destination }

// Name is the name of its template, or its id when that is gone.
func (c destinationCard) Name() string { return cmp.Or(c.TemplateName, c.ID.String()) }

// State says how it does: paused, failing (its breaker is open), troubled (the last
// attempt failed), working, or unknown as nothing was sent since the start.
func (c destinationCard) State() string {
	switch {
	case c.Paused != nil:
		return "paused"
	case c.Health == nil || c.Health.Attempts == 0 && c.Health.Breaker != "open":
		return "unknown"
	case c.Health.Breaker == "open":
		return "failing"
	case c.Health.LastError != "":
		return "troubled"
	}
	return "working"
}

// Kind is the mark of its state.
func (c destinationCard) Kind() string {
	return map[string]string{"paused": "warn", "failing": "bad", "troubled": "warn", "working": "good", "unknown": "faint"}[c.State()]
}

// owedRow is what is owed in one state.
type owedRow struct {
	State string
	Count int64
	Link  string // to the list of them
}

// Owing is what it is owed by state.
func (c destinationCard) Owing() []owedRow {
	rows := []owedRow{
		{State: "waiting", Count: c.Owed.Waiting},
		{State: "pending", Count: c.Owed.Pending},
		{State: "claimed", Count: c.Owed.Claimed},
		{State: "parked", Count: c.Owed.Parked},
	}
	for i, r := range rows {
		rows[i].Link = Path + "deliveries?" + url.Values{"destination": {c.ID.String()}, "state": {r.State}}.Encode()
	}
	return rows
}

// Answers says whether anything is known of how it answers.
func (c destinationCard) Answers() bool { return c.Health != nil && c.Health.Attempts > 0 }

// Success is the part of the last attempts that delivered.
func (c destinationCard) Success() string {
	return strconv.FormatFloat(c.Health.SuccessRate*100, 'f', 0, 64) + " %"
}

// P50 is the time that half of the last attempts took at most.
func (c destinationCard) P50() string { return milliseconds(c.Health.P50MS) }

// P95 is likewise for 95 of 100.
func (c destinationCard) P95() string { return milliseconds(c.Health.P95MS) }

// OldestAt is the time of the oldest event that is owed, zero for none.
func (c destinationCard) OldestAt() time.Time { return when(c.Oldest) }

// NextAt is when something is sent next, zero for nothing.
func (c destinationCard) NextAt() time.Time { return when(c.NextDue) }

// PausedAt is when it was paused.
func (c destinationCard) PausedAt() time.Time { return when(c.Paused.Since) }

// PausedWhy is why, without what could not be seen.
func (c destinationCard) PausedWhy() string { return visible(c.Paused.Reason) }

// OpenAt is when its breaker opened, zero unless that is open.
func (c destinationCard) OpenAt() time.Time { return when(c.Health.OpenSince) }

// ProbeAt is when it is probed next, zero unless its breaker is open.
func (c destinationCard) ProbeAt() time.Time { return when(c.Health.NextProbe) }

// LastAt is when the last attempt began.
func (c destinationCard) LastAt() time.Time { return when(c.Health.Last) }

// LastWhy is why that failed, "" when it did not.
func (c destinationCard) LastWhy() string { return visible(c.Health.LastError) }

// Deliveries is the URL of the list of what was ever owed to it.
func (c destinationCard) Deliveries() string {
	return Path + "deliveries?" + url.Values{"destination": {c.ID.String()}}.Encode()
}

// cardForm is a destination with what a form about it needs.
type cardForm struct {
	destinationCard

	Page shown
}

// Card is for templates, which can give one value to another.
func (destinationsData) Card(page shown, c destinationCard) cardForm { return cardForm{c, page} }

func (v *view) destinationsPage() error { return v.showDestinations(http.StatusOK, destinationsData{}) }

func (v *view) showDestinations(status int, data destinationsData) error {
	all, err := v.desk().Destinations(v.r.Context())
	if err != nil {
		return err
	}
	h := v.hush()
	for _, d := range all.Destinations {
		if d.Paused != nil {
			d.Paused.Reason = h.text(d.Paused.Reason)
		}
		if d.Health != nil {
			d.Health.LastError = h.text(d.Health.LastError)
		}
		data.All = append(data.All, destinationCard{d})
		if data.Tested != nil && d.ID.String() == data.Tested.ID {
			data.Tested.Name = destinationCard{d}.Name()
		}
	}
	return v.pageWith(status, "destinations", data)
}

func (v *view) pauseDestination() error {
	id, reason := v.r.PathValue("destination"), v.r.PostFormValue("reason")
	if _, err := v.desk().Pause(context.WithoutCancel(v.r.Context()), id, reason); err != nil {
		fault, ok := faultOf(err, []string{"reason"})
		if !ok || stillcast.CodeOf(err) == stillcast.CodeNotFound {
			return err
		}
		return v.showDestinations(unprocessable, destinationsData{Fault: fieldFault{Field: id, Text: fault.Text}, Reason: reason})
	}
	return v.redirectDone(Path+"destinations", "done.paused")
}

func (v *view) resumeDestination() error {
	if _, err := v.desk().Resume(context.WithoutCancel(v.r.Context()), v.r.PathValue("destination")); err != nil {
		return err
	}
	return v.redirectDone(Path+"destinations", "done.unpaused")
}

func (v *view) testDestination() error {
	id := v.r.PathValue("destination")
	result, err := v.desk().Test(v.r.Context(), id)
	if err != nil {
		return err
	}
	// A test event is made up: it holds nothing that anybody logs in with.
	result.Request = shownRequest(result.Request, hush{})
	result.Reply, result.Error = visible(result.Reply), visible(result.Error)
	return v.showDestinations(http.StatusOK, destinationsData{Tested: &testedData{ID: id, Name: id, Result: result}})
}

// bytesText writes a number of bytes.
func bytesText(n float64) string {
	const kibi = 1024
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for n >= kibi && i < len(units)-1 {
		n /= kibi
		i++
	}
	if i == 0 {
		return fmt.Sprintf("%.0f B", n)
	}
	return fmt.Sprintf("%.1f %s", n, units[i])
}
