package app

import (
	"net/http"
	"testing"

	"github.com/stillcast/stillcast/internal/console"
)

// A browser that is pointed to the bare address is led to the console; programs
// are told what there is.
func TestFrontLeadsBrowsersToTheConsole(t *testing.T) {
	const html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	tests := map[bool][]struct {
		path, accept string
		status       int
		location     string
	}{
		true: {
			{"/", "*/*", http.StatusOK, ""},
			{"/", html, http.StatusSeeOther, console.Path},
			{"/?a=b", html, http.StatusOK, ""},
			{console.Path, html, http.StatusSeeOther, console.Path + "login?back=%2Fconsole%2F"},
			{"/no/such/page", html, http.StatusNotFound, ""},
		},
		false: { // turned off
			{"/", html, http.StatusOK, ""},
			{console.Path, html, http.StatusNotFound, ""},
			{console.Path + "login", html, http.StatusNotFound, ""},
		},
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for enabled, all := range tests {
		cfg := testConfig(t.TempDir(), "")
		cfg.Console.Enabled = enabled
		a := startApp(t, cfg)
		for _, test := range all {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+a.HTTPAddr().String()+test.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept", test.accept)
			reply, err := client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			reply.Body.Close()
			if location := reply.Header.Get("Location"); reply.StatusCode != test.status || location != test.location {
				t.Errorf("enabled %t: %s: %d to %q, want %d to %q", enabled, test.path, reply.StatusCode, location, test.status, test.location)
			}
		}
		if url, password := a.ConsoleURL(); (url != "") != enabled || (password != "") != enabled {
			t.Errorf("enabled %t: the console is at %q, with a first password: %t", enabled, url, password != "")
		}
	}
}
