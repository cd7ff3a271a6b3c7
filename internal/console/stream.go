package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/state"
)

// stripLength is how many shots the film strip has.
const stripLength = 48

// streamData is what the page of a stream shows.
type streamData struct {
	Stream stillcast.Stream
	ID     string // as in shownTile
	Path   string // of the page, with a query

	Live  bool
	Push  stillcast.Push // the live one, else the last one; its ID is "" for none
	Video Video          // of the live one
	End   stillcast.PushEnd
	Param string         // of the push URL; without what is secret for viewers
	Ban   *stillcast.Ban // nil: it may be pushed
	Days  []int          // for which it can be forbidden

	Domain    string // the registered one; "" for none
	Snapshots []matchRow
	Callbacks []matchRow
	Template  *stillcast.SnapshotTemplate // in force, with its defaults; nil for none
	Tasks     []streamTask
	Receivers []streamReceiver // of events, by the callback template in force

	Strip    strip
	Selected *shotView // nil when there is no shot
}

// streamTask is a task that captures the stream now.
type streamTask struct {
	stillcast.Task

	Template string
}

// streamEvents are the events of a stream, in the order in which it has them.
func streamEvents() []stillcast.EventType {
	return []stillcast.EventType{stillcast.EventPushBegin, stillcast.EventShot, stillcast.EventPushException, stillcast.EventPushEnd}
}

// streamReceiver is where an event of a stream goes.
type streamReceiver struct {
	Event, URL string
}

// strip is a page of a stream's shots, in the order of time.
type strip struct {
	Shots        []stripShot
	Older, Newer int64  // cursors, the ids of the first and the last shot; 0: there is none
	Until        string // that was asked for, as in a form; "" for none
}

// stripShot is one picture of the film strip.
type stripShot struct {
	ID       int64
	Page     string    // URL on which it is shown large
	Picture  string    // URL
	Captured time.Time // in the configured zone
	Black    bool
	Selected bool
}

// Clock is the time at which its frame arrived.
func (s stripShot) Clock() string { return s.Captured.Format(time.TimeOnly) }

// When is the day, the time and the zone.
func (s stripShot) When() string { return s.Captured.Format("2006-01-02 15:04:05 -07:00") }

// UTC is as HTML has it in the element time.
func (s stripShot) UTC() string { return s.Captured.UTC().Format("2006-01-02T15:04:05.000Z") }

func (v *view) streamPage() error {
	v.wall().look()
	s, err := v.streamOf()
	if err != nil {
		return err
	}
	data := streamData{Stream: s, ID: streamID(s), Path: streamURL(s, ""), Days: []int{1, 7, 30, 90}}
	fill := []func(*streamData) error{v.fillPush, v.fillRules, v.fillStrip, v.fillSelected}
	if v.byHtmx() && v.r.Header.Get("Hx-Target") == "shot" {
		fill = fill[3:] // nothing else is sent
	}
	for _, f := range fill {
		if err := f(&data); err != nil {
			return err
		}
	}
	return v.page("stream", data)
}

// fillPush sets what is known of the push that is live, or was last.
func (v *view) fillPush(d *streamData) error {
	ctx := v.r.Context()
	d.Push, d.Video, d.Live = v.wall().live(d.Stream)
	if !d.Live {
		last, _, err := v.opts.Streams.PushPage(ctx, state.PushFilter{
			Domain: d.Stream.Domain, App: d.Stream.App, Name: d.Stream.Name, Strict: true, Failed: true,
			End: time.Now().Add(time.Hour), Limit: 1,
		})
		if err != nil {
			return err
		}
		if len(last) > 0 {
			d.Push, d.End = last[0].Push, last[0].End
		}
	}
	h := v.hush()
	d.Param, d.End.Message = h.param(d.Push.Param), h.text(d.End.Message)
	bans, err := v.opts.Streams.Bans(ctx)
	if err != nil {
		return err
	}
	banned := lowerDomain(d.Stream)
	if i := slices.IndexFunc(bans, func(b stillcast.Ban) bool { return lowerDomain(b.Stream) == banned && b.Until.After(time.Now()) }); i >= 0 {
		d.Ban = &bans[i]
		d.Ban.Reason = h.text(d.Ban.Reason)
	}
	return nil
}

// lowerDomain is how bans name a stream.
func lowerDomain(s stillcast.Stream) stillcast.Stream {
	s.Domain = strings.ToLower(s.Domain)
	return s
}

