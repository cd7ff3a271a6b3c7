package console

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/stillcast/stillcast/internal/trend"
)

// system is what the page of the system needs of the server.
type system interface {
	// Facts says how the server is now.
	Facts(ctx context.Context) (SystemFacts, error)
	// History returns what is remembered of the series of [SystemSeries] after a time.
	History(after time.Time) trend.History
	// Settings returns the configuration as YAML, without what is secret.
	Settings() ([]byte, error)
	// CheckStores tries whether the stores can be used; Facts tells.
	CheckStores(ctx context.Context)
}

// SystemFacts is how a server is.
type SystemFacts struct {
	Version, Go string
	PID         int
	Started     time.Time
	Ready       bool // it takes pushes
	Live        int  // streams
	Listeners   []SystemListener
	Workers     []SystemWorker
	Spool       SystemSpool
	Disk        SystemDisk
	Stores      []SystemStore
}

// SystemListener is an address that the server listens on.
type SystemListener struct {
	Name    string // of its setting, such as "listen.http"
	Address string
}

// SystemWorker is a process that makes pictures.
type SystemWorker struct {
	PID     int
	Started time.Time
	Shots   int
	RSS     int64         // memory, in bytes; 0: not known yet
	CPU     time.Duration // that it has taken
}

// SystemSpool is what waits to be stored.
type SystemSpool struct {
	Shots, Bytes int64
	Max          int64 // bytes that it may have; 0: any number
	Policy       string
	Oldest       time.Duration // age of the oldest; 0 for none
}

// Part is how full it is, 0 to 1; 0 without a limit.
func (s SystemSpool) Part() float64 {
	if s.Max <= 0 {
		return 0
	}
	return min(1, float64(s.Bytes)/float64(s.Max))
}

// SystemDisk is the file system of data_dir.
type SystemDisk struct {
	Folder      string
	Free, Total uint64 // bytes; of the free ones, those for this user. Total is 0 where they are not known
	Database    int64  // bytes of the database's files
}

// Part is how full it is, 0 to 1.
func (d SystemDisk) Part() float64 {
	if d.Total == 0 {
		return 0
	}
	return 1 - float64(d.Free)/float64(d.Total)
}

// SystemStore is an object store.
type SystemStore struct {
	Name, Type string
	Failures   int       // in a row
	Open       bool      // its breaker: it does not work, and gets one picture at a time
	Since      time.Time // the breaker opened
	NextTry    time.Time // no picture before
	CanCheck   bool      // it can be asked whether it can be used
	Checked    time.Time // zero: never
	Fault      string    // of the last check, "" for none
	Do         string    // what can be done about it
}

func (c *Console) systemRoutes() []route {
	return []route{
		{pattern: "GET system", run: (*view).systemPage},
		{pattern: "GET system/history", run: (*view).systemHistory},
		{pattern: "POST system/check", run: (*view).checkStores},
	}
}

// systemData is what the page of the system shows.
type systemData struct {
	SystemFacts

	Plots    []shownPlot
	Settings string
	From     string // URL of what the plots show
	Offset   int    // of the console's zone from UTC, in seconds
}

// Uptime is how long the server runs.
func (d systemData) Uptime() string { return time.Since(d.Started).Round(time.Second).String() }

// Memory writes what the worker holds.
func (w SystemWorker) Memory() string {
	if w.RSS == 0 {
		return "–"
	}
	return bytesText(float64(w.RSS))
}

// Took writes the time of the processor that the worker has taken.
func (w SystemWorker) Took() string { return w.CPU.Round(10 * time.Millisecond).String() }

// Size writes the bytes that wait.
func (s SystemSpool) Size() string { return bytesText(float64(s.Bytes)) }

// Most writes how many may, "" for any number.
func (s SystemSpool) Most() string {
	if s.Max <= 0 {
		return ""
	}
	return bytesText(float64(s.Max))
}

// Age writes the age of the oldest.
func (s SystemSpool) Age() string { return s.Oldest.Round(time.Second).String() }

// Percent is how full it is.
func (s SystemSpool) Percent() int { return percent(s.Part()) }

// Kind is the mark of how full it is.
func (s SystemSpool) Kind() string { return fullness(s.Part()) }

// Left writes the bytes that are free.
func (d SystemDisk) Left() string { return bytesText(float64(d.Free)) }

// All writes the bytes that there are.
func (d SystemDisk) All() string { return bytesText(float64(d.Total)) }

// State writes the bytes of the database.
func (d SystemDisk) State() string { return bytesText(float64(d.Database)) }

// Percent is how full it is.
func (d SystemDisk) Percent() int { return percent(d.Part()) }

// Kind is the mark of how full it is.
func (d SystemDisk) Kind() string { return fullness(d.Part()) }

func percent(part float64) int { return int(part * 100) }

func fullness(part float64) string {
	const much, most = 0.8, 0.95
	switch {
	case part >= most:
		return "bad"
	case part >= much:
		return "warn"
	}
	return "good"
}

// Why is what the last check said, without what could not be seen.
func (s SystemStore) Why() string { return visible(s.Fault) }

func (v *view) systemPage() error {
	data := systemData{From: Path + "system/history"}
	_, data.Offset = time.Now().In(v.opts.Zone).Zone()
	var err error
	if data.SystemFacts, err = v.opts.System.Facts(v.r.Context()); err != nil {
		return err
	}
	h := v.hush()
	for i := range data.Stores {
		data.Stores[i].Fault = h.text(data.Stores[i].Fault)
	}
	if v.byHtmx() { // nothing but the facts is sent
		return v.page("system", data)
	}
	settings, err := v.opts.System.Settings()
	if err != nil {
		return err
	}
	data.Settings = string(settings)
	if data.Plots, err = v.shownPlots(v.opts.System.History(time.Time{})); err != nil {
		return err
	}
	return v.page("system", data)
}

// checkStores asks the stores across a network whether they can be used.
func (v *view) checkStores() error {
	v.opts.System.CheckStores(v.r.Context())
	v.audit("check stores")
	return v.redirectDone(Path+"system", "done.checked")
}

// sample is a number in JSON, null where it is not known.
type sample float64

// MarshalJSON implements [json.Marshaler].
func (n sample) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	const digits = 5 // more than anybody can see in a plot
	return strconv.AppendFloat(nil, float64(n), 'g', digits, 64), nil
}

// historyReply is what plot.js asks for.
type historyReply struct {
	Times  []int64             `json:"times"` // Unix milliseconds
	Values map[string][]sample `json:"values"`
}

// systemHistory sends the series, those after the time "after" (Unix milliseconds).
func (v *view) systemHistory() error {
	after := time.Time{}
	if text := v.r.URL.Query().Get("after"); text != "" {
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return refusedf(http.StatusBadRequest, "error.nothing")
		}
		// One more: what a time has beyond its milliseconds is not sent.
		after = time.UnixMilli(ms + 1)
	}
	h := v.opts.System.History(after)
	reply := historyReply{Times: []int64{}, Values: make(map[string][]sample, len(h.Values))}
	for _, t := range h.Times {
		reply.Times = append(reply.Times, t.UnixMilli())
	}
	for name, values := range h.Values {
		numbers := make([]sample, len(values))
		for i, n := range values {
			numbers[i] = sample(n)
		}
		reply.Values[name] = numbers
	}
	body, err := json.Marshal(reply)
	if err != nil {
		return fmt.Errorf("write the history of the system: %w", err)
	}
	v.w.Header().Set("Content-Type", "application/json")
	_, _ = v.w.Write(body) // a browser that went away needs no answer
	return nil
}
