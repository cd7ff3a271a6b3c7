package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stillcast/stillcast/internal/console"
	"github.com/stillcast/stillcast/internal/objstore"
)

// visitor is somebody who is logged in to the console.
type visitor struct {
	t      *testing.T
	base   string
	client *http.Client
}

func newVisitor(t *testing.T, a *App) visitor {
	t.Helper()
	base, password := a.ConsoleURL()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := visitor{t: t, base: base, client: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	t.Cleanup(v.client.CloseIdleConnections)
	form := url.Values{"account": {console.FirstAccount}, "password": {password.Reveal()}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"login", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	v.answer(req)
	return v
}

func (v visitor) answer(req *http.Request) string {
	v.t.Helper()
	reply, err := v.client.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil || reply.StatusCode != http.StatusOK {
		v.t.Fatalf("%s: %s, %v\n%s", req.URL, reply.Status, err, body)
	}
	return string(body)
}

func (v visitor) get(path string) string {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.base+path, http.NoBody)
	if err != nil {
		v.t.Fatal(err)
	}
	return v.answer(req)
}

// The console shows the server as it is, and none of its secrets.
func TestConsoleShowsTheSystem(t *testing.T) {
	a := startApp(t, testConfig(t.TempDir(), "http://127.0.0.1:9"))
	v := newVisitor(t, a)
	page := v.get("system")
	workers := a.codec.Workers()
	if len(workers) == 0 {
		t.Fatal("no worker is known")
	}
	wants := []string{a.RTMPAddr().String(), a.HTTPAddr().String(), a.OpsAddr().String(), "primary (file)", "snapshot_templates:", "&lt;secret&gt;"}
	for _, w := range workers {
		wants = append(wants, fmt.Sprint(w.PID))
	}
	for _, want := range wants {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, secret := range []string{pushKey.Reveal(), hookKey.Reveal()} {
		if strings.Contains(page, secret) {
			t.Errorf("the page holds %q", secret)
		}
	}
	if strings.Contains(page, "<dd>–</dd>\n<dt>Database</dt>") {
		t.Error("the free space is not known")
	}
	var history struct {
		Times  []int64
		Values map[string][]*float64
	}
	until(t, "the first look at the metrics", func() bool {
		if err := json.Unmarshal([]byte(v.get("system/history")), &history); err != nil {
			t.Fatal(err)
		}
		return len(history.Times) > 0
	})
	for _, name := range []string{"pushes.live", "spool.pictures", "spool_bytes.bytes"} {
		if line := history.Values[name]; len(line) != len(history.Times) || line[0] == nil || *line[0] != 0 {
			t.Errorf("%s is %v", name, line)
		}
	}
	for _, s := range console.SystemSeries() {
		if len(history.Values[s.Name]) != len(history.Times) {
			t.Errorf("%s has %d values", s.Name, len(history.Values[s.Name]))
		}
	}
}

// Every metric that is plotted is one of the server's, so that no plot stays empty
// when a metric gets another name.
func TestPlottedMetricsExist(t *testing.T) {
	h := newHooks(t)
	a := startApp(t, testConfig(t.TempDir(), h.URL))
	pushS(t, a)
	h.shot()
	for _, s := range console.SystemSeries() {
		until(t, "there is "+s.Metric, func() bool {
			families, err := a.registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				if f.GetName() == s.Metric {
					return true
				}
			}
			// Counters with labels are there once they counted.
			return s.Metric == "stillcast_spool_failed_total" || s.Metric == "stillcast_capture_shed_total" || s.Metric == "stillcast_capture_failed_total"
		})
	}
}

// What the last check of a store said is remembered.
func TestStoreChecks(t *testing.T) {
	var checks storeChecks
	if _, ok := checks.of("primary"); ok {
		t.Error("a store was checked before it was")
	}
	checks.note("primary", errors.Join(errors.New("put"), objstore.ErrDenied))
	c, ok := checks.of("primary")
	if !ok || !strings.Contains(c.fault, "put") || !strings.Contains(c.do, "credentials") || time.Since(c.at) > time.Hour {
		t.Errorf("%+v", c)
	}
	checks.note("primary", nil)
	if c, _ := checks.of("primary"); c.fault != "" || c.do != "" {
		t.Errorf("%+v", c)
	}
	(consoleSystem{App: &App{pictures: &places{}}}).CheckStores(context.Background())
}
