package console

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/ledger"
)

// deliveriesData is what the list of deliveries shows.
type deliveriesData struct {
	filterForm

	Rows     []deliveryRow
	Older    string // URL of the next page, "" on the last one
	Newest   string // URL of the first page, "" on that
	Replays  string // URL of the form to replay what the filter selects
	Query    string // of this page, for what comes back to it
	Replayed *replayedData
}

// replayedData is what a replay of a selection came to.
type replayedData struct {
	Done    int
	Refused []refusedRow
}

// refusedRow is a delivery that was not replayed.
type refusedRow struct{ ID, Why string }

// deliveryRow is a delivery in a table.
type deliveryRow struct{ ledger.Delivery }

// Kind is the mark of its state.
func (r deliveryRow) Kind() string {
	switch r.State {
	case "delivered":
		return "good"
	case "parked":
		return "bad"
	}
	if r.LastError != "" {
		return "warn"
	}
	return "faint"
}

// Last says why it failed last, without what could not be seen.
func (r deliveryRow) Last() string {
	if r.Reason != "" {
		return visible(r.Reason)
	}
	return visible(r.LastError)
}

// At is when the event happened.
func (r deliveryRow) At() time.Time { return when(r.EventTime) }

// DueAt is when it is tried next, zero for never.
func (r deliveryRow) DueAt() time.Time { return when(r.Due) }

// DoneAt is when it was delivered or parked, zero while it is neither.
func (r deliveryRow) DoneAt() time.Time { return when(r.Finished) }

// Replayable says whether it is done, so that it can be sent again.
func (r deliveryRow) Replayable() bool { return r.State == "parked" || r.State == "delivered" }

// StreamPage is the page of its stream.
func (r deliveryRow) StreamPage() string { return streamURL(stillcast.Stream(r.Stream), "") }

// StreamName is that of its stream, for people.
func (r deliveryRow) StreamName() string {
	return legible(r.Stream.Domain) + "/" + legible(r.Stream.App) + "/" + legible(r.Stream.Name)
}

// shownDelivery is a delivery as it may be looked at.
func shownDelivery(d ledger.Delivery, h hush) deliveryRow {
	d.LastError, d.Reason = h.text(d.LastError), h.text(d.Reason)
	return deliveryRow{d}
}

// pageRows is how many deliveries a page has.
const pageRows = "50"

func deliveryStates() []string {
	return []string{"waiting", "pending", "claimed", "delivered", "parked"}
}

func (v *view) deliveriesPage() error { return v.showDeliveries(v.r.URL.Query(), nil) }

// showDeliveries shows the list that a query asks for.
func (v *view) showDeliveries(query url.Values, replayed *replayedData) error {
	data := deliveriesData{filterForm: filterForm{Filter: selectedOf(query.Get)}, Replayed: replayed}
	data.Filter.local(v.opts.Zone)
	var err error
	if data.choices, err = v.choices(deliveryStates()...); err != nil {
		return err
	}
	in := data.Filter.parameters(v.opts.Zone)
	link := url.Values{}
	for field, text := range in {
		link.Set(field, text)
	}
	data.Replays = Path + "replays?" + link.Encode()
	in["limit"] = pageRows
	if cursor := query.Get("cursor"); cursor != "" {
		in["cursor"] = cursor
		data.Newest = Path + "deliveries?" + link.Encode()
		link.Set("cursor", cursor)
	}
	data.Query = link.Encode()
	page, err := v.desk().Deliveries(v.r.Context(), in)
	if err != nil {
		fault, ok := faultOf(err, selectFields())
		if !ok {
			return err
		}
		data.Fault = fault
		return v.pageWith(unprocessable, "deliveries", data)
	}
	h := v.hush()
	for _, d := range page.Deliveries {
		data.Rows = append(data.Rows, shownDelivery(d, h))
	}
	if !page.Next.IsZero() {
		next, err := page.Next.MarshalText()
		if err != nil {
			return err
		}
		link.Set("cursor", string(next))
		data.Older = Path + "deliveries?" + link.Encode()
	}
	return v.page("deliveries", data)
}

