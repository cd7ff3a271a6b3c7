package console

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/trend"
)

// fakeSystem is a server with a fault of each kind.
type fakeSystem struct {
	history trend.History
	checked int
}

func (s *fakeSystem) Facts(context.Context) (SystemFacts, error) {
	return SystemFacts{
		Version: "1.2.3", Go: "go9", PID: 77, Started: time.Now().Add(-time.Hour), Ready: true, Live: 12,
		Listeners: []SystemListener{{Name: "listen.http", Address: "127.0.0.1:8080"}},
		Workers:   []SystemWorker{{PID: 4711, Shots: 99, RSS: 5 << 20, CPU: 1500 * time.Millisecond, Started: time.Now()}, {PID: 4712}},
		Spool:     SystemSpool{Shots: 3, Bytes: 900 << 10, Max: 1 << 20, Policy: "refuse_new", Oldest: 90 * time.Second},
		Disk:      SystemDisk{Folder: "./data", Free: 1 << 30, Total: 50 << 30, Database: 7 << 20},
		Stores: []SystemStore{
			{Name: "primary", Type: "s3", Open: true, Failures: 5, Since: time.Now(), NextTry: time.Now(), CanCheck: true, Checked: time.Now(), Fault: "denied: " + hostile, Do: "check the credentials"},
			{Name: "second", Type: "file"},
		},
	}, nil
}

func (s *fakeSystem) History(after time.Time) trend.History {
	h := trend.History{Values: map[string][]float64{}}
	for i, at := range s.history.Times {
		if !at.After(after) {
			continue
		}
		h.Times = append(h.Times, at)
		for name, values := range s.history.Values {
			h.Values[name] = append(h.Values[name], values[i])
		}
	}
	return h
}

func (s *fakeSystem) Settings() ([]byte, error) {
	return []byte("api:\n  credentials: <secret>\n"), nil
}

func (s *fakeSystem) CheckStores(context.Context) { s.checked++ }

func newFakeSystem() *fakeSystem {
	s := &fakeSystem{history: trend.History{Values: map[string][]float64{}}}
	begin := time.Date(2026, 11, 26, 12, 0, 0, 123456789, time.UTC)
	for n := range 60 {
		s.history.Times = append(s.history.Times, begin.Add(time.Duration(n)*10*time.Second))
		for i, one := range SystemSeries() {
			value := float64(i + 1)
			if n == 59 {
				value = math.NaN()
			}
			s.history.Values[one.Name] = append(s.history.Values[one.Name], value)
		}
	}
	return s
}

// The page tells all that is known, to viewers too, in both languages.
func TestSystemPage(t *testing.T) {
	s := newFakeSystem()
	r := newRig(t, func(o *Options) { o.System, o.Streams = s, newFakeStreams() })
	b := r.as("viewer", r.viewer)
	a := b.get("system")
	b.want(a, http.StatusOK, "1.2.3", "go9", "127.0.0.1:8080", "4711", "5.0 MiB", "1.5s", "900.0 KiB / 1.0 MiB", "87 %", "refuse_new", "1m30s",
		"1.0 GiB of 50.0 GiB", "98 %", "7.0 MiB", "Not working", "check the credentials", "⟨U&#43;202E⟩", "Bytes from publishers", "data-plot=", "uplot-",
		"credentials: &lt;secret&gt;", `data-offset="28800"`, "2026-11-26 20:05:00", "1 B/s")
	b.lacks(a, "<img src=x", "system/check")
	b.want(b.post("system/check"), http.StatusForbidden)
	if s.checked != 0 {
		t.Error("a viewer checked the stores")
	}
	b.header.Set("Accept-Language", "zh")
	b.want(b.get("system"), http.StatusOK, "解码进程", "数据库提交耗时", "上传队列")
	b.header.Set("Hx-Request", "true")
	b.header.Set("Hx-Target", "system-facts")
	a = b.get("system")
	b.want(a, http.StatusOK, "4711")
	b.lacks(a, "<html", "data-plot", "&lt;secret&gt;")

	admin := r.as("admin", r.admin)
	admin.want(admin.get("system"), http.StatusOK, "system/check")
	admin.wantTo(admin.post("system/check"), Path+"system?done=done.checked")
	if s.checked != 1 {
		t.Errorf("the stores were checked %d times", s.checked)
	}
}

// A server that has just started has nothing to plot.
func TestSystemPageAtTheStart(t *testing.T) {
	r := newRig(t, func(o *Options) { o.System, o.Streams = &fakeSystem{}, newFakeStreams() })
	b := r.as("viewer", r.viewer)
	b.want(b.get("system"), http.StatusOK, "Nothing is known yet.")
	b.want(b.get("system/history"), http.StatusOK, `{"times":[],"values":{`)
}

// The script gets all once, and then only what is new; what is not known is null.
func TestSystemHistory(t *testing.T) {
	r := newRig(t, func(o *Options) { o.System, o.Streams = newFakeSystem(), newFakeStreams() })
	b := r.as("viewer", r.viewer)
	type reply struct {
		Times  []int64
		Values map[string][]*float64
	}
	ask := func(query string) (got reply) {
		a := b.get("system/history" + query)
		b.want(a, http.StatusOK)
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Fatal(err)
		}
		return got
	}
	all := ask("")
	line := all.Values["ingest.received"]
	if len(all.Times) != 60 || len(line) != 60 || line[0] == nil || *line[0] != 1 || line[59] != nil {
		t.Errorf("%d times, line %v", len(all.Times), line)
	}
	last := all.Times[57]
	if more := ask("?after=" + jsonOf(t, last)); len(more.Times) != 2 || more.Times[0] != all.Times[58] {
		t.Errorf("after the third last: %v", more.Times)
	}
	b.want(b.get("system/history?after=x"), http.StatusBadRequest)
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every series has a name of its own, and a metric.
func TestSystemSeries(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range SystemSeries() {
		if seen[s.Name] || !strings.HasPrefix(s.Metric, "stillcast_") {
			t.Errorf("series %+v", s)
		}
		seen[s.Name] = true
	}
}

func TestInUnit(t *testing.T) {
	for _, c := range []struct {
		unit string
		n    float64
		want string
	}{
		{"bytes", 1536, "1.5 KiB"},
		{"rate", 10, "10 B/s"},
		{"number", 3.4, "3"},
		{"often", 0.25, "0.25/s"},
		{"seconds", 0.0125, "12.5 ms"},
		{"seconds", 75, "1.2 min"},
		{"seconds", 2, "2.00 s"},
		{"bytes", math.NaN(), "–"},
		{"often", math.Inf(1), "–"},
	} {
		if got := inUnit(c.unit, c.n); got != c.want {
			t.Errorf("%v in %s is %q, want %q", c.n, c.unit, got, c.want)
		}
	}
}