// fillRules sets which rules match, which one wins, and what is in force by it.
func (v *view) fillRules(d *streamData) error {
	r := v.opts.Streams.Resources()
	d.Domain = d.Push.Domain
	if !d.Live {
		domain, ok := r.Domain(d.Stream.Domain)
		d.Domain = ""
		if ok {
			d.Domain = domain.Name
		}
	}
	d.Snapshots, d.Callbacks = matchingSnapshots(r, d.Domain, d.Stream), matchingCallbacks(r, d.Domain, d.Stream)
	if t, ok := r.SnapshotTemplate(d.Domain, d.Stream); ok {
		d.Template = &t
	}
	if t, ok := r.CallbackTemplate(d.Domain, d.Stream); ok {
		for _, e := range streamEvents() {
			if u := t.URL(e); u != "" {
				d.Receivers = append(d.Receivers, streamReceiver{e.String(), bareURL(u)})
			}
		}
	}
	running, err := v.opts.Streams.Running(v.r.Context(), d.Stream)
	if err != nil {
		return err
	}
	for _, task := range running {
		row := streamTask{Task: task}
		if t, ok := r.SnapshotTemplateByID(task.TemplateID); ok {
			row.Template = t.Name
		}
		d.Tasks = append(d.Tasks, row)
	}
	return nil
}

// fillStrip sets the film strip: the newest shots, those before or after a shot, or
// those up to a time.
func (v *view) fillStrip(d *streamData) error {
	q := v.r.URL.Query()
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64)
	after, _ := strconv.ParseInt(q.Get("after"), 10, 64)
	f := state.ShotFilter{Stream: &d.Stream, Descending: true, BeforeID: max(before, 0), Limit: stripLength + 1}
	if after > 0 {
		f.Descending, f.BeforeID, f.AfterID = false, 0, after
	}
	if until, err := time.ParseInLocation("2006-01-02T15:04", q.Get("until"), v.opts.Zone); err == nil {
		f.Until, d.Strip.Until = until.Add(time.Minute), q.Get("until")
	}
	rows, err := v.opts.Streams.Shots(v.r.Context(), f)
	if err != nil {
		return err
	}
	shot, _ := strconv.ParseInt(q.Get("shot"), 10, 64)
	if newest := f.Descending && f.BeforeID == 0 && f.Until.IsZero(); newest && shot > 0 && len(rows) > stripLength && rows[stripLength-1].ID > shot {
		// The one that is asked for is an older one: the film strip ends with it.
		f.BeforeID = shot + 1
		if rows, err = v.opts.Streams.Shots(v.r.Context(), f); err != nil {
			return err
		}
	}
	more := len(rows) > stripLength
	rows = rows[:min(len(rows), stripLength)]
	if f.Descending {
		slices.Reverse(rows)
	}
	for _, s := range rows {
		d.Strip.Shots = append(d.Strip.Shots, stripShot{
			ID: s.ID, Page: d.Link("shot", s.ID), Picture: pictureURL(s.ID, smallest(s.Shot)), Captured: s.Captured.In(v.opts.Zone), Black: s.Facts.Black,
		})
	}
	if len(rows) == 0 {
		return nil
	}
	first, last := rows[0].ID, rows[len(rows)-1].ID
	if more || !f.Descending {
		d.Strip.Older = first
	}
	if more && !f.Descending || f.Descending && (f.BeforeID > 0 || !f.Until.IsZero()) {
		d.Strip.Newer = last
	}
	return nil
}

// fillSelected sets the shot that is shown large: the one that was asked for, or
// the newest of the film strip.
func (v *view) fillSelected(d *streamData) error {
	id, _ := strconv.ParseInt(v.r.URL.Query().Get("shot"), 10, 64)
	if id <= 0 {
		if len(d.Strip.Shots) == 0 {
			return nil
		}
		id = d.Strip.Shots[len(d.Strip.Shots)-1].ID
	}
	shot, err := v.opts.Streams.Shot(v.r.Context(), id)
	switch {
	case stillcast.CodeOf(err) == stillcast.CodeNotFound, err == nil && shot.Stream != d.Stream:
		return refusedf(http.StatusNotFound, "stream.no_shot")
	case err != nil:
		return err
	}
	d.Selected, err = v.shotView(shot)
	for i := range d.Strip.Shots {
		d.Strip.Shots[i].Selected = d.Strip.Shots[i].ID == id
	}
	return err
}
