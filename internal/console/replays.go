package console

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/stillcast/stillcast/internal/ledger"
)

// replaysData is what the page of replays shows.
type replaysData struct {
	filterForm

	Jobs []replayRow
	Lost string // id of the replay that was asked for, where the server does not know it; "" for none
	Self string // URL of this page
}

// Left is the URL of the list of what a lost replay has not put back.
func (d replaysData) Left() string {
	link := url.Values{"state": {replayable()[0]}}
	for field, text := range d.Filter {
		link.Set(field, text)
	}
	return Path + "deliveries?" + link.Encode()
}

// Twice says whether a lost replay, begun again, sends some events once more.
func (d replaysData) Twice() bool { return d.Filter["state"] == replayable()[1] }

// Running says whether there is anything that goes on.
func (d replaysData) Running() bool {
	for _, j := range d.Jobs {
		if j.State == "running" {
			return true
		}
	}
	return false
}

// replayRow is a replay of many deliveries in a table.
type replayRow struct{ ledger.ReplayJob }

// Percent is how far it is, in whole percents.
func (r replayRow) Percent() int { return int(math.Floor(r.Progress * 100)) }

// Kind is the mark of its state.
func (r replayRow) Kind() string {
	return map[string]string{"running": "faint", "done": "good", "cancelled": "warn", "failed": "bad"}[r.State]
}

// Link is the URL of the list of what it replays.
func (r replayRow) Link() string {
	link := url.Values{}
	for field, text := range map[string]string{
		"event_type": r.Filter.EventType, "domain": r.Filter.Domain, "app": r.Filter.App, "stream": r.Filter.Stream,
	} {
		if text != "" {
			link.Set(field, text)
		}
	}
	if r.Filter.Destination != (ledger.DestinationID{}) {
		link.Set("destination", r.Filter.Destination.String())
	}
	if !r.Filter.From.IsZero() {
		link.Set("from", r.Filter.From.String())
	}
	if !r.Filter.Until.IsZero() {
		link.Set("until", r.Filter.Until.String())
	}
	return Path + "deliveries?" + link.Encode()
}

// HasDestination says whether it is about one destination.
func (r replayRow) HasDestination() bool { return r.Filter.Destination != (ledger.DestinationID{}) }

// Stream is the stream that it is about, "" for any.
func (r replayRow) Stream() string {
	if r.Filter.Stream == "" {
		return ""
	}
	return r.Filter.Domain + "/" + r.Filter.App + "/" + r.Filter.Stream
}

// replayable are the states of deliveries that can be replayed; the first one is
// that of who chose nothing.
func replayable() []string { return []string{"parked", "delivered"} }

func (v *view) replaysPage() error {
	data := replaysData{filterForm: filterForm{Filter: selectedOf(v.r.URL.Query().Get)}}
	if data.Filter["state"] != "delivered" {
		delete(data.Filter, "state") // of the list that it comes from
	}
	data.Filter.local(v.opts.Zone)
	return v.showReplays(http.StatusOK, data)
}

func (v *view) showReplays(status int, data replaysData) error {
	var err error
	if data.choices, err = v.choices(replayable()...); err != nil {
		return err
	}
	jobs, err := v.desk().Replays(v.r.Context())
	if err != nil {
		return err
	}
	h := v.hush()
	asked := v.r.URL.Query().Get("job")
	data.Self = Path + "replays"
	if uuid.Validate(asked) == nil {
		data.Lost, data.Self = asked, replayPage(data.Filter, asked)
	}
	for _, j := range jobs.Replays {
		if j.ID == data.Lost {
			data.Lost = ""
		}
		j.Error = h.text(j.Error)
		data.Jobs = append(data.Jobs, replayRow{j})
	}
	if data.Lost != "" { // it did begin, which is not the news any more
		q := v.r.URL.Query()
		q.Del("done")
		v.r.URL.RawQuery = q.Encode()
	}
	return v.pageWith(status, "replays", data)
}

func (v *view) startReplay() error {
	filter := selectedOf(v.r.PostFormValue)
	job, err := v.desk().StartReplay(v.r.Context(), filter.parameters(v.opts.Zone))
	if err != nil {
		fault, ok := faultOf(err, selectFields())
		if !ok {
			return err
		}
		return v.showReplays(unprocessable, replaysData{filterForm: filterForm{Filter: filter, Fault: fault}})
	}
	return v.redirect(replayPage(filter, job.ID) + "&done=done.replay_begun")
}

// replayPage is the page of replays after one was begun. It names the replay and
// what that selects, since the server knows a replay as long as it runs only.
func replayPage(filter selected, job string) string {
	link := url.Values{"job": {job}}
	for field, text := range filter {
		link.Set(field, text)
	}
	return Path + "replays?" + link.Encode()
}

func (v *view) cancelReplay() error {
	// Who asked may be gone by now; what was asked acts all the same.
	if _, err := v.desk().CancelReplay(context.WithoutCancel(v.r.Context()), v.r.PathValue("id")); err != nil {
		return err
	}
	return v.redirectDone(Path+"replays", "done.replay_cancelled")
}

// Begun is when it began.
func (r replayRow) Begun() time.Time { return when(r.Started) }

// Over is when it ended, zero while it goes on.
func (r replayRow) Over() time.Time { return when(r.Ended) }

// From is the bound of the events' times, zero for none.
func (r replayRow) From() time.Time { return when(r.Filter.From) }

// Until is likewise.
func (r replayRow) Until() time.Time { return when(r.Filter.Until) }