// replaySelection replays the deliveries that were ticked, one by one, and says
// what came of each.
func (v *view) replaySelection() error {
	if err := v.r.ParseForm(); err != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, "", "the form cannot be read: %v", err)
	}
	query, err := url.ParseQuery(v.r.PostFormValue("query"))
	if err != nil {
		return stillcast.Errorf(stillcast.CodeInvalid, "query", "cannot be read: %v", err)
	}
	ids := v.r.PostForm["id"]
	most, err := strconv.Atoi(pageRows)
	if err != nil {
		return err
	}
	switch {
	case len(ids) == 0:
		return refusedf(unprocessable, "deliveries.none_ticked")
	case len(ids) > most:
		return stillcast.Errorf(stillcast.CodeInvalid, "id", "is given %d times; at most %d are allowed", len(ids), most)
	}
	done := &replayedData{}
	desk := v.desk()
	for _, id := range ids {
		// Who asked may be gone by now; what was asked acts all the same.
		if _, err := desk.Replay(context.WithoutCancel(v.r.Context()), id); err != nil {
			_, why := v.explain(v, err)
			done.Refused = append(done.Refused, refusedRow{ID: visible(id), Why: why})
			continue
		}
		done.Done++
	}
	return v.showDeliveries(query, done)
}

// deliveryData is what the page of one delivery shows.
type deliveryData struct {
	deliveryRow

	Fields   string // of the event, indented
	Masked   bool   // what publishers log in with is left out
	Attempts []attemptRow
	Picture  string // URL, "" for none
	Shot     string // URL of the shot's page, "" for none
	Others   string // URL of the list of deliveries to the same destination
}

// attemptRow is one attempt, the newest first.
type attemptRow struct {
	ledger.Attempt

	Newest bool
}

// Kind is the mark of its outcome.
func (a attemptRow) Kind() string {
	return map[string]string{"delivered": "good", "retry": "warn", "parked": "bad"}[a.Outcome]
}

// StartedAt is when it began.
func (a attemptRow) StartedAt() time.Time { return when(a.Started) }

// RetryingAt is when it was to be tried again, zero for never.
func (a attemptRow) RetryingAt() time.Time { return when(a.RetryAt) }

// Took writes how long it took.
func (a attemptRow) Took() string { return milliseconds(a.TookMS) }

func (v *view) deliveryPage() error {
	detail, err := v.desk().Delivery(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return v.unknown(err)
	}
	h := v.hush().of(detail.Event)
	data := deliveryData{
		deliveryRow: shownDelivery(detail.Delivery, h), Masked: h.on,
		Others: Path + "deliveries?" + url.Values{"destination": {detail.Destination.String()}}.Encode(),
	}
	var fields bytes.Buffer
	if err := json.Indent(&fields, []byte(h.json(string(detail.Event.Fields))), "", "  "); err == nil {
		data.Fields = visible(fields.String())
	}
	for i := range detail.Log {
		a := detail.Log[len(detail.Log)-1-i]
		data.Attempts = append(data.Attempts, attemptRow{Attempt: shownAttempt(a, h), Newest: i == 0})
	}
	if detail.ShotID > 0 {
		data.Picture = pictureURL(int64(detail.ShotID), 0)
		data.Shot = streamURL(stillcast.Stream(detail.Stream), "", "shot", strconv.FormatInt(int64(detail.ShotID), 10))
	}
	return v.page("delivery", data)
}

// unknown makes an id that cannot be one that there is not.
func (v *view) unknown(err error) error {
	if stillcast.CodeOf(err) == stillcast.CodeInvalid {
		return refusedf(http.StatusNotFound, "error.nothing")
	}
	return err
}

// shownAttempt is an attempt as it may be looked at.
func shownAttempt(a ledger.Attempt, h hush) ledger.Attempt {
	a.Reply, a.Error, a.Unknown = visible(h.json(a.Reply)), visible(h.text(a.Error)), visible(a.Unknown)
	a.Request = shownRequest(a.Request, h)
	return a
}

func shownRequest(r *ledger.Request, h hush) *ledger.Request {
	if r == nil {
		return nil
	}
	shown := &ledger.Request{URL: visible(h.url(r.URL)), Body: visible(h.json(r.Body))}
	for _, field := range r.Header {
		shown.Header = append(shown.Header, ledger.Header{Name: visible(field.Name), Value: visible(h.header(field.Name, field.Value))})
	}
	return shown
}

func (v *view) replayDelivery() error {
	d, err := v.desk().Replay(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.redirectDone(Path+"deliveries/"+strconv.FormatInt(int64(d.ID), 10), "done.replayed")
}

// milliseconds writes a number of them.
func milliseconds(ms float64) string {
	const second, minute = 1000, 60_000
	switch {
	case ms >= minute:
		return strconv.FormatFloat(ms/minute, 'f', 1, 64) + " min"
	case ms >= second:
		return strconv.FormatFloat(ms/second, 'f', 2, 64) + " s"
	}
	return strconv.FormatFloat(ms, 'f', 1, 64) + " ms"
}
